import type { SipMessage } from '../messages/index.ts';

export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** An IP address (IPv6 without brackets) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One live connection of TCP, TLS, WS or WSS. */
export interface Connection {
  /** Unique in this process. */
  readonly id: string;
  readonly isOpen: boolean;
  /** Called once when the connection has ended; at once (in a microtask) where it has already. Returns its removal. */
  onClose(listener: () => void): () => void;
}

/**
 * The way a message came or goes (RFC 5626 1.2): for a datagram a pair of addresses, for the others a connection.
 * A flow without `connection` over a connection transport means: reuse a connection to that remote address, or open one.
 * With it the message goes over that very connection or fails.
 */
export interface Flow {
  readonly protocol: Protocol;
  /** What we call ourselves on this flow, in Via and Contact: the listener's (or its advertised) address and port. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly connection?: Connection | undefined;
  /** The name the peer's certificate must bear (RFC 5922); its address where missing. */
  readonly serverName?: string | undefined;
}

/**
 * The port between transports and transactions.
 *
 * `send` resolves when the bytes are handed to the system (datagrams may be lost; on a connection order is kept), and rejects with
 * `TransportFailure` when the flow is gone, can't be opened or its peer does not read. It never repeats.
 * `onMessage` is set once. It gets well-formed messages only, requests with `received` and `rport` already in their topmost Via
 * (RFC 3261 18.2.1, RFC 3581). Malformed ones have been answered or dropped.
 */
export interface Transport {
  send(bytes: Uint8Array, flow: Flow): Promise<void>;
  onMessage(listener: (message: SipMessage, flow: Flow) => void): void;
}

/** A place to send a request to, as DNS yields it (RFC 3263 4). */
export interface Target {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** The name it was found by, for TLS. */
  readonly serverName?: string | undefined;
}

/** Which of our listeners a new request leaves by. Undefined: no listener speaks that protocol in that address family. */
export interface FlowFinder {
  flowTo(target: Target): Flow | undefined;
}

export type TransportFailureCode =
  | 'flow-closed'
  | 'no-listener'
  | 'connect-failed'
  | 'connect-timeout'
  | 'send-failed'
  | 'slow-peer'
  | 'too-large'
  | 'too-many-connections'
  | 'closed';

/** For a transaction this is a 503 (RFC 3261 8.1.3.1); with `flow-closed` a 430 towards a registered flow (RFC 5626 5.3). */
export class TransportFailure extends Error {
  override readonly name = 'TransportFailure';
  readonly code: TransportFailureCode;

  constructor(code: TransportFailureCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
