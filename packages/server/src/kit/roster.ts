import type { Stop } from './listeners.ts';

/**
 * Members that come and go by the thousand, in no order. In place of a `Set`: each time a set has been deleted from often enough, it
 * leaves its table for a new one, and the old tables hold on to each other and to all who were in them until the next full
 * collection. What lived for a moment would grow old that way.
 */
export class Roster<T> {
  readonly #seats: Seat<T>[] = [];
  /** Those of the last `all`, as long as they are the same. */
  #all: readonly T[] | null = null;

  get size(): number {
    return this.#seats.length;
  }

  /** The member leaves when the result is called; idempotent. */
  add(member: T): Stop {
    const seat: Seat<T> = { member, at: this.#seats.length };
    this.#seats.push(seat);
    this.#all = null;
    return () => this.#leave(seat);
  }

  /** Those who are there now, whoever comes or goes meanwhile. */
  all(): readonly T[] {
    return (this.#all ??= this.#seats.map(({ member }) => member));
  }

  /** The last one takes the seat that is free. */
  #leave(seat: Seat<T>): void {
    if (seat.at < 0) return;
    this.#all = null;
    const last = this.#seats.pop();
    if (last !== undefined && last !== seat) {
      this.#seats[seat.at] = last;
      last.at = seat.at;
    }
    seat.at = -1;
  }
}

interface Seat<T> {
  readonly member: T;
  /** Negative: it has left. */
  at: number;
}
