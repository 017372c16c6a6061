import type { Duplex } from 'node:stream';
import { MAX_BYTES_BEFORE_LOGIN, MAX_MESSAGE_BEFORE_LOGIN_BYTES } from '../wire/bounds.ts';
import { MAX_FRAMES_BEFORE_LOGIN } from './limits.ts';

/** Header of a frame, and what else of the next frame came in the same chunk. */
const FRAME_SLACK_BYTES = 64;

/** Watches what a peer sends before he has logged in: bytes in all, bytes of a message that is not finished, frames. */
export class StrangerWatch {
  readonly #stream: Duplex;
  readonly #exceeded: (what: string) => void;
  #bytes = 0;
  #unfinishedBytes = 0;
  #frames = 0;
  #framesAtLastChunk = 0;
  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    // The WebSocket's own listener came first: what a chunk completed has been counted in `frames`.
    this.#unfinishedBytes = this.#frames > this.#framesAtLastChunk ? 0 : this.#unfinishedBytes + chunk.length;
    this.#framesAtLastChunk = this.#frames;
    const isTooLong = this.#unfinishedBytes > MAX_MESSAGE_BEFORE_LOGIN_BYTES + FRAME_SLACK_BYTES;
    if (this.#bytes > MAX_BYTES_BEFORE_LOGIN || isTooLong) this.#exceeded('too many bytes before the login');
  };

  /** @param exceeded is called for everything over the bounds: end the watch, and the connection. */
  constructor(stream: Duplex, exceeded: (what: string) => void) {
    this.#stream = stream;
    this.#exceeded = exceeded;
    stream.on('data', this.#onData);
  }

  /** A text, binary, ping or pong frame has come. */
  frame(): void {
    if (++this.#frames > MAX_FRAMES_BEFORE_LOGIN) this.#exceeded('too many frames before the login');
  }

  end(): void {
    this.#stream.off('data', this.#onData);
  }
}
