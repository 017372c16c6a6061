import type { Position } from '../../../core/journal/index.ts';
import { MAX_WAITING_FRAMES } from '../limits.ts';
import { type Frame, joinFrames, KEEP_ALIVE } from './frame.ts';

/** Whose outbox it is. */
export interface OutboxOwner {
  /** Gives a piece to the network. Without `done` more follows at once, and leaves together with this. */
  write(piece: Frame, done?: (error?: Error | null) => void): void;
  /** Everything up to this position has gone to the network. */
  told(position: Position): void;
  /** There is room again after there was none. */
  hasRoom(): void;
  failed(error: unknown): void;
}

/** What all outboxes share. */
export interface OutboxParts {
  readonly atTurnEnd: (run: () => void) => void;
  readonly pauseAtBytes: number;
  readonly now: () => number;
}

type Gone = (isSent: boolean) => void;

/** What comes with a frame: its position in the journal, or somebody who waits to hear that it has gone. */
export interface Mark {
  readonly position?: Position;
  readonly gone?: Gone;
}

interface Waiting {
  frame: Frame | undefined;
  readonly mark: Mark;
}

/** What one turn has given to the network, which takes such pieces in their order. */
interface Batch {
  readonly bytes: number;
  readonly position: Position | null;
  readonly gone: readonly Gone[] | null;
}

const NO_MARK: Mark = {};

/**
 * The frames of one event stream, in order, one write a turn of the event loop. It counts what the network has not taken, and
 * says when that is too much; it never drops anything itself.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #parts: OutboxParts;
  /** Gathered in this turn; null: nothing. Thousands of streams have nothing most of the time. */
  #frames: Frame[] | null = null;
  #chars = 0;
  #position: Position | null = null;
  #gone: Gone[] | null = null;
  #unsent: Batch[] | null = null;
  #unsentBytes = 0;
  #waiting: Waiting[] | null = null;
  #isAwaited = false;
  #wasFull = false;
  #isOpen = true;
  #isFinished = false;
  #isBroken = false;
  #progressAt: number;
  #writtenAt: number;
  readonly #turnEnds = (): void => this.flush();
  readonly #taken = (error?: Error | null): void => this.#batchTaken(error);

  constructor(owner: OutboxOwner, parts: OutboxParts) {
    this.#owner = owner;
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
    if (!this.#isOpen || this.#isFinished) return mark.gone?.(false);
    const isMade = !(frame instanceof Promise);
    if (isMade && this.#waiting === null) return this.#append(frame, mark);
    const waiting: Waiting = { frame: isMade ? frame : undefined, mark };
    (this.#waiting ??= []).push(waiting);
    if (isMade) return;
    frame.then(
      (made) => {
        waiting.frame = made;
        this.#advance();
      },
      (error: unknown) => this.#owner.failed(error),
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
    if (!this.#isOpen || this.#frames === null) return;
    const pieces = joinFrames(this.#frames);
    let bytes = 0;
    for (const piece of pieces) bytes += piece.size;
    const batch: Batch = { bytes, position: this.#position, gone: this.#gone };
    if (this.#unsent === null) this.#unsent = [batch];
    else this.#unsent.push(batch);
    this.#frames = null;
    this.#chars = 0;
    this.#gone = null;
    this.#writtenAt = this.#parts.now();
    if (this.#unsentBytes === 0) this.#progressAt = this.#writtenAt;
    this.#unsentBytes += bytes;
    let left = pieces.length;
    for (const piece of pieces) this.#owner.write(piece, --left === 0 ? this.#taken : undefined);
  }

  /** The last frame leaves now, and nothing after it: what is still being made has not gone, and comes again from the journal. */
  finish(last: Frame): void {
    const lost = this.#waiting ?? [];
    this.#waiting = null;
    this.#append(last, NO_MARK);
    this.flush();
    this.#isFinished = true;
    for (const { mark } of lost) mark.gone?.(false);
  }

  /** Nothing goes out any more; who waits is told that it has not gone. */
  close(): void {
    this.#isOpen = false;
    const waiting = this.#waiting?.map(({ mark }) => mark.gone) ?? [];
    const unsent = this.#unsent?.flatMap(({ gone }) => gone ?? []) ?? [];
    const lost = [...unsent, ...(this.#gone ?? []), ...waiting];
    this.#unsent = null;
    this.#gone = null;
    this.#frames = null;
    this.#waiting = null;
    for (const tell of lost) tell?.(false);
  }

  #hasRoom(): boolean {
    const waiting = this.#waiting?.length ?? 0;
    return waiting < MAX_WAITING_FRAMES && this.#chars + this.#unsentBytes < this.#parts.pauseAtBytes;
  }

  #append(frame: Frame, mark: Mark): void {
    if (this.#frames === null) this.#frames = [frame];
    else this.#frames.push(frame);
    this.#chars += frame.text.length;
    if (mark.position !== undefined) this.#position = mark.position;
    if (mark.gone !== undefined) (this.#gone ??= []).push(mark.gone);
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#parts.atTurnEnd(this.#turnEnds);
  }

  #advance(): void {
    const waiting = this.#waiting ?? [];
    for (let first = waiting[0]; first?.frame !== undefined; first = waiting[0]) {
      waiting.shift();
      this.#append(first.frame, first.mark);
    }
    if (waiting.length === 0) this.#waiting = null;
    this.#offerRoom();
  }

  /** The network has taken the oldest batch, or the connection is broken. */
  #batchTaken(error: Error | null | undefined): void {
    const batch = this.#unsent?.shift();
    if (batch === undefined) return;
    if (this.#unsent?.length === 0) this.#unsent = null;
    this.#unsentBytes -= batch.bytes;
    this.#progressAt = this.#parts.now();
    // A broken connection fails what comes last at once: then which batch this is can't be told, and none counts as sent.
    this.#isBroken ||= error !== undefined && error !== null;
    const isSent = !this.#isBroken;
    if (isSent && batch.position !== null) this.#owner.told(batch.position);
    for (const tell of batch.gone ?? []) tell(isSent);
    this.#offerRoom();
  }

  #offerRoom(): void {
    if (!this.#wasFull || !this.#hasRoom()) return;
    this.#wasFull = false;
    this.#owner.hasRoom();
  }
}
