import type { Duplex } from 'node:stream';
import { CLOSE_TIMEOUT_MS, MAX_CHUNKS, MAX_FRAGMENTS, MAX_WAITING_PONGS } from './limits.ts';
import type { TurnEnding, TurnJoiner } from './turn-joiner.ts';
import {
  CONTROL,
  encodeBinary,
  encodeClose,
  encodeControl,
  type EncodedFrame,
  joinFrames,
  textBytes,
} from './websocket-frame.ts';
import { type ReaderEvents, WebSocketReader } from './websocket-reader.ts';
import type { BeforeLogin, Sent, WebSocketPort } from './websocket-port.ts';

export interface PortOptions {
  readonly socket: Duplex;
  readonly remoteAddress: string;
  readonly joiner: TurnJoiner;
  readonly protocol: string;
  readonly maxPayloadBytes: number;
  readonly untilAdmitted: BeforeLogin | undefined;
  readonly refused: (what: 'bytes' | 'messages' | 'protocol') => void;
}

/** Up to here what one turn sends is copied into one write; more would be held twice. */
const JOINED_BYTES = 64 * 1024;

/** {@link WebSocketPort} on a socket whose handshake has been answered. */
export class WsPort implements WebSocketPort, ReaderEvents, TurnEnding {
  readonly remoteAddress: string;
  readonly protocol: string;
  readonly #socket: Duplex;
  readonly #joiner: TurnJoiner;
  readonly #refused: PortOptions['refused'];
  readonly #reader: WebSocketReader;
  /** What this turn sends. A text is encoded when all are written. */
  #turn: (string | Buffer)[] | null = null;
  #turnBytes = 0;
  #turnSent: Sent[] | null = null;
  /** The socket still held some of it when it was last written to. */
  #isBacked = false;
  #message: ((data: string | Buffer, isBinary: boolean) => void) | undefined;
  #closed: { readonly code: number; readonly reason: string } | undefined;
  #close: ((code: number, reason: string) => void) | undefined;
  #pong: (() => void) | undefined;
  #waitingPongs = 0;
  #isPaused = false;
  /** Ends with this turn. */
  #isEnding = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #peerClosed: { readonly code: number; readonly reason: string } | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #messagesLeft = Number.POSITIVE_INFINITY;
  #bytesLeft = Number.POSITIVE_INFINITY;

