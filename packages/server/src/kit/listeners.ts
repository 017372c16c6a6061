import { Roster } from './roster.ts';

/** Stops what `subscribe` and the like have started. Idempotent. */
export type Stop = () => void;

/** Listeners of one kind, in no order. A listener added or removed while one is called takes effect with the next `emit`. */
export class Listeners<T> {
  readonly #roster = new Roster<(value: T) => void>();

  get size(): number {
    return this.#roster.size;
  }

  add(listener: (value: T) => void): Stop {
    return this.#roster.add(listener);
  }

  emit(value: T): void {
    for (const listener of this.#roster.all()) listener(value);
  }
}
