import { LOGIN_TIMEOUT_MS, MAX_CALLS_IN_WORK, MAX_UNAUTHENTICATED_SOCKETS } from '../wire/bounds.ts';

/**
 * Text frames, binary frames and pings before the login: a login takes three, KeepAlive and early requests some more.
 * @peer closed with 1008
 * @test service/limits: too many frames close
 */
export const MAX_FRAMES_BEFORE_LOGIN = 128;
/**
 * WebSockets of one service.
 * @peer 503
 * @test service/limits: no more connections than their bound
 */
export const MAX_CONNECTIONS = 20_000;
/**
 * Parts of one fragmented message: thousands of tiny ones cost memory.
 * @peer closed with 1008
 * @test service/limits: too many parts and pieces
 */
export const MAX_FRAGMENTS = 1_024;
/**
 * Chunks of the network in one unfinished message, for the same reason.
 * @peer closed with 1008
 * @test service/limits: too many parts and pieces
 */
export const MAX_CHUNKS = 16_384;
/** The acceptor pings as well (AW §5.4); two pings without any frame, and the peer is dead. */
export const PING_MS = 30_000;
/**
 * A peer takes less than `DRAINED_BYTES` of what waits for it in this time.
 * @peer the connection ends
 * @test back-pressure: who reads slowly
 */
export const SLOW_PEER_MS = 60_000;

/** How many failures in a row, and how long until one is forgiven. */
export interface FailureRate {
  readonly burst: number;
  readonly forgiveMs: number;
}

/** Failed logins of one address: many accounts may share it, behind a proxy. */
export const ADDRESS_FAILURES: FailureRate = { burst: 100, forgiveMs: 100 };
/** Failed logins of one account from one address; from other addresses the account stays open. */
export const ACCOUNT_FAILURES: FailureRate = { burst: 10, forgiveMs: 5_000 };

/** Bounds of one service that a program may set for itself. */
export interface ServiceLimits {
  /** Sockets that have not logged in. */
  readonly unauthenticatedSockets: number;
  readonly connections: number;
  /** Requests of one peer that handlers are working on; the next one waits in the socket. */
  readonly callsInWork: number;
  readonly loginTimeoutMs: number;
  readonly pingMs: number;
  readonly addressFailures: FailureRate;
  readonly accountFailures: FailureRate;
}

/** What holds unless a program says otherwise. */
export const SERVICE_LIMITS: ServiceLimits = {
  unauthenticatedSockets: MAX_UNAUTHENTICATED_SOCKETS,
  connections: MAX_CONNECTIONS,
  callsInWork: MAX_CALLS_IN_WORK,
  loginTimeoutMs: LOGIN_TIMEOUT_MS,
  pingMs: PING_MS,
  addressFailures: ADDRESS_FAILURES,
  accountFailures: ACCOUNT_FAILURES,
};
