import { sql } from 'kysely';
import type { DurableEvent, TielineBell, TielineJournal } from '../../../core/index.ts';
import type { JournalRange } from '../../../core/journal/index.ts';
import { type Clock, every } from '../../../kit/index.ts';
import { PostgresConnection } from '../dialect/postgres.ts';
import { figuresOf } from '../figures.ts';
import type { StoreLog } from '../log.ts';
import { migrate } from '../migrate.ts';
import { storeChanged } from '../problems.ts';
import { ReadDesk } from '../read-desk.ts';
import { ringing } from '../ring.ts';
import type { SqlStore } from '../store.ts';
import { type Bounds, queryOf, type WrittenEntry } from '../wire.ts';
import { WriteDesk } from '../write-desk.ts';
import { PostgresReaderLink } from './reader-link.ts';
import { Sequencer } from './sequencer.ts';
import { PostgresWriterLink } from './writer-link.ts';

/** How often what has had its time is looked for. */
const SWEEP_MS = 60_000;
/** Nodes that start together bring the schema up to date one after the other. The number is ours alone. */
const MIGRATION = 7_449_322_802;

export interface PostgresStoreParts {
  readonly url: string;
  readonly bell: TielineBell;
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly retentionMs: number;
  /** Used where the database has none yet. */
  readonly freshId: string;
}

/** One node's store on a PostgreSQL that it may share with others. @throws store-too-new, store-unsupported, or what PostgreSQL says. */
export async function createPostgresStore(parts: PostgresStoreParts): Promise<SqlStore> {
  const { url, bell, clock, log, retentionMs } = parts;
  const epoch = await prepare(parts);
  const place = { url, clock, check: (connection: PostgresConnection) => requireEpoch(connection, epoch) };
  let away = '';
  let bounds: Bounds = { head: 0, oldest: 1 };
  const writes = new WriteDesk({
    clock,
    log,
    onBatch: () => undefined,
    link: (events) =>
      new PostgresWriterLink({
        ...events,
        ...place,
        onReply(reply) {
          if (reply.is === 'open') away = '';
          events.onReply(reply);
        },
        onDown(reason) {
          // Each attempt fails for the same reason, as a rule.
          if (reason !== away) log.warn('PostgreSQL is away; it is tried again', { reason });
          away = reason;
          events.onDown(reason);
        },
        onTold: () => bell.stir(),
      }),
  });
  const reads = new ReadDesk((events) => new PostgresReaderLink({ ...events, ...place }));
  const sequencer = new Sequencer({ ...place, log, retentionMs, onBatch: ringing(bell, log) });
  const stops = [
    bell.stirs.add(() => sequencer.wake()),
    bell.batches.add(({ last }) => (bounds = { ...bounds, head: Math.max(bounds.head, last) })),
  ];
  const sweeper = every(clock, SWEEP_MS, () => sequencer.sweep());
  const readBounds = async (): Promise<Bounds> => (bounds = await reads.ask<Bounds>({ ask: 'bounds' }));

  async function end(): Promise<void> {
    sweeper.cancel();
    await writes.close();
    for (const stop of stops) stop();
    await sequencer.close();
    await reads.close();
  }

  try {
    await Promise.all([writes.open(), reads.open(), sequencer.open()]);
    await readBounds();
  } catch (error) {
    await end();
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    store: {
      write: (kind, input) => writes.write(kind, input),
      read: (kind, input) => reads.ask({ ask: 'query', query: queryOf(kind, input) }),
    },
    journal: journalOf(epoch, reads, readBounds),
    figures: () => figuresOf({ writes, reads, bounds, isSequencer: sequencer.isElected }),
    close: () => (closing ??= end()),
  };
}

function journalOf(epoch: string, reads: ReadDesk, bounds: () => Promise<Bounds>): TielineJournal {
  return {
    epoch,
    head: async () => (await bounds()).head,
    oldest: async () => (await bounds()).oldest,
    range: (range) => reads.ask<JournalRange<DurableEvent>>({ ask: 'range', range }),
    tail: ({ after, limit }) => reads.ask<readonly WrittenEntry[]>({ ask: 'tail', after, limit }),
  };
}

/** Brings the schema up to date and gives the database its identity; returns the epoch. */
async function prepare({ url, freshId, log }: PostgresStoreParts): Promise<string> {
  const connection = await PostgresConnection.open({ url, role: 'migration', onLost: () => undefined });
  try {
    // Goes with the connection.
    await connection.query(`select pg_advisory_lock(${MIGRATION})`);
    await migrate(connection);
    await connection.db
      .insertInto('meta')
      .values({ key: 'epoch', value: freshId })
      .onConflict((on) => on.doNothing())
      .execute();
    await warnOfLoss(connection, log);
    return await epochOf(connection);
  } finally {
    await connection.close();
  }
}

/** Lets the next start give the database a new epoch, after it was put back by PostgreSQL's own tools. */
export async function renewEpochOfPostgres(url: string): Promise<void> {
  const connection = await PostgresConnection.open({ url, role: 'migration', onLost: () => undefined });
  try {
    await connection.db.deleteFrom('meta').where('key', '=', 'epoch').execute();
  } finally {
    await connection.close();
  }
}

/** What the server's own settings may lose of what was acknowledged. */
async function warnOfLoss({ db }: PostgresConnection, log: StoreLog): Promise<void> {
  for (const name of ['fsync', 'full_page_writes']) {
    const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db);
    if (rows[0]?.value === 'off') log.warn('PostgreSQL may lose what was acknowledged', { setting: `${name} = off` });
  }
}

/**
 * Positions mean the same as long as this stays: the stored id (another store), the cluster and the database in it (a dump that
 * was loaded elsewhere), the timeline of what is written now (a backup that was recovered, a standby that was promoted).
 */
async function epochOf({ db }: PostgresConnection): Promise<string> {
  const { rows } = await sql<{ system: string; timeline: string; database: number; id: string }>`
    select system_identifier::text as system, pg_database.oid::bigint as database, meta.value as id,
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline
    from pg_control_system(), pg_database, meta
    where datname = current_database() and meta.key = 'epoch'`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database has no identity');
  return [
    row.id,
    BigInt(row.system).toString(36),
    parseInt(row.timeline, 16).toString(36),
    row.database.toString(36),
  ].join('x');
}

/** Behind this address there is another history now: nothing that this node has told holds there. */
async function requireEpoch(connection: PostgresConnection, epoch: string): Promise<void> {
  if ((await epochOf(connection)) !== epoch) throw storeChanged();
}
