import type { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SharedText } from './shared-text.ts';

/**
 * One accepted WebSocket, as the owner of the listener offers it (RFC 6455).
 *
 * Whatever arrives before `onMessage` was called must be kept, not lost: a port starts paused. Each `on…` is called once.
 * `onClose` comes exactly once, also after `terminate`. After it every call is harmless.
 */
export interface WebSocketPort {
  /** Octets handed over by `send` that the operating system has not taken yet, corked ones included. */
  readonly bufferedAmount: number;
  /** A string goes out as a text message, a Buffer as a binary one. `written` fires when the system took it, or it failed. */
  send(data: string | Buffer, written?: (error?: Error | null) => void): void;
  /** Text messages may come as strings or as octets. */
  onMessage(listener: (data: string | Buffer, isBinary: boolean) => void): void;
  onPong(listener: () => void): void;
  onClose(listener: (code: number, reason: string) => void): void;
  ping(): void;
  /**
   * Starts the closing handshake; the port itself gives up on a peer that does not answer it, and cuts a reason that is longer than a
   * close frame.
   */
  close(code: number, reason: string): void;
  terminate(): void;
  /** Stops reading from the socket; what was read already may still be delivered. */
  pause(): void;
  resume(): void;
  /** Between `cork` and `uncork` writes are gathered, then go out as one. */
  cork(): void;
  uncork(): void;
}

export interface AcceptOptions {
  readonly maxPayloadBytes: number;
  /** The subprotocol to select, or empty to select none. At most one, and always one that the peer offered. */
  readonly protocols: readonly string[];
}

/** Answers a WebSocket handshake that was checked already. Rejects, with the socket destroyed, if it fails after all. */
export type AcceptWebSocket = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
) => Promise<WebSocketPort>;

export type Transport = 'websocket' | 'raw-websocket' | 'xhr' | 'xhr_streaming' | 'eventsource' | 'htmlfile' | 'jsonp';

/** Why a connection ended. `retry` in the sense of rule 8: whether connecting again is likely to help. */
export const closingCauses = {
  'closed-by-server': { retry: false, text: 'The application closed it.' },
  'closed-by-peer': { retry: true, text: 'The peer closed it.' },
  interrupted: { retry: true, text: 'A receiving request was aborted (TM SJ-33).' },
  'timed-out': { retry: true, text: 'No receiver came back in time (TM SJ-33).' },
  silent: { retry: true, text: 'The peer answered no ping (TM SJ-34).' },
  'slow-consumer': { retry: true, text: 'The peer reads too slowly (TM FM-11).' },
  'broken-framing': { retry: false, text: 'The peer sent something that is no JSON array.' },
  shutdown: { retry: true, text: 'The server is shutting down (TM AP-3).' },
} as const;

export type ClosingCause = keyof typeof closingCauses;

/** One SockJS connection, whatever carries it. Messages reach the peer whole and in order, or the connection ends. */
export interface SockJsConnection {
  /** The label of TM SJ-50 and SJ-51. Not a key: two live connections may share it (SJ-52). */
  readonly id: string;
  readonly transport: Transport;
  /** Raw WebSocket carries binary messages; elsewhere a Buffer is decoded as UTF-8. */
  readonly carriesBinary: boolean;
  readonly remoteAddress: string;
  /** Octets sent that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /** What is sent in one turn of the event loop leaves in one write. Harmless after the end. */
  send(message: string | Buffer): void;
  /** Sends `head + middle + tail` as one message; the shared parts are escaped once for all receivers. */
  sendShared(head: SharedText, middle: string, tail: SharedText): void;
  /** Ends it, after everything sent before. `onClosed` follows at once. */
  close(code: number, reason: string): void;
  /** Asks the peer to hold back: WebSockets are not read, answers to `*_send` wait. */
  pause(): void;
  resume(): void;
  /** Resolves once nothing sent is waiting any more, or the connection has ended. */
  drained(): Promise<void>;
}

export interface ConnectionHandler {
  onMessage(data: string | Buffer): void;
  /** Exactly once, whoever ended it. */
  onClosed(cause: ClosingCause): void;
}

/** Called once a connection is open, with the request that opened it; the connection may be used at once. */
export type OnConnection = (connection: SockJsConnection, request: IncomingMessage) => ConnectionHandler;

/** Sessions over HTTP that live on other nodes. A WebSocket needs none: it stays with whom it came to. */
export interface Elsewhere {
  /**
   * Answers the request of a session that is not here, by way of its owner. False: the session is nobody else's, so the request
   * is served here; `isReceiving` requests begin a session where there is none.
   */
  serve(req: IncomingMessage, res: ServerResponse, id: string, isReceiving: boolean): Promise<boolean> | false;
}
