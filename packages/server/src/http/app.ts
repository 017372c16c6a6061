import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ClientAddresses } from './client-address.ts';
import { plainAddress } from './client-address.ts';
import type { HttpLimits, HttpObserver } from './limits.ts';
import { installSecurityHeaders, setSecurityHeaders } from './security-headers.ts';

/**
 * Names of users, rooms and files stand in paths; escaped they are three times as long.
 * @peer 400
 * @test http: a path with a part that is too long
 */
const MAX_PARAMETER_BYTES = 2_048;

/** Answers a request whose path can't be read: broken escapes, or a part of it is too long. No hook has run for it. */
export type UnreadableHandler = (request: FastifyRequest, reply: FastifyReply) => void;

const unreadable = new WeakMap<FastifyInstance, Map<string, UnreadableHandler>>();

const refusePlainly: UnreadableHandler = (_request, reply) =>
  void reply.code(400).send({ error: 'bad-request', message: 'This address cannot be read.' });

/** Paths below `prefix` that no route can read are answered by `handler`; the others get our own plain 400. */
export function handleUnreadable(app: FastifyInstance, prefix: string, handler: UnreadableHandler): void {
  unreadable.get(app)?.set(prefix, handler);
}

/** The Fastify instance that REST routes and pages hang on. It never listens itself. */
export function createApp(limits: HttpLimits, addresses: ClientAddresses, observer: HttpObserver): FastifyInstance {
  const handlers = new Map<string, UnreadableHandler>();
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    trustProxy: (address) => addresses.isTrusted(plainAddress(address)),
    routerOptions: { maxParamLength: MAX_PARAMETER_BYTES },
    frameworkErrors(_error, request, reply) {
      setSecurityHeaders(reply);
      const [, handler] = [...handlers].find(([prefix]) => request.url.startsWith(`${prefix}/`)) ?? [];
      (handler ?? refusePlainly)(request, reply);
    },
  });
  unreadable.set(app, handlers);
  installSecurityHeaders(app);
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status < 500 && error instanceof Error)
      return reply.code(status).send({ error: 'bad-request', message: error.message });
    observer.handlerFailed(`${request.method} ${request.routeOptions.url ?? 'no route'}`, error);
    return reply.code(500).send({ error: 'internal', message: 'Something went wrong here. It has been logged.' });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not-found', message: 'There is nothing at this address.' }),
  );
  return app;
}

/** Fastify's own errors (body too large, broken JSON, failed validation) carry the status to answer with. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500;
}
