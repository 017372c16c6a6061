import type { DurableEvent } from '../../core/index.ts';
import type { ConversationId, Position, StreamId } from '../../core/journal/index.ts';
import type { AppendUnit, Outcome, Unit, WrittenEntry } from './wire.ts';

/** Where a conversation stands. */
export interface Standing {
  readonly num: number;
  seq: number;
}

/** The numbers of streams; new ones get theirs. */
export interface StreamNumbers {
  numbersOf(ids: Iterable<StreamId>): Promise<ReadonlyMap<StreamId, number>>;
  numberOf(id: StreamId): Promise<number>;
}

/** An entry that a unit has told. */
export interface ToldEntry {
  readonly stream: StreamId;
  readonly event: DurableEvent;
}

/**
 * What the writer does differently on the databases: who gives the numbers, and when rows get to their places.
 * `begin` opens the transaction of a group, `commit` or `rollback` ends it. `now` is the asker's clock.
 */
export interface Ledger {
  readonly streams: StreamNumbers;
  /** Where a conversation stands, null where nothing was ever said. */
  standingOf(id: ConversationId): Promise<Standing | null>;
  /** A position that everything told from now on comes after. */
  head(): Promise<Position>;
  /** The store's clock, the same for all nodes, in milliseconds. */
  time(): Promise<number>;
  begin(units: readonly Unit[], now: number): Promise<void>;
  /** Applies a run of appends, all or none. Throws where the database refuses a row, at the latest with `commit` or a savepoint. */
  append(units: readonly AppendUnit[], now: number): Promise<Outcome[]>;
  /** Writes down what a unit has told. What has its position already is returned. */
  tell(told: readonly ToldEntry[], now: number): Promise<readonly WrittenEntry[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** After a rollback to the savepoint, when numbers may have been given. */
  reload(): Promise<void>;
}
