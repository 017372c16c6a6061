import { MAX_LIVE } from '../../core/calls/index.ts';
import { type Clock, type Ids, Lru } from '../../kit/index.ts';

/**
 * Names of calls held at once: an engine that only announces never says when a call is over.
 * @peer the oldest announcement can no longer be steered
 * @test engine-elected/refs: names that are held
 */
export const MAX_REFS = 2 * MAX_LIVE;

/** Names of calls that are good on every node and never come again, for those that one engine gives. */
export class Refs {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #outer: Lru<string, string>;
  readonly #inner: Lru<string, string>;

  constructor(clock: Clock, ids: Ids, limit = MAX_REFS) {
    this.#outer = new Lru(limit);
    this.#inner = new Lru(limit);
    this.#clock = clock;
    this.#ids = ids;
  }

  outer(inner: string): string {
    const known = this.#outer.get(inner);
    if (known !== undefined) return known;
    const made = this.#ids.sortable(this.#clock.now());
    this.#outer.set(inner, made);
    this.#inner.set(made, inner);
    return made;
  }

  /** Undefined: no call of this engine has this name. */
  inner(outer: string): string | undefined {
    return this.#inner.get(outer);
  }

  /** The call is over. */
  forget(inner: string): void {
    const outer = this.#outer.get(inner);
    this.#outer.delete(inner);
    if (outer !== undefined) this.#inner.delete(outer);
  }
}
