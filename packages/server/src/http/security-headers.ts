import type { FastifyInstance, FastifyReply } from 'fastify';

/** For answers that are no page: nothing in them may run, load or be framed by others. */
const ANSWER_POLICY = "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/** For the pages of the web client; everything comes from this server, media and images also from memory. */
export const PAGE_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

const ANSWER_FIELDS = Object.entries({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': ANSWER_POLICY,
});

/** Adds what is missing; a route that sets one of these itself keeps its own. */
export function setSecurityHeaders(reply: FastifyReply): void {
  for (const [name, value] of ANSWER_FIELDS) if (!reply.hasHeader(name)) reply.header(name, value);
}

/** For every answer with a body: without one there is nothing that could run, load or be framed. */
export function installSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (payload !== undefined && payload !== null && payload !== '') setSecurityHeaders(reply);
    done(null, payload);
  });
}
