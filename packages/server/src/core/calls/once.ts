import { createHash } from 'node:crypto';
import type { NodeId } from '../cluster/index.ts';
import { type Clock, type Json, Problem, reasonOf } from '../../kit/index.ts';
import type { Store } from '../journal/index.ts';
import { idempotencyConflict, invalidIdempotencyKey, outcomeUnknown } from './errors.ts';
import { LOOK_AGAIN_MS, MAX_IDEMPOTENCY_KEY_CHARS, UNDER_WAY_MS } from './limits.ts';
import type { CallLog } from './log.ts';
import type { CallQueries, CallUnits } from './ports.ts';

/** One use of an idempotency key. */
export interface OnceAsk<T extends Json> {
  /** Who asks, and which command. */
  readonly scope: string;
  readonly key: string | null;
  /** What is asked; the same key with another body is a conflict. */
  readonly body: string;
  readonly work: () => Promise<T>;
}

/**
 * Commands that are applied at most once per key, for 24 h and on all nodes. A repeat gets the first one's result, also while that
 * is still under way; a command that failed had no effect and may be tried again. Where it can't be known whether there
 * was one (its node died, or the one that it asked), every repeat is told just that.
 * @throws what the work throws | invalid-idempotency-key | idempotency-conflict | outcome-unknown | store-unavailable
 */
export interface Once {
  run<T extends Json>(ask: OnceAsk<T>): Promise<T>;
}

export interface OnceParts {
  readonly store: Store<CallUnits, CallQueries>;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly log: CallLog;
}

interface UnderWay {
  readonly hash: string;
  readonly result: Promise<Json>;
}

/** What stands in the store of a command that was done; one whose effect is not known says so. */
type Outcome = { readonly done: Json } | { readonly done?: undefined };

export function createOnce({ store, node, clock, log }: OnceParts): Once {
  const underWay = new Map<string, UnderWay>();

  async function first(key: string, hash: string, work: () => Promise<Json>): Promise<Json> {
    for (const until = clock.now() + UNDER_WAY_MS; ;) {
      const known = await store.write('calls.claim', { key, hash, node });
      if (known === null) return attempt(key, work);
      const outcome = known.outcome === null ? {} : decode(known.outcome);
      if (outcome.done !== undefined) return outcome.done;
      if (!known.isUnderWay || clock.now() >= until) throw outcomeUnknown();
      await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
    }
  }

  async function attempt(key: string, work: () => Promise<Json>): Promise<Json> {
    try {
      const done = await work();
      await settle(key, { done });
      return done;
    } catch (error) {
      const isUnknown = !(error instanceof Problem) || error.code === 'outcome-unknown';
      await settle(key, isUnknown ? {} : null);
      throw error;
    }
  }

  /** The work is done whatever the store says now; a key that can't be settled counts as unknown. */
  async function settle(key: string, outcome: Outcome | null): Promise<void> {
    try {
      await store.write('calls.settle', { key, node, outcome: outcome === null ? null : JSON.stringify(outcome) });
    } catch (error) {
      log.warn('what came of a command was not written down', { reason: reasonOf(error) });
    }
  }

  return {
    async run<T extends Json>({ scope, key, body, work }: OnceAsk<T>): Promise<T> {
      if (key === null) return work();
      if (key === '' || key.length > MAX_IDEMPOTENCY_KEY_CHARS) throw invalidIdempotencyKey();
      const name = `${scope} ${key}`;
      const hash = createHash('sha256').update(body).digest('base64');
      const known = underWay.get(name);
      if (known !== undefined && known.hash !== hash) throw idempotencyConflict();
      const result = known?.result ?? first(name, hash, work).finally(() => underWay.delete(name));
      if (known === undefined) underWay.set(name, { hash, result });
      return (await result) as T;
    },
  };
}

function decode(text: string): Outcome {
  return JSON.parse(text) as Outcome;
}
