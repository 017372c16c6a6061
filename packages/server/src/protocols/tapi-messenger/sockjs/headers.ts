import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

const oneYearSeconds = 31_536_000;

/** TM SJ-10. */
export const noCache: OutgoingHttpHeaders = {
  'Cache-Control': 'no-store, no-cache, no-transform, must-revalidate, max-age=0',
};

/** TM SJ-11. */
export function cacheable(nowMs: number): OutgoingHttpHeaders {
  return {
    'Cache-Control': `public, max-age=${oneYearSeconds}`,
    Expires: new Date(nowMs + oneYearSeconds * 1000).toUTCString(),
  };
}

/** TM SJ-12. */
export function cors(req: IncomingMessage): OutgoingHttpHeaders {
  const origin = req.headers.origin;
  const asked = req.headers['access-control-request-headers'];
  return {
    ...(origin === undefined || origin === ''
      ? { 'Access-Control-Allow-Origin': '*' }
      : { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' }),
    Vary: 'Origin',
    ...(asked === undefined || asked === '' ? {} : { 'Access-Control-Allow-Headers': asked }),
  };
}

/** TM SJ-12, exception: an EventSource of a page without an origin gets the star. */
export function eventSourceCors(req: IncomingMessage): OutgoingHttpHeaders {
  return req.headers.origin === 'null' ? { 'Access-Control-Allow-Origin': '*', Vary: 'Origin' } : cors(req);
}

/** TM SJ-13. `methods` as in `Allow`. */
export function preflight(req: IncomingMessage, methods: string, nowMs: number): OutgoingHttpHeaders {
  return {
    ...cacheable(nowMs),
    ...cors(req),
    'Access-Control-Max-Age': oneYearSeconds,
    'Access-Control-Allow-Methods': methods,
  };
}

/** TM SJ-14. A value that could not stand in a header again counts as none. */
export function sessionCookie(req: IncomingMessage): OutgoingHttpHeaders {
  const sent = /(?:^|;)\s*JSESSIONID=([\x21-\x3a\x3c-\x7e]*)\s*(?:;|$)/.exec(req.headers.cookie ?? '')?.[1];
  return { 'Set-Cookie': `JSESSIONID=${sent === undefined || sent === '' ? 'dummy' : sent}; path=/` };
}

/** TM SJ-15: no Origin (not a browser, or not from elsewhere), the server's own, or a listed one. */
export function isOriginAllowed(req: IncomingMessage, allowed: readonly string[]): boolean {
  const origin = req.headers.origin;
  if (allowed.includes('*') || origin === undefined || allowed.includes(origin)) return true;
  return hostOf(origin) !== undefined && hostOf(origin) === req.headers.host?.toLowerCase();
}

/** Host and port of an origin as a Host header writes them. Schemes are not compared: a proxy may have ended TLS. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

/** The offered subprotocols (RFC 6455 4.1). */
export function offeredProtocols(req: IncomingMessage): readonly string[] {
  return (req.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}
