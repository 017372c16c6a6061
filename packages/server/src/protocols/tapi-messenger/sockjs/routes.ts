/** The URL map of TM §2.1, as a pure function. */

export type SessionTransport =
  'websocket' | 'xhr' | 'xhr_streaming' | 'xhr_send' | 'eventsource' | 'htmlfile' | 'jsonp' | 'jsonp_send';

export type Route =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'raw-websocket' | 'none' }
  | { readonly kind: 'session'; readonly transport: SessionTransport; readonly session: string };

const methods: Record<SessionTransport | 'greeting' | 'info' | 'iframe' | 'raw-websocket', readonly string[]> = {
  greeting: ['GET'],
  info: ['OPTIONS', 'GET'],
  iframe: ['GET'],
  'raw-websocket': ['GET'],
  websocket: ['GET'],
  xhr: ['OPTIONS', 'POST'],
  xhr_streaming: ['OPTIONS', 'POST'],
  xhr_send: ['OPTIONS', 'POST'],
  eventsource: ['GET'],
  htmlfile: ['GET'],
  jsonp: ['GET'],
  jsonp_send: ['POST'],
};

/** TM SJ-50: longer ids are not found. */
const sessionPath = /^\/[^/.]+\/([^/.]{1,128})\/([a-z_]+)$/;
const iframePath = /^\/iframe[0-9\-.a-z_]*\.html$/;

/** Methods of a route, for `Allow`; none where nothing is found. */
export function methodsOf(route: Route): readonly string[] {
  if (route.kind === 'session') return methods[route.transport];
  return route.kind === 'none' ? [] : methods[route.kind];
}

/** Path and query of a request target, absolute form included (RFC 9112 3.2.2). */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const local = target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark < 0 ? { path: local, query: '' } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

/** The route of a path, or undefined where the path does not lie under `prefix`. */
export function routeOf(prefix: string, path: string): Route | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const below = path.slice(prefix.length);
  if (below === '' || below === '/') return { kind: 'greeting' };
  if (!below.startsWith('/')) return undefined;
  // One trailing slash is accepted on every URL.
  const rest = below.endsWith('/') ? below.slice(0, -1) : below;
  if (rest === '/info') return { kind: 'info' };
  if (rest === '/websocket') return { kind: 'raw-websocket' };
  if (iframePath.test(rest)) return { kind: 'iframe' };
  const match = sessionPath.exec(rest);
  const session = match?.[1];
  const transport = match?.[2];
  if (session === undefined || !isSessionTransport(transport)) return { kind: 'none' };
  return { kind: 'session', transport, session };
}

function isSessionTransport(text: string | undefined): text is SessionTransport {
  return text !== undefined && Object.hasOwn(methods, text) && !['greeting', 'info', 'iframe'].includes(text);
}
