import type { EncodedFrame } from './websocket-frame.ts';

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
