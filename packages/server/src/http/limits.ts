/** Bounds on what a peer may take before anybody knows who it is. Those that operators may set are described in the settings. */

/**
 * Bytes that a WebSocket may send before its login: four messages of the largest size that AW §1 allows there.
 * @peer closed with 1009
 * @test http/websocket: before login a socket gets its bytes
 */
export const MAX_BYTES_BEFORE_LOGIN = 256 * 1024;
/**
 * Messages that a WebSocket may send before its login: handshakes need three, early senders a few more.
 * @peer closed with 1008
 * @test http/websocket: before login a socket gets its bytes
 */
export const MAX_MESSAGES_BEFORE_LOGIN = 64;
/**
 * Fragments of one WebSocket message. Each costs an object, however small it is.
 * @peer closed with 1008
 * @test http/websocket: a message over the bound closes with 1009
 */
export const MAX_FRAGMENTS = 1_024;
/**
 * Pieces that one unfinished WebSocket frame may arrive in, for the same reason. 1 MiB in segments of 536 bytes is 1,957.
 * @peer closed with 1008
 * @test http/websocket: a frame in too many pieces
 */
export const MAX_CHUNKS = 16_384;
/**
 * Requests of one connection that wait for their answers: they cost memory while none of them is answered. Browsers and proxies send
 * the next one after the answer.
 * @peer the connection ends
 * @test http: requests of one connection
 */
export const MAX_PIPELINED = 64;
/**
 * Pings of one WebSocket whose answers wait to be sent: a peer that pings and reads nothing would make them grow without end.
 * @peer closed with 1008
 * @test http/websocket: pings whose answers nobody reads
 */
export const MAX_WAITING_PONGS = 60;
/** How long a peer may take to answer a WebSocket close before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** The configurable and testable part of the bounds. */
export interface HttpLimits {
  readonly headerBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  /** How often overdue requests are looked for: the precision of the two timeouts. */
  readonly timeoutCheckMs: number;
  readonly bodyBytes: number;
  readonly sockets: number;
  readonly socketsPerAddress: number;
  readonly lobby: number;
  readonly lobbyPerAddress: number;
  readonly loginTimeoutMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  headerBytes: 16 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 300_000,
  keepAliveMs: 65_000,
  timeoutCheckMs: 5_000,
  bodyBytes: 256 * 1024,
  sockets: 50_000,
  socketsPerAddress: 10_000,
  lobby: 20_000,
  lobbyPerAddress: 10_000,
  loginTimeoutMs: 60_000,
};

/** Names under which `limitHit` reports. Stable: metrics and alerts use them. */
export type LimitName =
  | 'http.sockets'
  | 'http.sockets-per-address'
  | 'http.header-bytes'
  | 'http.pipelined'
  | 'http.request-timeout'
  | 'http.malformed'
  | 'http.host'
  | 'http.hop'
  | 'http.forwarded'
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
