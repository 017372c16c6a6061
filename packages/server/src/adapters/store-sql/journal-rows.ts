import type { Kysely } from 'kysely';
import type { Position } from '../../core/journal/index.ts';
import type { DurableEvent } from '../../core/index.ts';
import type { EntriesTable, Tables } from './schema.ts';

/** An entry refers to what it is about; the text stays where it is. Entries of messages are made where messages are stored. */
export function entryRow(
  event: DurableEvent,
  where: { readonly stream: number; readonly at: number },
): Omit<EntriesTable, 'position'> {
  switch (event.kind) {
    case 'message':
      throw new Error('messages are appended, and told there');
    case 'call-record':
      return { ...where, kind: 'call-record', message: null, ref: event.call.id, data: null };
    case 'directory':
      return { ...where, kind: 'directory', message: null, ref: event.id, data: event.what };
    case 'stream-ended':
      return { ...where, kind: 'stream-ended', message: null, ref: event.stream, data: event.reason };
    case 'presence-stated':
      return { ...where, kind: 'presence-stated', message: null, ref: event.user, data: null };
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
