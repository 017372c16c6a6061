import { type Clock, Lru } from '../../kit/index.ts';
import { idempotencyConflict, invalidIdempotencyKey } from './errors.ts';
import { IDEMPOTENCY_MS, MAX_IDEMPOTENCY_KEYS, MAX_IDEMPOTENCY_KEY_CHARS } from './limits.ts';

/** One use of an idempotency key. */
export interface OnceAsk<T> {
  /** Who asks, and which command. */
  readonly scope: string;
  readonly key: string | null;
  /** What is asked; the same key with another body is a conflict. */
  readonly body: string;
  readonly work: () => Promise<T>;
}

/**
 * Commands that are applied once per key. A repeat gets the first one's result, also while that is still under way; a command
 * that failed had no effect and may be tried again.
 *
 * Keys are kept in memory: they end with the process and count per node. A command repeated after a restart is applied again.
 */
export interface Once {
  run<T>(ask: OnceAsk<T>): Promise<T>;
}

interface Kept {
  readonly body: string;
  readonly result: Promise<unknown>;
  readonly until: number;
}

export function createOnce(clock: Clock, limit = MAX_IDEMPOTENCY_KEYS): Once {
  const kept = new Lru<string, Kept>(limit);
  return {
    async run<T>(ask: OnceAsk<T>): Promise<T> {
      if (ask.key === null) return ask.work();
      if (ask.key === '' || ask.key.length > MAX_IDEMPOTENCY_KEY_CHARS) throw invalidIdempotencyKey();
      const name = `${ask.scope}\n${ask.key}`;
      const known = kept.get(name);
      if (known !== undefined && known.until > clock.now()) {
        if (known.body !== ask.body) throw idempotencyConflict();
        return known.result as Promise<T>;
      }
      const result = ask.work();
      const entry: Kept = { body: ask.body, result, until: clock.now() + IDEMPOTENCY_MS };
      kept.set(name, entry);
      try {
        return await result;
      } catch (error) {
        if (kept.get(name) === entry) kept.delete(name);
        throw error;
      }
    },
  };
}
