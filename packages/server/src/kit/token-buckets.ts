import type { Clock } from './clock.ts';
import { Lru } from './lru.ts';

export interface BucketRate {
  /** Tokens a new bucket holds, and its most. */
  readonly burst: number;
  /** Milliseconds in which one token comes back. */
  readonly refillMs: number;
}

/**
 * Keys of one kind of bucket: addresses, or accounts of addresses.
 * @peer the least used become full again
 * @test kit: token buckets refill with time
 */
const MAX_KEYS = 100_000;

/** Token buckets by key. Keys are bounded: the least used are forgotten first, that is, become full again. */
export class TokenBuckets {
  readonly #clock: Clock;
  readonly #rate: BucketRate;
  readonly #buckets: Lru<string, { tokens: number; at: number }>;

  constructor(clock: Clock, rate: BucketRate, maxKeys = MAX_KEYS) {
    this.#clock = clock;
    this.#rate = rate;
    this.#buckets = new Lru(maxKeys);
  }

  /** Milliseconds until a token is there; 0 = there is one now. */
  waitMs(key: string): number {
    const { tokens } = this.#state(key);
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * this.#rate.refillMs);
  }

  /** Takes a token, also below zero no further than minus one burst. */
  take(key: string): void {
    const state = this.#state(key);
    this.#buckets.set(key, { tokens: Math.max(-this.#rate.burst, state.tokens - 1), at: this.#clock.now() });
  }

  /** Gives a token back that was taken for nothing. */
  give(key: string): void {
    const state = this.#state(key);
    this.#buckets.set(key, { tokens: Math.min(this.#rate.burst, state.tokens + 1), at: this.#clock.now() });
  }

  #state(key: string): { tokens: number; at: number } {
    const now = this.#clock.now();
    const known = this.#buckets.get(key);
    if (known === undefined) return { tokens: this.#rate.burst, at: now };
    return { tokens: Math.min(this.#rate.burst, known.tokens + (now - known.at) / this.#rate.refillMs), at: now };
  }
}
