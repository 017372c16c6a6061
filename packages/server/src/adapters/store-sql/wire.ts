import type { DurableEvent, Queries, Units } from '../../core/index.ts';
import type { Position, StreamId } from '../../core/journal/index.ts';
import { Problem, reasonOf } from '../../kit/index.ts';

/** A unit of work on its way to the writer. */
export type Unit = { [K in keyof Units]: { readonly kind: K; readonly input: Units[K]['input'] } }[keyof Units];
export type Query = { [K in keyof Queries]: { readonly kind: K; readonly input: Queries[K]['input'] } }[keyof Queries];
export type AppendUnit = Extract<Unit, { kind: 'conversations.append' }>;

export interface ProblemWords {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
  readonly subject: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Why something failed: an expected problem, or a defect of ours. */
export type Failure = { readonly problem: ProblemWords } | { readonly defect: string };

export interface WrittenEntry {
  readonly position: Position;
  readonly stream: StreamId;
  readonly event: DurableEvent;
}

/**
 * What became of one unit. `appended` is short because the asker still holds the message: its entries follow from `position`,
 * null where they get theirs later.
 */
export type Outcome =
  | { readonly is: 'appended'; readonly seq: number; readonly position: Position | null }
  | { readonly is: 'applied'; readonly output: unknown; readonly entries: readonly WrittenEntry[] }
  | { readonly is: 'failed'; readonly failure: Failure };

export type WriterAsk =
  | { readonly do: 'units'; readonly now: number; readonly units: readonly Unit[] }
  | { readonly do: 'sweep'; readonly now: number }
  | { readonly do: 'close' };

export type WriterReply =
  | { readonly is: 'open'; readonly epoch: string; readonly head: Position; readonly oldest: Position }
  /** Outcomes of the units sent, in their order. */
  | { readonly is: 'committed'; readonly outcomes: readonly Outcome[] }
  | { readonly is: 'swept'; readonly oldest: Position; readonly isMore: boolean }
  /** Housekeeping failed; what was written stands. */
  | { readonly is: 'untidy'; readonly failure: Failure }
  | { readonly is: 'closed' }
  | { readonly is: 'refused'; readonly failure: Failure };

/** Where the journal begins and ends. */
export interface Bounds {
  readonly head: Position;
  readonly oldest: Position;
}

export interface RangeAsk {
  readonly streams: readonly StreamId[];
  readonly after: Position;
  readonly until: Position;
  readonly limit: number;
}

export type ReaderQuestion =
  | { readonly ask: 'query'; readonly query: Query }
  | { readonly ask: 'range'; readonly range: RangeAsk }
  | { readonly ask: 'tail'; readonly after: Position; readonly limit: number }
  | { readonly ask: 'bounds' };

export type ReaderAsk =
  { readonly do: 'ask'; readonly id: number; readonly question: ReaderQuestion } | { readonly do: 'close' };

export type ReaderReply =
  | { readonly is: 'open' }
  | { readonly is: 'answer'; readonly id: number; readonly output: unknown }
  | { readonly is: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly is: 'closed' }
  | { readonly is: 'refused'; readonly failure: Failure };

/** What a worker is started with. */
export type WorkerPart =
  | {
      readonly part: 'writer';
      readonly file: string;
      /** Used where a new epoch is needed. */
      readonly freshEpoch: string;
      readonly retentionMs: number;
      readonly settleAfter: number;
    }
  | { readonly part: 'reader'; readonly file: string };

/** The catalogue ties `input` to `kind`; the compiler can't follow that through a union. */
export function unitOf<K extends keyof Units>(kind: K, input: Units[K]['input']): Unit {
  return { kind, input } as Unit;
}

export function queryOf<K extends keyof Queries>(kind: K, input: Queries[K]['input']): Query {
  return { kind, input } as Query;
}

/** What a worker of ours says was the answer to a question of this kind. */
export function answerOf<T>(output: unknown): T {
  return output as T;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Problem))
    return { defect: error instanceof Error ? (error.stack ?? error.message) : reasonOf(error) };
  const { code, message, retry, subject, retryAfterMs } = error;
  return { problem: { code, message, retry, subject, retryAfterMs } };
}

export function errorOf(failure: Failure): Error {
  if ('defect' in failure) return new Error(`the store failed: ${failure.defect}`);
  const { code, message, retry, subject, retryAfterMs } = failure.problem;
  return new Problem(code, message, {
    retry,
    ...(subject === undefined ? {} : { subject }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
