import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLimit, Problem } from '../../kit/index.ts';
import { corsHeaders, handleUnreadable, installCors, type Origins } from '../../http/index.ts';
import { type AskedParts, AskedRequest } from './asked.ts';
import { badRequest, errorAnswer, foreignOrigin, notAcceptable, notFound } from './errors.ts';
import type { ChatApiObserver } from './parts.ts';
import { type Answer, isTextSchema, type Route } from './route.ts';

/** Where the REST API stands (OF §1.1). The second is canonical. */
export const BASES = ['/rest/api/restapi/v1', '/restapi/v1', '/plugins/restapi/v1'] as const;

/** OF §1.5, and ours: idempotency, acting for a user, our answers' headers. */
const CORS = {
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'],
  headers: ['origin', 'content-type', 'accept', 'authorization', 'last-event-id', 'idempotency-key', 'x-chat-user'],
  exposed: ['x-message-id', 'x-session-token', 'x-idempotent-repeat', 'retry-after'],
};

export interface RouterParts extends AskedParts {
  readonly origins: Origins;
  readonly observer: Pick<ChatApiObserver, 'trouble' | 'limitHit'>;
}

/** What every scope of the surface has: CORS, bodies as text, the error entity for whatever goes wrong. */
export function prepareScope(scope: FastifyInstance, parts: Pick<RouterParts, 'origins' | 'observer'>): void {
  installCors(scope, { origins: parts.origins, ...CORS, refuse: (reply) => sendProblem(reply, foreignOrigin()) });
  scope.removeAllContentTypeParsers();
  // OF §1.2: the same bodies come as text, as JSON, or as nothing in particular; also under what is no type at all.
  scope.addHook('onRequest', (request, _reply, done) => {
    request.raw.headers['content-type'] = undefined;
    done();
  });
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler((error, request, reply) => {
    const problem = problemFrom(error, request, parts.observer);
    if (isLimit(problem.code)) parts.observer.limitHit(problem.code, request.ip);
    return sendProblem(reply, problem);
  });
  scope.setNotFoundHandler((_request, reply) => sendProblem(reply, notFound()));
}

/** The error entity for what no route below `prefix` can read. */
export function answerUnreadable(
  app: FastifyInstance,
  prefix: string,
  { origins }: Pick<RouterParts, 'origins'>,
): void {
  const setHeaders = corsHeaders({ origins, ...CORS });
  handleUnreadable(app, prefix, (request, reply) => {
    setHeaders(request, reply);
    sendProblem(reply, badRequest('', 'This address cannot be read.'));
  });
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, entity, retryAfter } = errorAnswer(problem);
  if (retryAfter !== null) reply.header('retry-after', String(retryAfter));
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(entity));
}

/** What is no peer's doing is recorded, and told without its reason. */
function problemFrom(error: unknown, request: FastifyRequest, observer: Pick<ChatApiObserver, 'trouble'>): Problem {
  if (error instanceof Problem) return error;
  const status = statusOf(error);
  if (status === 413) return new Problem('body-too-large', 'The body is too large.');
  if (status !== null && status < 500) return new Problem('bad-request', 'The request cannot be read.');
  observer.trouble(`${request.method} ${request.routeOptions.url ?? 'no route'}`, error);
  return new Problem('internal', 'Something went wrong here. It has been recorded.');
}

/** Fastify's own errors carry the status to answer with. */
function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}

/** Adds the routes below `{base}/chat`, each with and without a trailing slash, and both spellings of OF §5.1. */
export function addRoutes(scope: FastifyInstance, routes: readonly Route[], parts: RouterParts): void {
  for (const route of routes)
    for (const url of urlsOf(route))
      scope.route({
        method: route.method,
        url,
        bodyLimit: route.bodyLimit,
        handler(request, reply) {
          serve(parts, route, request, reply).catch((error: unknown) => reply.send(error));
        },
      });
}

/** Paths below the base. */
export function pathsOf(route: Pick<Route, 'path' | 'form'>): readonly string[] {
  return route.form === 'plain' ? [`/chat${route.path}`] : [`/chat${route.path}`, `/chat/:stream${route.path}`];
}

function urlsOf(route: Route): readonly string[] {
  return pathsOf(route).flatMap((path) => [path, `${path}/`]);
}

async function serve(parts: RouterParts, route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const caller = parts.callers.require(request.raw);
  // A known token needs no looking up.
  const asked = new AskedRequest(parts, route, request, caller instanceof Promise ? await caller : caller);
  const isEntity = route.answer.schema !== null && !isTextSchema(route.answer.schema);
  if (isEntity && !acceptsJson(request.headers.accept)) throw notAcceptable('application/json');
  const body = typeof request.body === 'string' ? request.body : '';
  const answer = await route.run(asked, { params: request.params, query: request.query, body });
  sendAnswer(reply, route, answer);
}

function sendAnswer(reply: FastifyReply, route: Route, answer: Answer): FastifyReply {
  reply.code(answer.status ?? route.answer.status).header('cache-control', 'no-store');
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.text !== undefined) return reply.type('text/plain; charset=utf-8').send(answer.text);
  if (answer.json !== undefined) return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.json));
  return reply.send();
}

/** XML comes later: until then only a client that takes nothing but XML, or nothing of ours, is refused. */
function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  const ranges = accept.split(',').map((range) => range.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  return (
    ranges.length > 1 ||
    ranges.some((type) => type === 'application/json' || type === 'application/*' || type === '*/*')
  );
}
