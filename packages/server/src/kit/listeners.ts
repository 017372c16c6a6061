/** Stops what `subscribe` and the like have started. Idempotent. */
export type Stop = () => void;

/** A set of listeners of one kind. A listener added or removed while one is called takes effect with the next `emit`. */
export class Listeners<T> {
  #listeners: ReadonlySet<(value: T) => void> = new Set();

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (value: T) => void): Stop {
    const own = (value: T): void => listener(value);
    this.#listeners = new Set(this.#listeners).add(own);
    return () => {
      const next = new Set(this.#listeners);
      next.delete(own);
      this.#listeners = next;
    };
  }

  emit(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}
