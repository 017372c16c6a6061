import type { Position } from '../../../core/journal/index.ts';
import { MAX_WAITING_FRAMES } from '../limits.ts';
import { type Frame, joinFrames, KEEP_ALIVE } from './frame.ts';

/** What the outbox needs of a response. What is written in one turn leaves in one go. */
export interface Writable {
  write(piece: Frame, done?: (error?: Error | null) => void): unknown;
}

export interface OutboxParts {
  readonly response: Writable;
  readonly atTurnEnd: (run: () => void) => void;
  readonly pauseAtBytes: number;
  readonly now: () => number;
  /** Everything up to this position has gone to the network. */
  readonly told: (position: Position) => void;
  /** There is room again after there was none. */
  readonly hasRoom: () => void;
  readonly failed: (error: unknown) => void;
}

/** What comes with a frame: its position in the journal, or somebody who waits to hear that it has gone. */
export interface Mark {
  readonly position?: Position;
  readonly gone?: (isSent: boolean) => void;
}

interface Waiting {
  frame: Frame | undefined;
  readonly mark: Mark;
}

const NO_MARK: Mark = {};

/**
 * The frames of one event stream, in order, one write a turn of the event loop. It counts what the network has not taken, and
 * says when that is too much; it never drops anything itself.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  #frames: Frame[] = [];
  #chars = 0;
  #position: Position | null = null;
  #gone: ((isSent: boolean) => void)[] = [];
  readonly #unsent = new Set<(isSent: boolean) => void>();
  #unsentBytes = 0;
  readonly #waiting: Waiting[] = [];
  #isAwaited = false;
  #wasFull = false;
  #isOpen = true;
  #progressAt: number;
  #writtenAt: number;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#progressAt = parts.now();
    this.#writtenAt = this.#progressAt;
  }

  /** False while the peer reads too slowly. Asking obliges to wait for `hasRoom`. */
  isReady(): boolean {
    const isReady = this.#hasRoom();
    if (!isReady) this.#wasFull = true;
    return isReady;
  }

  /** Frames keep the order of the calls, also where one is still being made. */
  push(frame: Frame | Promise<Frame>, mark: Mark = NO_MARK): void {
    if (!this.#isOpen) return mark.gone?.(false);
    const isMade = !(frame instanceof Promise);
    if (isMade && this.#waiting.length === 0) return this.#append(frame, mark);
    const waiting: Waiting = { frame: isMade ? frame : undefined, mark };
    this.#waiting.push(waiting);
    if (isMade) return;
    frame.then(
      (made) => {
        waiting.frame = made;
        this.#advance();
      },
      (error: unknown) => this.#parts.failed(error),
    );
  }

  /** What is held for the peer: in this outbox and in the socket. */
  get waitingBytes(): number {
    return this.#chars + this.#unsentBytes;
  }

  /** How long the network has taken nothing of what waits; 0 where nothing waits. */
  stuckMs(): number {
    return this.#unsentBytes === 0 ? 0 : this.#parts.now() - this.#progressAt;
  }

  /** A comment, where nothing was written for `ms` and nothing waits. */
  keepAlive(ms: number): void {
    const isQuiet = this.#unsentBytes === 0 && this.#chars === 0;
    if (isQuiet && this.#parts.now() - this.#writtenAt >= ms) this.#append(KEEP_ALIVE, NO_MARK);
  }

  /** Writes what has been gathered, now. */
  flush(): void {
    this.#isAwaited = false;
    if (!this.#isOpen || this.#frames.length === 0) return;
    const pieces = joinFrames(this.#frames);
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
    const position = this.#position;
    const gone = this.#gone;
    this.#frames = [];
    this.#chars = 0;
    this.#gone = [];
    for (const tell of gone) this.#unsent.add(tell);
    if (this.#unsentBytes === 0) this.#progressAt = this.#parts.now();
    this.#unsentBytes += bytes;
    this.#writtenAt = this.#parts.now();
    const last = pieces.length - 1;
    for (const [index, piece] of pieces.entries())
      if (index < last) this.#parts.response.write(piece);
      else this.#parts.response.write(piece, (error) => this.#taken({ bytes, position, gone, error }));
  }

  /** Nothing goes out any more; who waits is told that it has not gone. */
  close(): void {
    this.#isOpen = false;
    const lost = [...this.#unsent, ...this.#gone, ...this.#waiting.map(({ mark }) => mark.gone)];
    this.#unsent.clear();
    this.#gone = [];
    this.#frames = [];
    this.#waiting.length = 0;
    for (const tell of lost) tell?.(false);
  }

  #hasRoom(): boolean {
    return this.#waiting.length < MAX_WAITING_FRAMES && this.#chars + this.#unsentBytes < this.#parts.pauseAtBytes;
  }

  #append(frame: Frame, mark: Mark): void {
    this.#frames.push(frame);
    this.#chars += frame.text.length;
    if (mark.position !== undefined) this.#position = mark.position;
    if (mark.gone !== undefined) this.#gone.push(mark.gone);
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#parts.atTurnEnd(() => this.flush());
  }

  #advance(): void {
    for (let first = this.#waiting[0]; first?.frame !== undefined; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#append(first.frame, first.mark);
    }
    this.#offerRoom();
  }

  #taken(written: {
    readonly bytes: number;
    readonly position: Position | null;
    readonly gone: readonly ((isSent: boolean) => void)[];
    readonly error: Error | null | undefined;
  }): void {
    this.#unsentBytes -= written.bytes;
    this.#progressAt = this.#parts.now();
    if (!this.#isOpen) return;
    const isSent = written.error === undefined || written.error === null;
    if (isSent && written.position !== null) this.#parts.told(written.position);
    for (const tell of written.gone) if (this.#unsent.delete(tell)) tell(isSent);
    this.#offerRoom();
  }

  #offerRoom(): void {
    if (!this.#wasFull || !this.#hasRoom()) return;
    this.#wasFull = false;
    this.#parts.hasRoom();
  }
}
