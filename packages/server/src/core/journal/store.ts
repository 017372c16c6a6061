import { type Listeners, Problem } from '../../kit/index.ts';
import type { Position } from './position.ts';
import type { StreamId } from './streams.ts';

/** What a catalogue of units or queries says of each of its kinds. */
export type Catalogue<C> = { readonly [K in keyof C]: { readonly input: unknown; readonly output: unknown } };

/** A unit or a draft holds text that can't be stored: U+0000, or half a surrogate pair. */
export function invalidText(subject: string): Problem {
  return new Problem('invalid-text', 'The text holds a character that is none.', { subject });
}

/**
 * The store takes units of work: each is atomic, checked and applied inside the store, never an interactive transaction.
 *
 * `write` resolves after the unit is durable (at the disk, or at the database's commit), and rejects with a `Problem` where a
 * check of the unit failed (then nothing of it is applied; units of the same group are not affected) or `store-unavailable`
 * (then it is unknown whether the unit was applied: the asker repeats it with its idempotency key). Units of one caller apply
 * in the order of their calls. A unit whose texts can't be stored (kit/text.ts) fails with `invalid-text`.
 *
 * `read` sees at least everything whose `write` resolved before the call.
 */
export interface Store<U extends Catalogue<U>, Q extends Catalogue<Q>> {
  write<K extends keyof U & string>(kind: K, input: U[K]['input']): Promise<U[K]['output']>;
  read<K extends keyof Q & string>(kind: K, input: Q[K]['input']): Promise<Q[K]['output']>;
}

/** What stands at one position of the journal. `event` is shared by all its readers: never changed. */
export interface JournalEntry<E> {
  readonly position: Position;
  readonly stream: StreamId;
  readonly event: E;
}

/** Entries at consecutive positions, all of one commit group or one range. Never empty. */
export interface JournalBatch<E> {
  readonly first: Position;
  readonly last: Position;
  readonly entries: readonly JournalEntry<E>[];
}

/** What `range` found. `scannedTo` is the position up to which nothing of the asked streams is missing from `entries`. */
export interface JournalRange<E> {
  readonly entries: readonly JournalEntry<E>[];
  readonly scannedTo: Position;
}

/**
 * Everything durable that anybody must be told, in one order.
 * Truth and order are here; `batches` (the bell) may lose, repeat and reorder.
 */
export interface Journal<E> {
  /** Changes whenever positions could mean something else: another store, a restored backup. */
  readonly epoch: string;
  /** The last assigned position. */
  head(): Promise<Position>;
  /** The oldest position that still stands; older resume points get `resync`. */
  oldest(): Promise<Position>;
  /** Entries of `streams` after `after`, in order, at most `limit`; never past `until`. @throws resync where some are gone. */
  range(ask: {
    readonly streams: readonly StreamId[];
    readonly after: Position;
    readonly until: Position;
    readonly limit: number;
  }): Promise<JournalRange<E>>;
  /** All entries after `after`, of every stream, in order: what a node reads to fill a gap. @throws resync, likewise. */
  tail(ask: { readonly after: Position; readonly limit: number }): Promise<readonly JournalEntry<E>[]>;
}

/** Lossy publication between nodes: may drop, repeat and reorder. Every node hears itself, at once. */
export interface Bell<E> {
  ring(batch: JournalBatch<E>): void;
  readonly batches: Pick<Listeners<JournalBatch<E>>, 'add'>;
  /** Something was committed that has no position yet: for whoever gives positions (docs/decisions/08-sequencer.md). */
  stir(): void;
  readonly stirs: Pick<Listeners<null>, 'add'>;
}
