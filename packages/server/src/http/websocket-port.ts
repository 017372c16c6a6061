import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { TurnJoiner } from './turn-joiner.ts';
import { encodeBinary, encodeText, type EncodedFrame } from './websocket-frame.ts';

/** Called with nothing once the joined write was handed to the operating system, with an error where it never will be. */
export type Sent = (error?: Error | null) => void;

/**
 * One accepted WebSocket. Each `on…` keeps one listener; a later call replaces it. Nothing is read before the first
 * `onMessage`, so no message is lost between the handshake and the surface's readiness.
 */
export interface WebSocketPort {
  /** Client's address; behind a trusted proxy the one that the proxy names. */
  readonly remoteAddress: string;
  /** The subprotocol that was agreed, or ''. */
  readonly protocol: string;
  readonly isOpen: boolean;
  /** Bytes accepted from `send` and not yet handed to the operating system. A joined write counts until all of it is. */
  readonly bufferedAmount: number;
  /** Text as a text message, bytes as a binary one. All that one turn of the event loop sends leaves in one write. */
  send(data: string | Uint8Array, sent?: Sent): void;
  /** Sends what `encodeText` and the like have made: encode once for all receivers of an event. */
  sendEncoded(frame: EncodedFrame, sent?: Sent): void;
  /** Text messages come as strings (valid UTF-8), binary ones as buffers. */
  onMessage(listener: (data: string | Buffer, isBinary: boolean) => void): void;
  /** Called exactly once, also where the socket was closed before it was set. 1006: no close frame was received. */
  onClose(listener: (code: number, reason: string) => void): void;
  ping(): void;
  onPong(listener: () => void): void;
  /** Begins the closing handshake after what was sent. `reason` is cut to 123 bytes. No effect on a closing socket. */
  close(code?: number, reason?: string): void;
  /** Drops the connection at once. */
  terminate(): void;
  /** Holds back reading: the peer's sending stalls when the kernel's buffers are full. */
  pause(): void;
  resume(): void;
  /** Begins the gathering of this turn's writes, as every `send` does by itself. */
  cork(): void;
  /** The gathered writes leave at the end of the turn, whether this is called or not. */
  uncork(): void;
  /** The peer has logged in: lifts the bounds of `untilAdmitted`. Idempotent. */
  admit(): void;
}

/** What a peer may send before `admit()`. */
export interface BeforeLogin {
  readonly maxBytes: number;
  readonly maxMessages: number;
}

export interface PortOptions {
  readonly socket: Duplex;
  readonly remoteAddress: string;
  readonly joiner: TurnJoiner;
  readonly untilAdmitted: BeforeLogin | undefined;
  readonly refused: (what: 'bytes' | 'messages' | 'protocol') => void;
}

/**
 * RFC 6455 5.5: a control frame carries 125 bytes, two of them the code.
 * @peer the reason is cut at a character
 * @test http/websocket: a reason is cut at a character
 */
const MAX_REASON_BYTES = 123;

/** Cuts at a character's border. */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** {@link WebSocketPort} on npm `ws`, which reads and does the closing; frames of data are our own bytes on its socket. */
export class WsPort implements WebSocketPort {
  readonly remoteAddress: string;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #joiner: TurnJoiner;
  readonly #refused: PortOptions['refused'];
  #message: ((data: string | Buffer, isBinary: boolean) => void) | undefined;
  #closed: { readonly code: number; readonly reason: string } | undefined;
  #close: ((code: number, reason: string) => void) | undefined;
  #pong: (() => void) | undefined;
  #isPaused = false;
  #isClosing = false;
  #messagesLeft = Number.POSITIVE_INFINITY;
  #countBytes: ((chunk: Buffer) => void) | undefined;

  constructor(ws: WebSocket, options: PortOptions) {
    this.#ws = ws;
    this.#socket = options.socket;
    this.#joiner = options.joiner;
    this.#refused = options.refused;
    this.remoteAddress = options.remoteAddress;
    ws.pause();
    ws.on('message', (data, isBinary) => this.#received(data, isBinary));
    ws.on('pong', () => this.#pong?.());
    ws.on('error', () => this.#refused('protocol'));
    ws.on('close', (code, reason) => this.#ended(code, reason.toString()));
    if (options.untilAdmitted !== undefined) this.#restrict(options.untilAdmitted);
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  send(data: string | Uint8Array, sent?: Sent): void {
    this.sendEncoded(typeof data === 'string' ? encodeText(data) : encodeBinary(data), sent);
  }

  sendEncoded(frame: EncodedFrame, sent?: Sent): void {
    if (this.#ws.readyState !== WebSocket.OPEN) {
      if (sent !== undefined) process.nextTick(sent, new Error('the socket is closed'));
      return;
    }
    this.#joiner.join(this.#socket);
    this.#socket.write(frame.bytes, sent);
  }

  onMessage(listener: (data: string | Buffer, isBinary: boolean) => void): void {
    this.#message = listener;
    if (!this.#isPaused) this.#ws.resume();
  }

  onClose(listener: (code: number, reason: string) => void): void {
    this.#close = listener;
    const closed = this.#closed;
    if (closed !== undefined) process.nextTick(() => this.#tellClosed());
  }

  ping(): void {
    if (this.isOpen) this.#ws.ping();
  }

  onPong(listener: () => void): void {
    this.#pong = listener;
  }

  close(code = 1000, reason = ''): void {
    if (!this.isOpen) return;
    this.#isClosing = true;
    this.#ws.close(code, cutReason(reason));
    // A socket that is not read can't see the peer's answer.
    this.#ws.resume();
  }

  terminate(): void {
    this.#isClosing = true;
    this.#ws.terminate();
  }

  pause(): void {
    this.#isPaused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#message !== undefined) this.#ws.resume();
  }

  cork(): void {
    if (this.isOpen) this.#joiner.join(this.#socket);
  }

  uncork(): void {
    // The joiner does it for all sockets at once.
  }

  admit(): void {
    this.#messagesLeft = Number.POSITIVE_INFINITY;
    if (this.#countBytes !== undefined) this.#socket.off('data', this.#countBytes);
    this.#countBytes = undefined;
  }

  /** Bytes are counted on the raw socket, so that a single large frame is stopped while it arrives, not after. */
  #restrict({ maxBytes, maxMessages }: BeforeLogin): void {
    let left = maxBytes;
    this.#messagesLeft = maxMessages;
    this.#countBytes = (chunk) => {
      left -= chunk.length;
      if (left < 0) this.#expel('bytes', 1009);
    };
    this.#socket.prependListener('data', this.#countBytes);
    this.#ws.pause();
  }

  /** Says goodbye and reads no further: what still comes is thrown away unparsed until the peer or the close timer ends it. */
  #expel(what: 'bytes' | 'messages', code: number): void {
    this.admit();
    this.#refused(what);
    this.close(code, 'too much before login');
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
  }

  #received(data: unknown, isBinary: boolean): void {
    if (this.#isClosing || !Buffer.isBuffer(data)) return;
    if (this.#messagesLeft-- <= 0) return this.#expel('messages', 1008);
    this.#message?.(isBinary ? data : data.toString('utf8'), isBinary);
  }

  #ended(code: number, reason: string): void {
    this.admit();
    this.#closed = { code, reason };
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
