import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_FRAMES_PER_TURN, MAX_INPUT_MARGIN_BYTES, PAUSE_INPUT_AT_BYTES } from './limits.ts';
import type { SockJsConnection } from './sockjs/index.ts';
import { type Decoded, FrameDecoder, type FrameLimits, type StompVersion } from './stomp/index.ts';

export interface FrameInputParts {
  readonly connection: Pick<SockJsConnection, 'pause' | 'resume'>;
  readonly limits: FrameLimits;
  /** Largest message of the carrier. */
  readonly maxMessageBytes: number;
  readonly isOver: () => boolean;
  /** A promise where the next frame has to wait. */
  readonly handle: (decoded: Decoded) => Promise<void> | void;
  /** More has come than may wait. */
  readonly overflow: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * What comes from one peer, frame after frame: the next is read when the last was handled. Meanwhile the peer is held back, and
 * what was under way already has a bound.
 */
export class FrameInput {
  readonly #parts: FrameInputParts;
  readonly #decoder: FrameDecoder;
  #isRunning = false;
  #isPaused = false;
  /** Frames, over all runs: where nothing waits, each message of a carrier is a run of its own. */
  #handled = 0;

  constructor(parts: FrameInputParts) {
    this.#parts = parts;
    this.#decoder = new FrameDecoder(parts.limits);
  }

  set version(version: StompVersion) {
    this.#decoder.version = version;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  feed(data: string | Buffer): void {
    this.#decoder.feed(data);
    if (!this.#isRunning) void this.#run();
    else if (this.#decoder.pendingBytes > PAUSE_INPUT_AT_BYTES) this.#holdBack();
  }

  #holdBack(): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#parts.connection.pause();
    }
    if (this.#decoder.pendingBytes > this.#parts.maxMessageBytes + MAX_INPUT_MARGIN_BYTES) this.#parts.overflow();
  }

  /** Until what has come is used up. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (!this.#parts.isOver()) {
        const next = this.#decoder.next();
        if (next === undefined) break;
        const done = this.#parts.handle(next);
        if (done !== undefined) await done;
        if (++this.#handled % MAX_FRAMES_PER_TURN === 0) await nextTurn();
      }
    } catch (error) {
      this.#parts.failed(error);
    } finally {
      this.#isRunning = false;
    }
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#parts.connection.resume();
  }
}
