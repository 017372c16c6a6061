import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OriginKind, Origins } from './origins.ts';

export interface CorsOptions {
  readonly origins: Origins;
  readonly methods: readonly string[];
  /** Header fields that pages of other origins may send. */
  readonly headers: readonly string[];
  /** Header fields that they may read besides the simple ones. */
  readonly exposed?: readonly string[];
  /** Answers pages that may not do what they ask for; a plain 403 by default. */
  readonly refuse?: (reply: FastifyReply) => FastifyReply;
}

/** Methods that change nothing. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sets what every answer in the scope carries. Returns what the request's origin is to us. */
export type SetCorsHeaders = (request: FastifyRequest, reply: FastifyReply) => OriginKind;

/** For answers that no hook sees. */
export function corsHeaders({ origins, methods, headers, exposed = [] }: CorsOptions): SetCorsHeaders {
  const ofAll = {
    vary: 'Origin',
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': headers.join(', '),
  };
  /** Only pages of other origins are kept from reading what is not exposed. */
  const ofPages = {
    ...ofAll,
    ...(exposed.length === 0 ? {} : { 'access-control-expose-headers': exposed.join(', ') }),
  };
  const anybody = { 'access-control-allow-origin': '*' };
  const noPage = { ...ofAll, ...anybody };
  const anyPage = { ...ofPages, ...anybody };
  const namedPage = { ...ofPages, 'access-control-allow-credentials': 'true' };
  return (request, reply) => {
    const kind = origins.kindOf(request.raw);
    if (kind === 'none') reply.headers(noPage);
    else if (kind === 'any') reply.headers(anyPage);
    else if (kind === 'foreign') reply.headers(ofPages);
    // Credentials go with named origins only, never with `*` (design: Security).
    else reply.headers(namedPage).header('access-control-allow-origin', request.headers.origin);
    return kind;
  };
}

const refusePlainly = (reply: FastifyReply): FastifyReply =>
  reply.code(403).send({ error: 'origin-not-allowed', message: 'Pages of this origin may not do that.' });

/**
 * CORS for everything in this Fastify scope, errors included (OF §1.5), and a 403 for changes that a page of an origin
 * that is not allowed tries to make: browsers send such requests first and ask afterwards.
 */
export function installCors(scope: FastifyInstance, options: CorsOptions): void {
  const setHeaders = corsHeaders(options);
  scope.addHook('onRequest', (request, reply, done) => {
    const kind = setHeaders(request, reply);
    if (kind === 'foreign' && !SAFE_METHODS.has(request.method)) (options.refuse ?? refusePlainly)(reply);
    else done();
  });
  // OF §1.5: a preflight is answered with an empty 200, without credentials.
  for (const url of ['/', '/*']) scope.options(url, (_request, reply) => reply.code(200).send());
}
