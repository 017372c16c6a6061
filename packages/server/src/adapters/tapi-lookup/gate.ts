/** Lets so many works run at once; the others wait their turn, so many at most. What waits no longer than its signal. */
export class Gate {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await this.#turn(signal);
    this.#running++;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#running--;
      const [next] = this.#waiting;
      next?.();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#mostWaiting) throw new Error('too many lookups at once');
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = (): void => {
      this.#waiting.delete(go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    this.#waiting.add(go);
    signal.addEventListener('abort', go);
    await promise;
  }
}
