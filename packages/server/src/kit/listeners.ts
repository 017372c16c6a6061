/** Stops what `subscribe` and the like have started. Idempotent. */
export type Stop = () => void;

/** A set of listeners of one kind. A listener added or removed while one is called takes effect with the next `emit`. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();
  /** Those of the last `emit`, as long as they are the same: thousands may come one by one. */
  #called: readonly ((value: T) => void)[] | null = null;

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (value: T) => void): Stop {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    this.#called = null;
    return () => {
      if (this.#listeners.delete(own)) this.#called = null;
    };
  }

  emit(value: T): void {
    this.#called ??= [...this.#listeners];
    for (const listener of this.#called) listener(value);
  }
}
