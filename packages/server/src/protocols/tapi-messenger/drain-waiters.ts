/** Who of one session waits until the peer has taken what waits for it. However often, the connection is asked once. */
export class DrainWaiters {
  readonly #drained: () => Promise<void>;
  #waiting = new Set<() => void>();
  #isAsked = false;
  #isOver = false;

  constructor(drained: () => Promise<void>) {
    this.#drained = drained;
  }

  /** The same `run` is called once. */
  add(run: () => void): void {
    this.#waiting.add(run);
    if (this.#isAsked) return;
    this.#isAsked = true;
    void this.#drained().then(() => this.#tell());
  }

  /** The session has ended: nobody is told any more. */
  close(): void {
    this.#isOver = true;
    this.#waiting.clear();
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    this.#isAsked = false;
    for (const run of waiting) if (!this.#isOver) run();
  }
}
