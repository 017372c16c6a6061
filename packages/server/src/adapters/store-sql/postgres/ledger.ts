import type { ConversationId, Position } from '../../../core/journal/index.ts';
import { BatchLookup } from '../batches.ts';
import type { PostgresConnection } from '../dialect/postgres.ts';
import { entryRow, headOf } from '../journal-rows.ts';
import type { Ledger, Standing, ToldEntry } from '../ledger.ts';
import { numberIn } from '../streams.ts';
import { Appender, type AppendedRows, IDEMPOTENCY_MS, streamsIn } from '../units/append.ts';
import { compileFindKeys } from '../units/append-statements.ts';
import type { AppendUnit, Outcome, Unit, WrittenEntry } from '../wire.ts';
import { PostgresStreams, RowNumbers } from './numbers.ts';
import { STATEMENTS } from './statements.ts';

/**
 * The ledger of one of several writers: numbers come from the database. A group's conversations are locked when it begins, and
 * their messages get `seq` under these locks. Everything stands in its place at once; entries wait for their position.
 *
 * A group of appends costs two round trips: begin, lock and reserve; write and commit.
 */
export class PostgresLedger implements Ledger {
  readonly streams: PostgresStreams;
  readonly #connection: PostgresConnection;
  readonly #conversations = new RowNumbers<ConversationId>('conversations', { columns: ', last_seq', values: ', 0' });
  readonly #appender: Appender;
  /** Locked by this group. */
  #standings = new Map<ConversationId, Standing>();
  readonly #touched = new Set<Standing>();
  #reserved: number[] = [];
  #now = 0;
  #hasTold = false;

  constructor(connection: PostgresConnection) {
    const findKeys = new BatchLookup(connection.db, (ids) => compileFindKeys(connection.db, ids));
    this.streams = new PostgresStreams(connection);
    this.#connection = connection;
    this.#appender = new Appender({
      streams: this.streams,
      standingsOf: () => Promise.resolve(this.#standings),
      touched: (_id, standing) => void this.#touched.add(standing),
      findKeys: (ids) => findKeys.find(ids),
      nextMessage: () => this.#nextMessage(),
      nextPosition: () => null,
      write: (rows) => this.#write(rows),
    });
  }

  /** The group that was committed last has told something: it waits for the sequencer. */
  get hasTold(): boolean {
    return this.#hasTold;
  }

  head(): Promise<Position> {
    return headOf(this.#connection.db);
  }

  async standingOf(id: ConversationId): Promise<Standing | null> {
    const locked = this.#standings.get(id);
    if (locked !== undefined) return locked;
    const { rows } = await this.#connection.query<LockedRow>(STATEMENTS.standing, [id]);
    const [row] = rows;
    return row === undefined ? null : { num: row.num, seq: row.last_seq };
  }

  async time(): Promise<number> {
    const { rows } = await this.#connection.query<{ now: number }>(STATEMENTS.time);
    const [row] = rows;
    if (row === undefined) throw new Error('the database does not say the time');
    return row.now;
  }

  async begin(units: readonly Unit[]): Promise<void> {
    const appends = units.filter((unit) => unit.kind === 'conversations.append');
    this.#standings = new Map();
    this.#touched.clear();
    this.#reserved = [];
    this.#hasTold = false;
    this.#connection.begin();
    if (appends.length === 0) return;
    await this.streams.numbersOf(streamsIn(appends));
    const ids = new Set(appends.map(({ input }) => input.message.conversation));
    const numbers = await this.#conversations.of(this.#connection, ids);
    const locked = this.#lock([...numbers.values()]);
    await Promise.all([locked, this.#reserve(appends.length)]);
  }

  async append(units: readonly AppendUnit[], now: number): Promise<Outcome[]> {
    this.#now = now;
    if (this.#reserved.length < units.length) await this.#reserve(units.length);
    return this.#appender.apply(units, now);
  }

  async tell(told: readonly ToldEntry[], now: number): Promise<readonly WrittenEntry[]> {
    const numbers = await this.streams.numbersOf(told.map(({ stream }) => stream));
    const rows = told.map(({ stream, event }) => entryRow(event, { stream: numberIn(numbers, stream), at: now }));
    this.#tellRows(rows);
    return [];
  }

  async commit(): Promise<void> {
    await this.#connection.commit();
    this.streams.rows.committed();
    this.#conversations.committed();
  }

  async rollback(): Promise<void> {
    this.#forget();
    await this.#connection.rollback();
  }

  async reload(): Promise<void> {
    const nums = [...this.#standings.values()].map(({ num }) => num);
    this.#forget();
    await this.#lock(nums);
  }

  /** What was made since the savepoint is gone. */
  #forget(): void {
    this.streams.rows.rolledBack();
    this.#conversations.rolledBack();
    this.#touched.clear();
  }

  async #lock(nums: readonly number[]): Promise<void> {
    if (nums.length === 0) return;
    const { rows } = await this.#connection.query<LockedRow>(STATEMENTS.lock, [nums]);
    for (const { id, num, last_seq } of rows) this.#standings.set(id, { num, seq: last_seq });
  }

  async #reserve(count: number): Promise<void> {
    const { rows } = await this.#connection.query<{ num: number }>(STATEMENTS.reserve, [count]);
    // The last first: they are popped.
    this.#reserved = rows.map(({ num }) => num).reverse();
  }

  #nextMessage(): number {
    const num = this.#reserved.pop();
    if (num === undefined) throw new Error('too few numbers were reserved');
    return num;
  }

  /** Sent, not waited for: the commit or the next savepoint says whether it went well. */
  #write({ messages, mail, entries, keys }: AppendedRows): Promise<void> {
    const connection = this.#connection;
    if (keys.length > 0) {
      connection.send(STATEMENTS.expireKeys, [keys.map(({ id }) => id), this.#now - IDEMPOTENCY_MS]);
      connection.send(STATEMENTS.keys, [JSON.stringify(keys)]);
    }
    if (messages.length > 0) {
      connection.send(STATEMENTS.messages, [JSON.stringify(messages)]);
      const seqs = [...this.#touched].map(({ num, seq }) => ({ num, last_seq: seq }));
      connection.send(STATEMENTS.seqs, [JSON.stringify(seqs)]);
    }
    if (mail.length > 0) connection.send(STATEMENTS.mail, [JSON.stringify(mail)]);
    if (entries.length > 0) this.#tellRows(entries);
    this.#touched.clear();
    return Promise.resolve();
  }

  #tellRows(rows: AppendedRows['entries']): void {
    this.#hasTold = true;
    this.#connection.send(STATEMENTS.entries, [JSON.stringify(rows)]);
  }
}

interface LockedRow {
  readonly id: ConversationId;
  readonly num: number;
  readonly last_seq: number;
}
