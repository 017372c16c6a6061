import type { Units } from '../../core/index.ts';
import { invalidText } from '../../core/journal/index.ts';
import { isStorable, Problem } from '../../kit/index.ts';
import type { Connection, Fault } from './dialect/connection.ts';
import type { Ledger, ToldEntry } from './ledger.ts';
import { conflict, storeUnavailable } from './problems.ts';
import { callUnits } from './units/calls.ts';
import type { UnitContext, UnitHandler } from './units/context.ts';
import { clusterUnits } from './units/cluster.ts';
import { directoryUnits } from './units/directory.ts';
import { conversationUnits, presenceUnits } from './units/others.ts';
import { type AppendUnit, failureOf, type Outcome, type Unit } from './wire.ts';

/**
 * How often a group is tried that other nodes are in the way of; then its askers are told to try again.
 * @peer `store-unavailable`
 * @test store-postgres-nodes: a deadlock with somebody else
 */
const MAX_ATTEMPTS = 8;

type PlainUnits = Omit<Units, 'conversations.append'>;
type PlainUnit = Exclude<Unit, AppendUnit>;

const HANDLERS: { readonly [K in keyof PlainUnits]: UnitHandler<K> } = {
  ...clusterUnits,
  ...directoryUnits,
  ...presenceUnits,
  ...conversationUnits,
  ...callUnits,
};

/** Applies groups of units. */
export class Writer {
  readonly #connection: Connection;
  readonly #ledger: Ledger;

  constructor(connection: Connection, ledger: Ledger) {
    this.#connection = connection;
    this.#ledger = ledger;
  }

  /**
   * Applies `units` in one transaction; when it resolves they are durable. A unit that fails its checks fails alone.
   * Throws where the database can't be trusted any more.
   */
  async commit(units: readonly Unit[], now: number): Promise<Outcome[]> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#attempt(units, { now, isCareful: false });
      } catch (error) {
        const fault = await this.#undo(error);
        if (fault === 'clash' && attempt < MAX_ATTEMPTS) continue;
        if (fault === 'clash' || fault === 'trouble') return units.map(() => unavailable(error));
        break;
      }
    // A row of some append was refused, or can't be stored at all, which no check had foreseen: find out whose, one by one.
    try {
      return await this.#attempt(units, { now, isCareful: true });
    } catch (error) {
      await this.#undo(error);
      return units.map(() => unavailable(error));
    }
  }

  async #undo(error: unknown): Promise<Fault> {
    const fault = this.#connection.faultOf(error);
    if (fault === 'broken') throw error;
    await this.#ledger.rollback();
    return fault;
  }

  async #attempt(
    units: readonly Unit[],
    how: { readonly now: number; readonly isCareful: boolean },
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    await this.#ledger.begin(units, how.now);
    for (let i = 0; i < units.length;) {
      const run = how.isCareful ? [] : appendsFrom(units, i);
      if (run.length > 0) outcomes.push(...(await this.#ledger.append(run, how.now)));
      else outcomes.push(await this.#alone(units[i], how.now));
      i += Math.max(1, run.length);
    }
    await this.#ledger.commit();
    return outcomes;
  }

  /**
   * One unit between savepoints: what it throws concerns itself alone. What the database refuses is tried once more: another
   * node may have come between a check and its write, and then the check says it better.
   */
  async #alone(unit: Unit | undefined, now: number, isRepeat = false): Promise<Outcome> {
    if (unit === undefined) throw new Error('a group has holes');
    await this.#connection.savepoint();
    try {
      const outcome =
        unit.kind === 'conversations.append' ? await this.#appendAlone(unit, now) : await this.#run(unit, now);
      await this.#connection.release();
      return outcome;
    } catch (error) {
      const fault = this.#connection.faultOf(error);
      if (fault !== 'refusal' && fault !== 'foreign') throw error;
      await this.#connection.rollbackToSavepoint();
      // Checks come before any number is given; whatever else fails may have taken some.
      if (!(error instanceof Problem)) await this.#ledger.reload();
      if (fault === 'refusal' && !isRepeat) return this.#alone(unit, now, true);
      return { is: 'failed', failure: failureOf(fault === 'refusal' ? conflict(error) : error) };
    }
  }

  async #appendAlone(unit: AppendUnit, now: number): Promise<Outcome> {
    const [outcome] = await this.#ledger.append([unit], now);
    if (outcome === undefined) throw new Error('an append without outcome');
    return outcome;
  }

  async #run<K extends PlainUnit['kind']>(
    unit: { readonly kind: K; readonly input: PlainUnits[K]['input'] },
    now: number,
  ): Promise<Outcome> {
    requireStorable(unit.input);
    const told: ToldEntry[] = [];
    const ledger = this.#ledger;
    const context: UnitContext = {
      db: this.#connection.db,
      streams: ledger.streams,
      standingOf: (id) => ledger.standingOf(id),
      head: () => ledger.head(),
      time: () => ledger.time(),
      tell: (stream, event) => void told.push({ stream, event }),
    };
    const handler: UnitHandler<K> = HANDLERS[unit.kind];
    const output = await handler(context, unit.input);
    return { is: 'applied', output, entries: told.length === 0 ? [] : await ledger.tell(told, now) };
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

function unavailable(error: unknown): Outcome {
  return { is: 'failed', failure: failureOf(storeUnavailable(error instanceof Error ? error.message : String(error))) };
}

/** Looks at every text of a unit. @throws invalid-text */
function requireStorable(input: unknown, name = 'text'): void {
  if (typeof input === 'string' && !isStorable(input)) throw invalidText(name);
  if (typeof input !== 'object' || input === null) return;
  for (const [member, value] of Object.entries(input)) requireStorable(value, Array.isArray(input) ? name : member);
}
