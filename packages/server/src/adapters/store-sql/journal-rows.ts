import type { Kysely } from 'kysely';
import type { Position } from '../../core/journal/index.ts';
import { unreachable } from '../../kit/index.ts';
import type { EntriesTable, Tables } from './schema.ts';
import type { WrittenEntry } from './wire.ts';

/** An entry refers to what it is about; the text stays where it is. */
export function entryRow({ position, stream, event }: WrittenEntry, at: number): EntriesTable {
  switch (event.kind) {
    case 'message':
      return { position, stream, kind: 'message', ref: event.message.id, data: null, at };
    case 'call-record':
      return { position, stream, kind: 'call-record', ref: event.call.id, data: null, at };
    case 'directory':
      return { position, stream, kind: 'directory', ref: event.id, data: event.what, at };
    default:
      return unreachable(event);
  }
}

/** The last position; 0 where nothing was ever written. Purging always leaves the last entry. */
export async function headOf(db: Kysely<Tables>): Promise<Position> {
  const row = await db.selectFrom('entries').select('position').orderBy('position', 'desc').limit(1).executeTakeFirst();
  return row?.position ?? 0;
}

/** The oldest position that stands, or will stand. */
export async function oldestOf(db: Kysely<Tables>): Promise<Position> {
  const row = await db.selectFrom('entries').select('position').orderBy('position').limit(1).executeTakeFirst();
  return row?.position ?? 1;
}
