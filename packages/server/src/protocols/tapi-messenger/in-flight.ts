import type { Header } from './stomp/index.ts';
import { MAX_IN_FLIGHT, MAX_WAITING_RECEIPTS } from './limits.ts';

/** What became of a frame that may be refused. */
export interface Outcome {
  readonly isRefused: boolean;
  /** For its receipt. */
  readonly headers: readonly Header[];
}

/** Requests of one session that are under way side by side, and what is to follow them in order. */
export class InFlight {
  readonly #waiting: Promise<unknown>[] = [];
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  readonly #left = (): void => {
    void this.#waiting.shift();
    this.#count--;
  };
  readonly #ended = (): void => {
    this.#count--;
  };

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Must not reject. */
  add(work: Promise<unknown>): void {
    const last = this.isEmpty ? work : this.#last.then(() => work);
    this.#waiting.push(work);
    this.#count++;
    this.#last = last.then(this.#left);
  }

  /** Runs after everything added so far. Must not reject. */
  follow(run: () => Promise<void>): void {
    this.#count++;
    this.#last = this.#last.then(run).then(this.#ended);
  }

  get hasRoom(): boolean {
    const works = this.#waiting.length;
    return works < MAX_IN_FLIGHT && this.#count - works < MAX_WAITING_RECEIPTS;
  }

  /** Resolves when there is room for one more. */
  async room(): Promise<void> {
    while (!this.hasRoom) await (this.#waiting[0] ?? this.#last);
  }

  async settled(): Promise<void> {
    while (this.#count > 0) await this.#last;
  }
}
