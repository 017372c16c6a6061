import { MAX_REMEMBERED_ADDRESSES } from '../wire/bounds.ts';
import type { FailureRate } from './limits.ts';

/** Counts failures by key and forgives them one by one. Keys are bounded; the oldest are forgotten first. */
export class Failures {
  readonly #rate: FailureRate;
  readonly #counts = new Map<string, { count: number; atMs: number }>();

  constructor(rate: FailureRate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Milliseconds until another attempt is welcome; 0: now. */
  waitMs(key: string, nowMs: number): number {
    const excess = this.#countOf(key, nowMs) - this.#rate.burst + 1;
    return excess > 0 ? Math.ceil(excess * this.#rate.forgiveMs) : 0;
  }

  add(key: string, nowMs: number): void {
    // Never more than one above the burst, so that a flood does not lock a key for hours.
    const count = Math.min(this.#rate.burst, this.#countOf(key, nowMs)) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, { count, atMs: nowMs });
    if (this.#counts.size <= MAX_REMEMBERED_ADDRESSES) return;
    const oldest = this.#counts.keys().next();
    if (oldest.done !== true) this.#counts.delete(oldest.value);
  }

  #countOf(key: string, nowMs: number): number {
    const known = this.#counts.get(key);
    if (known === undefined) return 0;
    return Math.max(0, known.count - (nowMs - known.atMs) / this.#rate.forgiveMs);
  }
}
