import type { Kysely } from 'kysely';
import type { Position } from '../../core/journal/index.ts';
import type { Connection } from './dialect/connection.ts';
import { headOf, oldestOf } from './journal-rows.ts';
import type { Tables } from './schema.ts';
import { IDEMPOTENCY_MS } from './units/append.ts';

/** Rows deleted in one transaction: a few milliseconds, in which no unit is held up for long. */
const PIECE = 500;

export interface Swept {
  readonly oldest: Position;
  /** A piece was full: there may be more. */
  readonly isMore: boolean;
}

/** Deletes one piece of what has had its time and is settled: entries from the oldest on, and idempotency keys. */
export async function sweep(
  connection: Connection,
  { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
): Promise<Swept> {
  await connection.begin();
  try {
    const entries = await sweepEntries(connection, now - retentionMs);
    const keys = await sweepKeys(connection, 'idempotency', now - IDEMPOTENCY_MS);
    const callKeys = await sweepKeys(connection, 'call_keys', now - IDEMPOTENCY_MS);
    const oldest = await oldestOf(connection.db);
    await connection.commit();
    return { oldest, isMore: [entries, keys, callKeys].includes(PIECE) };
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

/** From the oldest on and without gaps, even if the clock was set back meanwhile. The last entry stays: it holds the head. */
async function sweepEntries({ db, types }: Connection, before: number): Promise<number> {
  const head = await headOf(db);
  const rows = await db
    .selectFrom('entries')
    .select(['position', 'at'])
    .where('position', '<', head)
    .orderBy('position')
    .limit(PIECE)
    .execute();
  const young = rows.findIndex((row) => row.at >= before);
  const expired = young < 0 ? rows : rows.slice(0, young);
  const last = expired.at(-1);
  if (last === undefined) return 0;
  if (types.hasOneWriter) await leaveStreams(db, last.position);
  await db.deleteFrom('entries').where('position', '<=', last.position).execute();
  return expired.length;
}

async function leaveStreams(db: Kysely<Tables>, until: Position): Promise<void> {
  await db
    .deleteFrom('stream_index')
    .where((eb) =>
      eb(
        eb.refTuple('stream', 'position'),
        'in',
        eb
          .selectFrom('entries')
          .select(['stream', 'position'])
          .where('position', '<=', until)
          .$asTuple('stream', 'position'),
      ),
    )
    .execute();
}

async function sweepKeys({ db }: Connection, table: 'idempotency' | 'call_keys', before: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom(table)
    .where('id', 'in', (eb) => eb.selectFrom(table).select('id').where('at', '<=', before).orderBy('at').limit(PIECE))
    .executeTakeFirst();
  return Number(numDeletedRows);
}
