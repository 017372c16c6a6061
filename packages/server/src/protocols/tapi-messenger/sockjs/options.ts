/** Settings of one SockJS endpoint (TM §1) and the bounds on everything that a peer can make grow. */
export interface SockJsOptions {
  /** Path under which the endpoint lives; begins with `/`, does not end with one. */
  readonly prefix: string;
  /** `['*']`, or the origins that may use it besides its own (TM SJ-15). */
  readonly allowedOrigins: readonly string[];
  readonly heartbeatMs: number;
  /** How long a peer that was pinged may stay silent (TM SJ-34). */
  readonly pongMs: number;
  readonly disconnectDelayMs: number;
  readonly responseLimitBytes: number;
  readonly websocket: boolean;
  readonly cookieNeeded: boolean;
  /** What the iframe page loads. */
  readonly clientUrl: string;
  /** Subprotocols of the raw WebSocket, the best first (TM ST-2). */
  readonly subprotocols: readonly string[];
  /** Body of one `*_send`, and one WebSocket message. */
  readonly maxBodyBytes: number;
  readonly maxMessageBytes: number;
  /** `*_send` requests of one session under way at once. A client sends one after the other; 16 leaves room for retries. */
  readonly maxSendsUnderWay: number;
  /** Octets waiting for one peer, attached or not (TM SJ-37, FM-11). */
  readonly sendBufferBytes: number;
  /** How long one write may take (TM FM-11). */
  readonly sendTimeLimitMs: number;
  /** Sessions in all: at some 10 KB each idle, 200 MB. */
  readonly maxSessions: number;
  /** Sessions of one address: half of all, because a company may sit behind one. Lower it where no proxy hides addresses. */
  readonly maxSessionsPerAddress: number;
  /** How long `close` waits for peers to answer before it cuts them off. */
  readonly closeWaitMs: number;
}

export const sockJsDefaults: SockJsOptions = {
  prefix: '/tapi-messenger',
  allowedOrigins: ['*'],
  heartbeatMs: 25_000,
  pongMs: 10_000,
  disconnectDelayMs: 5_000,
  responseLimitBytes: 131_072,
  websocket: true,
  cookieNeeded: false,
  clientUrl: 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js',
  subprotocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'],
  maxBodyBytes: 262_144,
  maxMessageBytes: 262_144,
  /** @peer 429 with Retry-After @test tapi-messenger/limits: requests that send */
  maxSendsUnderWay: 16,
  sendBufferBytes: 524_288,
  sendTimeLimitMs: 10_000,
  /** @peer 503 with Retry-After @test tapi-messenger/limits: sessions */
  maxSessions: 20_000,
  /** @peer 503 with Retry-After @test tapi-messenger/limits: sessions */
  maxSessionsPerAddress: 10_000,
  closeWaitMs: 1_000,
};