  constructor(options: PortOptions) {
    const { socket, maxPayloadBytes, untilAdmitted } = options;
    this.#socket = socket;
    this.#joiner = options.joiner;
    this.#refused = options.refused;
    this.remoteAddress = options.remoteAddress;
    this.protocol = options.protocol;
    this.#reader = new WebSocketReader(this, {
      maxPayloadBytes,
      maxFragments: MAX_FRAGMENTS,
      maxChunks: MAX_CHUNKS,
    });
    if (untilAdmitted !== undefined) {
      this.#bytesLeft = untilAdmitted.maxBytes;
      this.#messagesLeft = untilAdmitted.maxMessages;
    }
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#ended());
    socket.pause();
  }

  get isOpen(): boolean {
    return this.#state === 'open' && !this.#socket.destroyed;
  }

  get bufferedAmount(): number {
    return this.#isBacked ? this.#turnBytes + this.#socket.writableLength : this.#turnBytes;
  }

  send(data: string | Uint8Array, sent?: Sent): void {
    if (typeof data === 'string') this.#gather(data, textBytes(data), sent);
    else this.sendEncoded(encodeBinary(data), sent);
  }

  sendEncoded({ bytes }: EncodedFrame, sent?: Sent): void {
    this.#gather(bytes, bytes.length, sent);
  }

  onMessage(listener: (data: string | Buffer, isBinary: boolean) => void): void {
    this.#message = listener;
    if (!this.#isPaused) this.#socket.resume();
  }

  onClose(listener: (code: number, reason: string) => void): void {
    this.#close = listener;
    if (this.#closed !== undefined) process.nextTick(() => this.#tellClosed());
  }

  ping(): void {
    this.sendEncoded(encodeControl(CONTROL.ping));
  }

  onPong(listener: () => void): void {
    this.#pong = listener;
  }

  close(code = 1000, reason = ''): void {
    if (!this.isOpen) return;
    this.sendEncoded(encodeClose(code, reason));
    this.#state = 'closing';
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    // A socket that is not read can't see the peer's answer.
    this.#socket.resume();
  }

  terminate(): void {
    this.#reader.stop();
    this.#socket.destroy();
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#state === 'open') this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#message !== undefined) this.#socket.resume();
  }

  cork(): void {
    // Everything is gathered until the end of the turn.
  }

  uncork(): void {
    // Likewise.
  }

  admit(): void {
    this.#messagesLeft = Number.POSITIVE_INFINITY;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
  }

  // The joiner.

  /** The turn is over: one write for all that it sent. */
  turnEnds(): void {
    const frames = this.#turn;
    const bytes = this.#turnBytes;
    const sent = this.#turnSent;
    this.#turn = null;
    this.#turnBytes = 0;
    this.#turnSent = null;
    if (this.#socket.destroyed) return tellAll(sent, new Error('the socket is closed'));
    if (frames !== null) {
      this.#write(frames, bytes, sent);
      this.#isBacked = this.#socket.writableLength > 0;
    }
    if (this.#isEnding) this.#socket.end();
  }

  #write(frames: readonly (string | Buffer)[], bytes: number, sent: readonly Sent[] | null): void {
    if (bytes <= JOINED_BYTES || frames.length === 1)
      this.#socket.write(joinFrames(frames, bytes), sent === null ? undefined : (error) => tellAll(sent, error));
    else this.#writeEach(frames, sent);
  }

  #writeEach(frames: readonly (string | Buffer)[], sent: readonly Sent[] | null): void {
    const last = frames.length - 1;
    this.#socket.cork();
    for (const [index, frame] of frames.entries())
      this.#socket.write(joinFrames([frame]), index < last ? undefined : (error) => tellAll(sent, error));
    this.#socket.uncork();
  }

  /** A socket that has just been destroyed is noticed when the turn ends: to look here would cost every delivery of a fan-out. */
  #gather(frame: string | Buffer, bytes: number, sent: Sent | undefined): void {
    if (this.#state !== 'open') {
      if (sent !== undefined) process.nextTick(sent, new Error('the socket is closed'));
      return;
    }
    // Made for the one frame that most turns have: an array that is pushed to makes room for many.
    if (this.#turn !== null) this.#turn.push(frame);
    else {
      this.#turn = [frame];
      this.#joiner.add(this);
    }
    this.#turnBytes += bytes;
    if (sent !== undefined) (this.#turnSent ??= []).push(sent);
  }

  // What the reader has found.

  gotText(data: string): void {
    this.#received(data, false);
  }

  gotBinary(data: Buffer): void {
    this.#received(data, true);
  }

  gotPing(data: Buffer): void {
    if (!this.isOpen) return;
    if (++this.#waitingPongs > MAX_WAITING_PONGS) return this.gotViolation(1008);
    this.sendEncoded(encodeControl(CONTROL.pong, data), () => this.#waitingPongs--);
  }

  gotPong(): void {
    this.#pong?.();
  }

  /** Answered with the same code, or none (RFC 6455 5.5.1), and the connection ends. */
  gotClose(code: number, reason: string): void {
    this.#peerClosed = { code, reason };
    this.close(code, reason);
    this.#end();
  }

  gotViolation(code: number): void {
    this.#refused('protocol');
    this.#expel(code, '');
  }

  #read(chunk: Buffer): void {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) this.#tooMuch('bytes', 1009);
    else this.#reader.read(chunk);
  }

  #received(data: string | Buffer, isBinary: boolean): void {
    if (this.#state !== 'open') return;
    if (this.#messagesLeft-- <= 0) this.#tooMuch('messages', 1008);
    else this.#message?.(data, isBinary);
  }

  /** Bytes are counted as they arrive, so that a single large frame is stopped before it is whole. */
  #tooMuch(what: 'bytes' | 'messages', code: number): void {
    this.#refused(what);
    this.#expel(code, 'too much before login');
  }

  /**
   * Says goodbye and ends its side at once (RFC 6455 7.1.7): a peer that waits for the end is not kept waiting. What still comes is
   * thrown away until the peer or the close timer ends it.
   */
  #expel(code: number, reason: string): void {
    this.admit();
    this.close(code, reason);
    this.#reader.stop();
    this.#end();
  }

  /** After what was sent. */
  #end(): void {
    this.#state = this.#state === 'open' ? 'closing' : this.#state;
    this.#closeTimer ??= setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    this.#isEnding = true;
    if (this.#turn === null) this.#joiner.add(this);
  }

  #ended(): void {
    clearTimeout(this.#closeTimer);
    this.#state = 'closed';
    this.#reader.stop();
    this.#closed = this.#peerClosed ?? { code: 1006, reason: '' };
    this.#tellClosed();
  }

  /** Tells the listener once, whichever comes first: the close or the listener. */
  #tellClosed(): void {
    const listener = this.#close;
    if (listener === undefined || this.#closed === undefined) return;
    this.#close = undefined;
    listener(this.#closed.code, this.#closed.reason);
  }
}

function tellAll(sent: readonly Sent[] | null, error?: Error | null): void {
  for (const tell of sent ?? []) tell(error);
}
