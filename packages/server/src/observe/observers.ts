import { TokenBuckets, type Clock } from '../kit/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Who logged in. Surfaces that only know people give the name alone. */
export type LoggedIn = string | { readonly kind: string; readonly name: string };

/** What a surface tells of itself; each declares the part of it that it uses. One line and one figure per event. */
export interface SurfaceObserver {
  opened(): void;
  closed(): void;
  loggedIn(who: LoggedIn): void;
  loginFailed(address: string, account: string): void;
  limitHit(name: string, address: string): void;
  slowReader(user: string): void;
  /** A message of somebody on this surface was accepted. */
  messageSent(): void;
  /** Something that is no peer's doing. */
  trouble(what: string, error: unknown): void;
}

/** What the HTTP listener tells of itself. */
export interface ListenerObserver {
  limitHit(name: string, address: string): void;
  handlerFailed(where: string, error: unknown): void;
  certificatesReloaded(listener: string, error?: unknown): void;
}

export interface ObserverParts {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Lines that peers can cause: a burst of each event, then one every two seconds; the figures count all. */
const LINES = { burst: 20, refillMs: 2_000 };
/** Events of one surface that have their own count: their names are ours. */
const EVENTS = 100;

type Warn = (event: string, fields: Readonly<Record<string, unknown>>) => void;

/** Writes warnings that peers can cause, as far as there are lines left, and says how many it left out. */
function boundedWarnings({ log, clock }: ObserverParts): Warn {
  const lines = new TokenBuckets(clock, LINES, EVENTS);
  const leftOut = new Map<string, number>();
  return (event, fields) => {
    const before = leftOut.get(event) ?? 0;
    if (lines.waitMs(event) > 0) {
      if (leftOut.size < EVENTS || before > 0) leftOut.set(event, before + 1);
      return;
    }
    lines.take(event);
    leftOut.delete(event);
    log.warn(event, before === 0 ? fields : { ...fields, leftOut: before });
  };
}

/** @param surface `appws`, `chat-api`, `tapi-messenger`: label of the figures, beginning of the event names */
export function surfaceObserver(parts: ObserverParts, surface: string): SurfaceObserver {
  const { log, metrics } = parts;
  const warn = boundedWarnings(parts);
  const label = { surface };
  const countMessage = metrics.messagesOf(surface);
  for (const figure of [metrics.opened, metrics.closed, metrics.slowReaders, metrics.troubles]) figure.inc(label, 0);
  return {
    opened() {
      metrics.opened.inc(label);
      log.debug(`${surface}.opened`);
    },
    closed() {
      metrics.closed.inc(label);
      log.debug(`${surface}.closed`);
    },
    loggedIn(who) {
      metrics.logins.inc({ surface, result: 'ok' });
      log.info(`${surface}.logged-in`, typeof who === 'string' ? { kind: 'user', name: who } : who);
    },
    loginFailed(address, account) {
      metrics.logins.inc({ surface, result: 'failed' });
      warn(`${surface}.login-failed`, { address, account });
    },
    limitHit(limit, address) {
      metrics.limitHits.inc({ surface, limit });
      warn(`${surface}.limit-hit`, { limit, address });
    },
    slowReader(user) {
      metrics.slowReaders.inc(label);
      warn(`${surface}.slow-reader`, { user });
    },
    messageSent: countMessage,
    trouble(what, error) {
      metrics.troubles.inc(label);
      log.error(`${surface}.trouble`, { what, error });
    },
  };
}

export function listenerObserver(parts: ObserverParts): ListenerObserver {
  const { log, metrics } = parts;
  const warn = boundedWarnings(parts);
  return {
    limitHit(limit, address) {
      metrics.limitHits.inc({ surface: 'http', limit });
      warn('http.limit-hit', { limit, address });
    },
    handlerFailed(where, error) {
      metrics.troubles.inc({ surface: 'http' });
      log.error('http.handler-failed', { where, error });
    },
    certificatesReloaded(listener, error) {
      if (error === undefined) log.info('http.certificates-reloaded', { listener });
      else log.error('http.certificates-unusable', { listener, error });
    },
  };
}
