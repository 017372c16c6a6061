/** Something with output that waits for the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/**
 * Joins what many connections send in one turn: each is flushed once, when the turn is over. `defer` is `setImmediate`,
 * which comes after all sockets that were readable in this turn, and before the next wait.
 */
export class TurnEnd {
  readonly #defer: (run: () => void) => void;
  #waiting: Flushable[] = [];

  constructor(defer: (run: () => void) => void = setImmediate) {
    this.#defer = defer;
  }

  /** The caller asks once per turn. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#waiting.length === 1) this.#defer(() => this.#run());
  }

  #run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushable of waiting) flushable.flush();
  }
}
