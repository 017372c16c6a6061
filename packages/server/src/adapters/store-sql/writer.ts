import type { Units } from '../../core/index.ts';
import type { Position } from '../../core/journal/index.ts';
import { Problem } from '../../kit/index.ts';
import type { BatchInsert } from './batches.ts';
import type { Connection } from './dialect/connection.ts';
import { entryRow, headOf } from './journal-rows.ts';
import { conflict, storeUnavailable } from './problems.ts';
import type { Tables } from './schema.ts';
import { Appender, type Counters } from './units/append.ts';
import { compileAppend, compileEntries } from './units/append-statements.ts';
import { callUnits, conversationUnits, presenceUnits } from './units/others.ts';
import type { UnitContext, UnitHandler } from './units/context.ts';
import { directoryUnits } from './units/directory.ts';
import { type AppendUnit, failureOf, type Outcome, type Unit, type WrittenEntry } from './wire.ts';

type PlainUnits = Omit<Units, 'conversations.append'>;
type PlainUnit = Exclude<Unit, AppendUnit>;

const HANDLERS: { readonly [K in keyof PlainUnits]: UnitHandler<K> } = {
  ...directoryUnits,
  ...presenceUnits,
  ...conversationUnits,
  ...callUnits,
};

/** Applies groups of units. The only writer of its database: positions and other numbers are given from memory. */
export class Writer {
  readonly #connection: Connection;
  readonly #counters: Counters = { head: 0, mailbox: 0 };
  readonly #entries: BatchInsert<Tables['entries']>;
  readonly #appender: Appender;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#entries = compileEntries(connection.db);
    this.#appender = new Appender(compileAppend(connection.db, this.#entries), this.#counters);
  }

  static async open(connection: Connection): Promise<Writer> {
    const writer = new Writer(connection);
    await writer.#load();
    return writer;
  }

  /** The last position that is committed, between groups. */
  get head(): Position {
    return this.#counters.head;
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
      return { is: 'failed', failure: failureOf(isRefusal ? conflict(error) : error) };
    }
  }

  async #appendAlone(unit: AppendUnit, now: number): Promise<Outcome> {
    const { head, mailbox } = this.#counters;
    try {
      const [outcome] = await this.#appender.apply([unit], now);
      if (outcome === undefined) throw new Error('an append without outcome');
      return outcome;
    } catch (error) {
      Object.assign(this.#counters, { head, mailbox });
      this.#appender.reset();
      throw error;
    }
  }

  async #run<K extends PlainUnit['kind']>(
    unit: { readonly kind: K; readonly input: PlainUnits[K]['input'] },
    now: number,
  ): Promise<Outcome> {
    const entries: WrittenEntry[] = [];
    const first = this.#counters.head;
    const context: UnitContext = {
      db: this.#connection.db,
      now,
      get head() {
        return first + entries.length;
      },
      tell: (stream, event) => void entries.push({ position: first + entries.length + 1, stream, event }),
    };
    const handler: UnitHandler<K> = HANDLERS[unit.kind];
    const output = await handler(context, unit.input);
    await this.#entries.insert(entries.map((entry) => entryRow(entry, now)));
    this.#counters.head += entries.length;
    return { is: 'applied', output, entries };
  }

  /** Takes the numbers from the database: at the start, and after a rollback. */
  async #load(): Promise<void> {
    const { db } = this.#connection;
    const box = await db
      .selectFrom('mailbox')
      .select((e) => e.fn.max('id').as('id'))
      .executeTakeFirst();
    this.#counters.head = await headOf(db);
    this.#counters.mailbox = box?.id ?? 0;
    this.#appender.reset();
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
