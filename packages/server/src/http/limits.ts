/** Bounds on what a peer may take before anybody knows who it is. Each has a test that hits it. */

/** Request line and header fields together. Basic credentials, cookies and a long URL fit into 16 KiB; nothing honest needs more. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** From the opening of the socket, or the first byte of a later request, to the end of the header fields. */
export const HEADERS_TIMEOUT_MS = 15_000;
/** A whole request with its body: 50 MB of upload at 1.4 Mbit/s. */
export const REQUEST_TIMEOUT_MS = 300_000;
/** An idle keep-alive connection. Longer than the 60 s of common proxies, so that the proxy closes first and no request is lost. */
export const KEEP_ALIVE_MS = 65_000;
/** How often overdue requests are looked for: the precision of the two timeouts above. */
export const TIMEOUT_CHECK_MS = 5_000;
/** TLS handshakes that don't come to an end. */
export const TLS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** Body of one JSON or form request, unless a route says otherwise: a message of 30,000 bytes, its data and escaping fit many times. */
export const MAX_BODY_BYTES = 256 * 1024;
/** All sockets. About 10 KB each when idle: 500 MB. */
export const MAX_SOCKETS = 50_000;
/** Sockets of one address: an office behind one NAT, or a load test on one machine. Trusted proxies are exempt. */
export const MAX_SOCKETS_PER_ADDRESS = 10_000;
/** Connections that have not logged in yet. */
export const MAX_LOBBY = 20_000;
/** The same for one address: half of it, so that one address alone can't keep everybody else from logging in. */
export const MAX_LOBBY_PER_ADDRESS = 10_000;
/** Time to log in. A person types no password meanwhile: clients have it before they connect. */
export const LOGIN_TIMEOUT_MS = 60_000;
/** Bytes that a WebSocket may send before its login: four messages of the largest size that AW §1 allows there. */
export const MAX_BYTES_BEFORE_LOGIN = 256 * 1024;
/** Messages that a WebSocket may send before its login: handshakes need three, early senders a few more. */
export const MAX_MESSAGES_BEFORE_LOGIN = 64;
/** Fragments of one WebSocket message. Each costs an object, however small it is. */
export const MAX_FRAGMENTS = 1_024;
/** Pieces that one unfinished WebSocket frame may arrive in, for the same reason. 1 MiB in segments of 536 bytes is 1,957. */
export const MAX_CHUNKS = 16_384;
/** How long a peer may take to answer a WebSocket close before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** The configurable and testable part of the bounds. */
export interface HttpLimits {
  readonly headerBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly timeoutCheckMs: number;
  readonly bodyBytes: number;
  readonly sockets: number;
  readonly socketsPerAddress: number;
  readonly lobby: number;
  readonly lobbyPerAddress: number;
  readonly loginTimeoutMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  headerBytes: MAX_HEADER_BYTES,
  headersTimeoutMs: HEADERS_TIMEOUT_MS,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  keepAliveMs: KEEP_ALIVE_MS,
  timeoutCheckMs: TIMEOUT_CHECK_MS,
  bodyBytes: MAX_BODY_BYTES,
  sockets: MAX_SOCKETS,
  socketsPerAddress: MAX_SOCKETS_PER_ADDRESS,
  lobby: MAX_LOBBY,
  lobbyPerAddress: MAX_LOBBY_PER_ADDRESS,
  loginTimeoutMs: LOGIN_TIMEOUT_MS,
};

/** Names under which `limitHit` reports. Stable: metrics and alerts use them. */
export type LimitName =
  | 'http.sockets'
  | 'http.sockets-per-address'
  | 'http.header-bytes'
  | 'http.request-timeout'
  | 'http.malformed'
  | 'http.host'
  | 'http.lobby'
  | 'http.lobby-per-address'
  | 'http.login-timeout'
  | 'ws.bytes-before-login'
  | 'ws.messages-before-login'
  | 'ws.protocol';

/** What the listener tells about itself; `observe` turns it into log lines and metrics. */
export interface HttpObserver {
  /** A bound was hit by this address, and what asked for more was refused. */
  limitHit(name: LimitName, address: string): void;
  /** A handler threw. The peer got a 500 or was cut off. */
  handlerFailed(where: string, error: unknown): void;
  /** Certificates were read again; `error` where the new ones can't be used and the old ones stay. */
  certificatesReloaded(listener: string, error?: unknown): void;
}

export const silentObserver: HttpObserver = {
  limitHit() {
    // nobody listens
  },
  handlerFailed() {
    // nobody listens
  },
  certificatesReloaded() {
    // nobody listens
  },
};
