import type { Clock, Timer } from '../../../kit/index.ts';

/** What `WriteWatch` asks of its connection. */
export interface WatchedWriter {
  readonly bufferedBytes: number;
  /** A write made no progress for the whole time limit (TM FM-11). */
  stalled(): void;
}

/** Watches that writes come through, and tells when all of them have. A timer once set runs out: most writes are through at once. */
export class WriteWatch {
  readonly #writer: WatchedWriter;
  readonly #clock: Clock;
  readonly #limitMs: number;
  #timer: Timer | undefined;
  #progressAt = 0;
  #isWaiting = false;
  #waiters: (() => void)[] = [];

  constructor(writer: WatchedWriter, clock: Clock, limitMs: number) {
    this.#writer = writer;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** After a write. */
  wrote(): void {
    if (this.#writer.bufferedBytes === 0) return this.#release();
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#progressAt = this.#clock.now();
    this.#timer ??= this.#clock.after(this.#limitMs, () => this.#look());
  }

  /** The operating system took a write. */
  readonly progress = (): void => {
    if (this.#writer.bufferedBytes === 0) this.#release();
    else this.#progressAt = this.#clock.now();
  };

  drained(): Promise<void> {
    if (this.#writer.bufferedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#release();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#writer.bufferedBytes === 0) return this.#release();
    const left = this.#progressAt + this.#limitMs - this.#clock.now();
    if (left <= 0) this.#writer.stalled();
    else this.#timer = this.#clock.after(left, () => this.#look());
  }

  #release(): void {
    this.#isWaiting = false;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
