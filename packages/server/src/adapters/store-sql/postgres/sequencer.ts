import type { Batch } from '../../../core/index.ts';
import { every, reasonOf, type Timer } from '../../../kit/index.ts';
import type { PostgresConnection } from '../dialect/postgres.ts';
import { type EntryRow, JournalReader } from '../journal-reader.ts';
import type { StoreLog } from '../log.ts';
import { sweep } from '../sweep.ts';
import { Session, type SessionPlace } from './session.ts';

/**
 * Entries that get their positions in one transaction: some milliseconds, and one batch of the bell.
 * @peer nothing to notice
 * @test store-postgres: more entries than one batch
 */
const MAX_BATCH = 1_000;
/** How often it is looked for entries whose stir was lost, and for the office itself. */
const POLL_MS = 1_000;
/** Entries given positions until the queue is vacuumed: its dead rows are walked over each time. */
const VACUUM_AFTER = 20_000;
/** One office in each database. The number is ours alone. */
const OFFICE = 7_449_322_801;

const STATEMENTS = {
  elect: `select pg_try_advisory_lock(${OFFICE}) as elected`,
  vacuum: `vacuum (truncate false) fresh_entries`,
  resign: `select pg_advisory_unlock(${OFFICE})`,
  /**
   * Takes the oldest committed entries out of the queue and writes them down with the next positions, in one statement. Two
   * sequencers, should there ever be two, would write the same position: the key lets only one of them.
   */
  assign: `with head as (select coalesce(max(position), 0) as position from entries),
    batch as (select *, row_number() over (order by num) as place
      from (select * from fresh_entries order by num limit ${MAX_BATCH}) as oldest),
    taken as (delete from fresh_entries where num = any(array(select num from batch))),
    placed as (insert into entries (position, stream, kind, message, ref, data, at)
      select head.position + place, stream, kind, message, ref, data, at from batch, head
      returning position, stream, kind, message, ref, data)
    select placed.position, streams.id as stream, kind, message, ref, data
      from placed join streams on streams.num = placed.stream order by placed.position`,
} as const;

export interface SequencerParts extends SessionPlace {
  readonly log: StoreLog;
  readonly retentionMs: number;
  /** Entries have their positions, and stand. */
  readonly onBatch: (batch: Batch) => void;
}

/**
 * Gives committed entries their positions, on one node of all that share the database: whoever holds an advisory lock of the
 * database. The lock is its connection's, so it is free again when that ends, and everything it does goes over that connection.
 *
 * Numbers of entries are taken under the lock of their conversation, so of two entries that are committed the one with the
 * smaller number comes first wherever an order was visible to anybody. It also deletes what has had its time.
 */
export class Sequencer {
  readonly #parts: SequencerParts;
  readonly #session: Session;
  readonly #timer: Timer;
  #office: { readonly connection: PostgresConnection; readonly journal: JournalReader } | null = null;
  #isWanted = false;
  #sinceVacuum = 0;
  #isSweepWanted = false;
  #running: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: SequencerParts) {
    this.#parts = parts;
    this.#session = new Session({
      ...parts,
      role: 'sequencer',
      onUp: (connection) => this.#stand(connection),
      onOpen: () => this.wake(),
      onDown: () => (this.#office = null),
    });
    this.#timer = every(parts.clock, POLL_MS, () => this.#start());
  }

  /** Resolves when it is known whether this node was elected. */
  open(): Promise<undefined> {
    return this.#session.open();
  }

  get isElected(): boolean {
    return this.#office !== null;
  }

  /** There may be something to do for whoever has the office. */
  wake(): void {
    if (this.#office !== null) this.#start();
  }

  #start(): void {
    this.#isWanted = true;
    if (!this.#isClosed) this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** Deletes what has had its time, if this node is the one that does. */
  sweep(): void {
    this.#isSweepWanted = true;
    this.wake();
  }

  /** Finishes what is under way and gives the office away. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    await this.#running;
    const { connection } = this.#session;
    try {
      // The lock would go with the connection, but only when the database has noticed.
      if (connection !== null && this.#office !== null) await connection.query(STATEMENTS.resign);
    } catch (error) {
      this.#parts.log.warn('the office of giving positions goes with its connection', { reason: reasonOf(error) });
    }
    await this.#session.close();
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      const { connection } = this.#session;
      if (connection === null) return;
      try {
        if (this.#office === null) await this.#stand(connection);
        await this.#work();
      } catch (error) {
        this.#parts.log.warn('positions could not be given; it is tried again', { reason: reasonOf(error) });
        // What the database has against it (a full disk) it would have against the next connection, too: at the next poll.
        if (connection.faultOf(error) !== 'broken') return;
        this.#office = null;
        this.#session.drop(connection, reasonOf(error));
      }
    }
  }

  async #stand(connection: PostgresConnection): Promise<void> {
    const { rows } = await connection.query<{ elected: boolean }>(STATEMENTS.elect);
    this.#office = rows[0]?.elected === true ? { connection, journal: new JournalReader(connection) } : null;
  }

  async #work(): Promise<void> {
    const office = this.#office;
    if (office === null) return;
    const { rows } = await office.connection.query<EntryRow>(STATEMENTS.assign);
    if (rows.length === MAX_BATCH) this.#isWanted = true;
    const entries = await office.journal.filled(rows);
    const first = entries[0];
    const last = entries.at(-1);
    if (first !== undefined && last !== undefined)
      this.#parts.onBatch({ first: first.position, last: last.position, entries });
    this.#sinceVacuum += rows.length;
    if (this.#sinceVacuum >= VACUUM_AFTER) {
      this.#sinceVacuum = 0;
      await office.connection.query(STATEMENTS.vacuum);
    }
    if (this.#isSweepWanted) await this.#sweepPiece(office.connection);
  }

  async #sweepPiece(connection: PostgresConnection): Promise<void> {
    const { clock, retentionMs } = this.#parts;
    const { isMore } = await sweep(connection, { now: clock.now(), retentionMs });
    this.#isSweepWanted = isMore;
    if (isMore) this.#isWanted = true;
  }
}
