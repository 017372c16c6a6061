import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { reasonOf } from '../kit/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** The part of Fastify's request, reply and instance that is used here. */
interface Request {
  readonly raw: IncomingMessage;
  readonly headers: { readonly authorization?: string | undefined };
}
interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
}
export interface HealthApp {
  get(path: string, handler: (request: Request, reply: Reply) => unknown): unknown;
}

/** The members of `/healthz` that TM AP-2 asks for. */
export interface TelephonyHealth {
  readonly tapi: 'connected' | 'disconnected';
  /** Sessions of the Tapi Messenger surface. */
  readonly sessions: number;
  /** Numbers that somebody listens to. */
  readonly phones: number;
}

/** Whether one thing that requests need is there. A rejection counts as no. */
export type ReadinessCheck = () => boolean | Promise<boolean>;

export interface HealthParts {
  readonly app: HealthApp;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly telephony: () => TelephonyHealth;
  readonly isDraining: () => boolean;
  /** By name, such as `store`. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** Who may read the figures besides whoever has `metricsToken`. */
  readonly mayReadMetrics: (request: IncomingMessage) => boolean;
  readonly metricsToken?: string | null;
  /** How long one check may take before it counts as no. */
  readonly checkMs?: number;
}

/** Balancers give up after a few seconds. */
const CHECK_MS = 2_000;

/**
 * `/healthz`: the process lives. `/readyz`: it can serve, 503 while it starts, drains or a check says no.
 * `/metrics`: figures for Prometheus, for those who may read them.
 */
export function registerHealth({ app, ...parts }: HealthParts): void {
  const readiness = createReadiness(parts);
  app.get('/healthz', (_request, reply) => uncached(reply).send({ status: 'ok', ...parts.telephony() }));
  app.get('/readyz', async (_request, reply) => {
    const { ready, checks } = await readiness();
    const status = ready ? 'ready' : parts.isDraining() ? 'draining' : 'not-ready';
    return uncached(reply)
      .code(ready ? 200 : 503)
      .send({ status, checks });
  });
  app.get('/metrics', async (request, reply) => {
    if (!mayRead(parts, request))
      return uncached(reply).code(403).send({ error: 'forbidden', message: 'The figures are not for this address.' });
    const { contentType, text } = await parts.metrics.read();
    return uncached(reply).header('content-type', contentType).send(text);
  });
}

function uncached(reply: Reply): Reply {
  return reply.header('cache-control', 'no-store');
}

function mayRead({ mayReadMetrics, metricsToken }: Omit<HealthParts, 'app'>, request: Request): boolean {
  if (mayReadMetrics(request.raw)) return true;
  if (metricsToken === null || metricsToken === undefined) return false;
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${metricsToken}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

type Outcome = 'ok' | 'failed';
type Readiness = () => Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, Outcome>> }>;

/** Runs the checks side by side; says each change of readiness in the log, once. */
function createReadiness({ checks, isDraining, log, checkMs = CHECK_MS }: Omit<HealthParts, 'app'>): Readiness {
  const last = new Map<string, Outcome>();
  return async () => {
    const outcomes = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const { ok, reason } = await outcomeOf(check, checkMs);
        const outcome = ok ? 'ok' : 'failed';
        if ((last.get(name) ?? 'ok') !== outcome) sayChange(log, name, ok, reason);
        last.set(name, outcome);
        return [name, outcome] as const;
      }),
    );
    return { ready: !isDraining() && outcomes.every(([, o]) => o === 'ok'), checks: Object.fromEntries(outcomes) };
  };
}

function sayChange(log: Log, check: string, ok: boolean, reason: string | undefined): void {
  if (ok) log.info('ready.check-recovered', { check });
  else log.warn('ready.check-failed', { check, reason });
}

async function outcomeOf(
  check: ReadinessCheck,
  ms: number,
): Promise<{ readonly ok: boolean; readonly reason?: string }> {
  const { promise: late, resolve } = Promise.withResolvers<{ readonly ok: boolean; readonly reason: string }>();
  const timer = setTimeout(resolve, ms, { ok: false, reason: `no answer within ${ms} ms` });
  try {
    return await Promise.race([Promise.resolve(check()).then((ok) => ({ ok })), late]);
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
