import type { DurableEvent, Units } from '../../core/index.ts';
import type { Position, StreamId } from '../../core/journal/index.ts';
import { Problem } from '../../kit/index.ts';
import { ConversationStandings } from './conversations.ts';
import type { Connection } from './dialect/connection.ts';
import { entryRow, headOf } from './journal-rows.ts';
import { conflict, storeUnavailable } from './problems.ts';
import { settledOf, Settler } from './settle.ts';
import { numberIn, Streams } from './streams.ts';
import { Appender, type Counters } from './units/append.ts';
import { type AppendStatements, compileAppend } from './units/append-statements.ts';
import type { UnitContext, UnitHandler } from './units/context.ts';
import { clusterUnits } from './units/cluster.ts';
import { directoryUnits } from './units/directory.ts';
import { callUnits, conversationUnits, presenceUnits } from './units/others.ts';
import { type AppendUnit, failureOf, type Outcome, type Unit, type WrittenEntry } from './wire.ts';

type PlainUnits = Omit<Units, 'conversations.append'>;
type PlainUnit = Exclude<Unit, AppendUnit>;

const HANDLERS: { readonly [K in keyof PlainUnits]: UnitHandler<K> } = {
  ...clusterUnits,
  ...directoryUnits,
  ...presenceUnits,
  ...conversationUnits,
  ...callUnits,
};

/** Applies groups of units. The only writer of its database: positions and other numbers are given from memory. */
export class Writer {
  readonly #connection: Connection;
  readonly #counters: Counters = { head: 0, message: 0, mail: 0 };
  readonly #conversations: ConversationStandings;
  readonly #streams: Streams;
  readonly #settler: Settler;
  readonly #statements: AppendStatements;
  readonly #appender: Appender;

  private constructor(connection: Connection, settleAfter: number) {
    this.#connection = connection;
    this.#conversations = new ConversationStandings(connection.db);
    this.#streams = new Streams(connection.db);
    this.#settler = new Settler(connection, this.#conversations, settleAfter);
    this.#statements = compileAppend(connection.db);
    this.#appender = new Appender({
      statements: this.#statements,
      counters: this.#counters,
      conversations: this.#conversations,
      streams: this.#streams,
    });
  }

  static async open(connection: Connection, settleAfter: number): Promise<Writer> {
    const writer = new Writer(connection, settleAfter);
    await writer.#load();
    await writer.#settler.load();
    return writer;
  }

  /** The last position that is committed, between groups. */
  get head(): Position {
    return this.#counters.head;
  }

  /** Sorts what was written into streams and mailboxes, where enough has gathered; see settle.ts. */
  settleDue(): Promise<void> {
    return this.#settler.settleDue({ ...this.#counters });
  }

  /** The same with everything there is. */
  settleAll(): Promise<void> {
    return this.#settler.settleAll({ ...this.#counters });
  }

  /**
   * Applies `units` in one transaction; when it resolves they are durable. A unit that fails its checks fails alone.
   * Throws where the database can't be trusted any more.
   */
  async commit(units: readonly Unit[], now: number): Promise<Outcome[]> {
    try {
      return await this.#attempt(units, { now, isCareful: false });
    } catch (error) {
      await this.#undo(error);
      if (isDatabaseError(error) && !this.#connection.isRefusal(error)) return units.map(() => unavailable(error));
    }
    // A row of some append was refused, or can't be stored at all, which no check had foreseen: find out whose, one by one.
    try {
      return await this.#attempt(units, { now, isCareful: true });
    } catch (error) {
      await this.#undo(error);
      return units.map(() => unavailable(error));
    }
  }

  async #undo(error: unknown): Promise<void> {
    if (this.#connection.isBroken(error)) throw error;
    await this.#connection.rollback();
    await this.#load();
  }

  async #attempt(
    units: readonly Unit[],
    how: { readonly now: number; readonly isCareful: boolean },
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    await this.#connection.begin();
    for (let i = 0; i < units.length;) {
      const run = how.isCareful ? [] : appendsFrom(units, i);
      if (run.length > 0) outcomes.push(...(await this.#appender.apply(run, how.now)));
      else outcomes.push(await this.#alone(units[i], how.now));
      i += Math.max(1, run.length);
    }
    await this.#connection.commit();
    return outcomes;
  }

  /** One unit between savepoints: what it throws concerns itself alone. */
  async #alone(unit: Unit | undefined, now: number): Promise<Outcome> {
    if (unit === undefined) throw new Error('a group has holes');
    await this.#connection.savepoint();
    try {
      const outcome =
        unit.kind === 'conversations.append' ? await this.#appendAlone(unit, now) : await this.#run(unit, now);
      await this.#connection.release();
      return outcome;
    } catch (error) {
      const isRefusal = this.#connection.isRefusal(error);
      if (!(error instanceof Problem) && !isRefusal && isDatabaseError(error)) throw error;
      await this.#connection.rollbackToSavepoint();
      // Checks come before any number is given; whatever else fails may have taken some.
      if (!(error instanceof Problem)) await this.#load();
      return { is: 'failed', failure: failureOf(isRefusal ? conflict(error) : error) };
    }
  }

  async #appendAlone(unit: AppendUnit, now: number): Promise<Outcome> {
    const [outcome] = await this.#appender.apply([unit], now);
    if (outcome === undefined) throw new Error('an append without outcome');
    return outcome;
  }

  async #run<K extends PlainUnit['kind']>(
    unit: { readonly kind: K; readonly input: PlainUnits[K]['input'] },
    now: number,
  ): Promise<Outcome> {
    const told: { readonly stream: StreamId; readonly event: DurableEvent }[] = [];
    const first = this.#counters.head;
    const context: UnitContext = {
      db: this.#connection.db,
      conversations: this.#conversations,
      streams: this.#streams,
      now,
      get head() {
        return first + told.length;
      },
      tell: (stream, event) => void told.push({ stream, event }),
    };
    const handler: UnitHandler<K> = HANDLERS[unit.kind];
    const output = await handler(context, unit.input);
    if (told.length === 0) return { is: 'applied', output, entries: [] };
    const entries: WrittenEntry[] = told.map((entry, i) => ({ ...entry, position: first + 1 + i }));
    const numbers = await this.#streams.numbersOf(told.map(({ stream }) => stream));
    await this.#statements.entries.insert(
      entries.map(({ event, position, stream }) =>
        entryRow(event, { position, stream: numberIn(numbers, stream), at: now }),
      ),
    );
    this.#counters.head += entries.length;
    return { is: 'applied', output, entries };
  }

  /** Takes the numbers from the database: at the start, and after a rollback. */
  async #load(): Promise<void> {
    const { db } = this.#connection;
    const message = await db
      .selectFrom('messages')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    const mail = await db
      .selectFrom('mail_log')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    this.#counters.head = await headOf(db);
    this.#counters.message = message?.num ?? 0;
    this.#counters.mail = mail?.num ?? 0;
    await this.#streams.load();
    await this.#conversations.load((await settledOf(this.#connection)).message);
  }
}

function appendsFrom(units: readonly Unit[], from: number): AppendUnit[] {
  const run: AppendUnit[] = [];
  for (let i = from; i < units.length; i++) {
    const unit = units[i];
    if (unit?.kind !== 'conversations.append') break;
    run.push(unit);
  }
  return run;
}

function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error;
}

function unavailable(error: unknown): Outcome {
  return { is: 'failed', failure: failureOf(storeUnavailable(error instanceof Error ? error.message : String(error))) };
}
