import { SipError } from '../transactions/errors.ts';

/**
 * Ten thousand calls in progress with two legs each, and as many subscriptions; far beyond one machine's phones.
 * @peer 503
 * @test dialog: the table is bounded
 */
export const MAX_DIALOGS = 100_000;

/** All dialogs of an agent by their id; bounded. */
export class DialogTable<T> {
  readonly #users = new Map<string, T>();
  readonly #max: number;

  constructor(max: number = MAX_DIALOGS) {
    this.#max = max;
  }

  get size(): number {
    return this.#users.size;
  }

  get isFull(): boolean {
    return this.#users.size >= this.#max;
  }

  /** Throws `too-many-dialogs`. */
  add(id: string, user: T): void {
    if (this.isFull && !this.#users.has(id)) throw new SipError('too-many-dialogs', `${this.#max} dialogs are open`);
    this.#users.set(id, user);
  }

  find(id: string): T | undefined {
    return this.#users.get(id);
  }

  /** Only where it is still this user's. */
  remove(id: string, user: T): void {
    if (this.#users.get(id) === user) this.#users.delete(id);
  }

  values(): IterableIterator<T> {
    return this.#users.values();
  }
}
