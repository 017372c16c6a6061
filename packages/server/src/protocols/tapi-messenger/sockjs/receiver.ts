import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../../kit/index.ts';
import type { Framing } from './framing.ts';

export interface ReceiverParts {
  readonly res: ServerResponse;
  readonly framing: Framing;
  readonly headers: OutgoingHttpHeaders;
  readonly clock: Clock;
  readonly sendTimeLimitMs: number;
  /** The response broke before the peer had it whole. */
  readonly onAborted: () => void;
  readonly onProgress: () => void;
}

/** One response of a receiving transport. Streams: every frame is a chunk of its own. Polls: one frame is the whole body. */
export class Receiver {
  readonly #parts: ReceiverParts;
  #body = '';
  #writtenBytes = 0;
  #isOver = false;
  #isTaken = false;
  #endTimer: Timer | undefined;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    parts.res.once('finish', () => {
      this.#isTaken = true;
      this.#endTimer?.cancel();
    });
    parts.res.once('close', () => {
      this.#endTimer?.cancel();
      this.#isOver = true;
      if (!this.#isTaken) parts.onAborted();
    });
  }

  get kind(): Framing['kind'] {
    return this.#parts.framing.kind;
  }

  /** Octets written, the prelude not counted (TM SJ-35). */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get bufferedBytes(): number {
    return this.#parts.res.writableLength;
  }

  begin(): void {
    const { res, framing, headers } = this.#parts;
    if (framing.kind === 'polling') return;
    res.writeHead(200, { ...headers, 'Content-Type': framing.contentType });
    res.write(framing.prelude);
  }

  write(frame: string): void {
    if (this.#isOver) return;
    const text = this.#parts.framing.wrap(frame);
    if (this.kind === 'polling') {
      this.#body += text;
      return;
    }
    this.#writtenBytes += Buffer.byteLength(text);
    this.#parts.res.write(text, this.#parts.onProgress);
  }

  /** Ends it normally. A peer that doesn't take what is left in time is cut off (TM FM-11). */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { res, framing, headers, clock, sendTimeLimitMs } = this.#parts;
    this.#endTimer = clock.after(sendTimeLimitMs, () => res.destroy());
    if (framing.kind === 'streaming') {
      res.end();
      return;
    }
    const body = Buffer.from(this.#body);
    res.writeHead(200, { ...headers, 'Content-Type': framing.contentType, 'Content-Length': body.length });
    res.end(body);
  }

  /** Destroys it, without `onAborted`. */
  cut(): void {
    this.#isOver = true;
    this.#isTaken = true;
    this.#parts.res.destroy();
  }
}
