import type { ConversationId, Position } from '../../core/journal/index.ts';
import { ConversationStandings } from './conversations.ts';
import type { Connection } from './dialect/connection.ts';
import { entryRow, headOf } from './journal-rows.ts';
import type { Ledger, Standing, ToldEntry } from './ledger.ts';
import { settledOf, Settler } from './settle.ts';
import { numberIn, Streams } from './streams.ts';
import { Appender, type AppendedRows } from './units/append.ts';
import { type AppendStatements, compileAppend } from './units/append-statements.ts';
import type { AppendUnit, Outcome, Unit, WrittenEntry } from './wire.ts';

/** The ledger of the only writer of a database: positions and other numbers are given from memory. */
export class SqliteLedger implements Ledger {
  readonly streams: Streams;
  readonly #connection: Connection;
  readonly #conversations: ConversationStandings;
  readonly #settler: Settler;
  readonly #statements: AppendStatements;
  readonly #appender: Appender;
  #head: Position = 0;
  #message = 0;
  #mail = 0;
  #now = 0;

  private constructor(connection: Connection, settleAfter: number) {
    const conversations = new ConversationStandings(connection.db);
    const statements = compileAppend(connection.db);
    this.streams = new Streams(connection.db);
    this.#connection = connection;
    this.#conversations = conversations;
    this.#settler = new Settler(connection, conversations, settleAfter);
    this.#statements = statements;
    this.#appender = new Appender({
      streams: this.streams,
      standingsOf: (ids) => conversations.of(ids),
      touched: (id, standing) => conversations.touched(id, standing),
      findKeys: (ids) => statements.findKeys.find(ids),
      nextMessage: () => ++this.#message,
      nextPosition: () => this.#head + 1,
      write: (rows) => this.#write(rows),
    });
  }

  static async open(connection: Connection, settleAfter: number): Promise<SqliteLedger> {
    const ledger = new SqliteLedger(connection, settleAfter);
    await ledger.reload();
    await ledger.#settler.load();
    return ledger;
  }

  /** The last position that is committed, between groups. */
  get position(): Position {
    return this.#head;
  }

  head(): Promise<Position> {
    return Promise.resolve(this.#head);
  }

  standingOf(id: ConversationId): Promise<Standing | null> {
    return this.#conversations.find(id);
  }

  time(): Promise<number> {
    return Promise.resolve(this.#now);
  }

  async begin(_units: readonly Unit[], now: number): Promise<void> {
    this.#now = now;
    await this.#connection.begin();
  }

  append(units: readonly AppendUnit[], now: number): Promise<Outcome[]> {
    return this.#appender.apply(units, now);
  }

  async tell(told: readonly ToldEntry[], now: number): Promise<readonly WrittenEntry[]> {
    const entries = told.map((entry, i) => ({ ...entry, position: this.#head + 1 + i }));
    const numbers = await this.streams.numbersOf(told.map(({ stream }) => stream));
    await this.#statements.entries.insert(
      entries.map(({ event, position, stream }) => ({
        ...entryRow(event, { stream: numberIn(numbers, stream), at: now }),
        position,
      })),
    );
    this.#head += entries.length;
    return entries;
  }

  async commit(): Promise<void> {
    await this.#connection.commit();
  }

  async rollback(): Promise<void> {
    await this.#connection.rollback();
    await this.reload();
  }

  /** Takes the numbers from the database. */
  async reload(): Promise<void> {
    const { db } = this.#connection;
    const message = await db
      .selectFrom('messages')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    const mail = await db
      .selectFrom('mail_log')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    this.#head = await headOf(db);
    this.#message = message?.num ?? 0;
    this.#mail = mail?.num ?? 0;
    await this.streams.load();
    await this.#conversations.load((await settledOf(this.#connection)).message);
  }

  /** Sorts what was written into streams and mailboxes, where enough has gathered; see settle.ts. */
  settleDue(): Promise<void> {
    return this.#settler.settleDue(this.#heads());
  }

  /** The same with everything there is. */
  settleAll(): Promise<void> {
    return this.#settler.settleAll(this.#heads());
  }

  #heads() {
    return { head: this.#head, message: this.#message, mail: this.#mail };
  }

  async #write({ messages, mail, entries, keys }: AppendedRows): Promise<void> {
    const statements = this.#statements;
    await statements.messages.insert(messages);
    await statements.entries.insertNumbered(entries, this.#head);
    this.#head += entries.length;
    await statements.mail.insertNumbered(mail, this.#mail);
    this.#mail += mail.length;
    await statements.keys.insert(keys);
  }
}
