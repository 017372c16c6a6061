import { randomInt } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../kit/index.ts';
import { Admission } from './admission.ts';
import type { Environment } from './environment.ts';
import { openGuarded } from './guard.ts';
import { cacheable, cors, isOriginAllowed, noCache, preflight } from './headers.ts';
import { HttpTransports } from './http-transports.ts';
import { sockJsDefaults } from './options.ts';
import type { SockJsOptions } from './options.ts';
import { greeting, iframePage } from './pages.ts';
import type { IframePage } from './pages.ts';
import type { AcceptWebSocket, Elsewhere, OnConnection } from './ports.ts';
import { replyEmpty, replyMethodNotAllowed, replyText, responseOn } from './replies.ts';
import { methodsOf, routeOf, splitTarget } from './routes.ts';
import type { Route } from './routes.ts';
import { TurnEnd } from './turn-end.ts';
import { notWebSocket } from './upgrade.ts';
import { WebSockets } from './websockets.ts';

export interface SockJsParts {
  readonly clock: Clock;
  readonly acceptWebSocket: AcceptWebSocket;
  readonly onConnection: OnConnection;
  /** Told about what should not happen: a handler that throws, a handshake that fails late. */
  readonly onDefect: (error: unknown) => void;
  /** Told about addresses that found no room for a session. */
  readonly onFull?: (address: string) => void;
  /** The address that bounds count by; by default the socket's. */
  readonly addressOf?: (req: IncomingMessage) => string;
  /** Shared by the endpoints of one process, so that all sockets are written together. */
  readonly turnEnd?: TurnEnd;
  /** Where other nodes have sessions too. */
  readonly elsewhere?: Elsewhere;
}

/**
 * One SockJS service below one prefix (TM §2). The owner of the listener hands it what comes under the prefix: `handleRequest`
 * from `request` events, `handleUpgrade` from `upgrade` events, synchronously. Both say false to a path that is not theirs.
 */
export class SockJsEndpoint implements AsyncDisposable {
  readonly #environment: Environment;
  readonly #http: HttpTransports;
  readonly #webSockets: WebSockets;
  readonly #iframe: IframePage;
  readonly #elsewhere: Elsewhere | undefined;
  #isClosed = false;

  constructor(parts: SockJsParts, options: Partial<SockJsOptions> = {}) {
    const settings = { ...sockJsDefaults, ...options };
    this.#environment = {
      options: settings,
      clock: parts.clock,
      turnEnd: parts.turnEnd ?? new TurnEnd(),
      admission: new Admission(settings.maxSessions, settings.maxSessionsPerAddress),
      acceptWebSocket: parts.acceptWebSocket,
      addressOf: parts.addressOf ?? ((req) => req.socket.remoteAddress ?? ''),
      open: (connection, req) => openGuarded(parts.onConnection, parts.onDefect, connection, req),
      onDefect: parts.onDefect,
      onFull: parts.onFull ?? (() => undefined),
    };
    this.#http = new HttpTransports(this.#environment);
    this.#webSockets = new WebSockets(this.#environment);
    this.#iframe = iframePage(settings.clientUrl);
    this.#elsewhere = parts.elsewhere;
  }

  get prefix(): string {
    return this.#environment.options.prefix;
  }

  get sessionCount(): number {
    return this.#environment.admission.count;
  }

  /** The session's requests over HTTP are served here. */
  hasSession(id: string): boolean {
    return this.#http.has(id);
  }

  handleRequest(req: IncomingMessage, res: ServerResponse): boolean {
    const { path, query } = splitTarget(req.url ?? '');
    const route = routeOf(this.#environment.options.prefix, path);
    if (route === undefined) return false;
    res.on('error', () => res.destroy());
    this.#serve(req, res, route, query).catch((error: unknown) => {
      // TM SJ-2: never a hung response.
      this.#environment.onDefect(error);
      if (res.headersSent) res.destroy();
      else replyEmpty(res, 500);
    });
    return true;
  }

  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const { path } = splitTarget(req.url ?? '');
    const { options, onDefect } = this.#environment;
    const route = routeOf(options.prefix, path);
    if (route === undefined) return false;
    socket.on('error', () => socket.destroy());
    const reply = (answer: (res: ServerResponse) => void): void => {
      const res = responseOn(req, socket);
      if (res === undefined) socket.destroy();
      else answer(res);
    };
    const refuse = (status: number, text: string, headers: OutgoingHttpHeaders = {}): void =>
      reply((res) => (text === '' ? replyEmpty(res, status, headers) : replyText(res, status, text, headers)));
    const isWebSocket = route.kind === 'raw-websocket' || (route.kind === 'session' && route.transport === 'websocket');
    if (!isWebSocket || req.method !== 'GET' || !options.websocket) {
      // A client may offer an upgrade that nobody here wants (RFC 9110 7.8). A body, though, is lost by now.
      if (route.kind === 'session' && route.transport.endsWith('_send')) refuse(400, 'Upgrade is not possible here.');
      else reply((res) => void this.handleRequest(req, res));
      return true;
    }
    if (!isOriginAllowed(req, options.allowedOrigins)) {
      refuse(403, '');
      return true;
    }
    const session = route.kind === 'session' ? route.session : undefined;
    this.#webSockets.upgrade({ req, socket, head, session, refuse }).catch((error: unknown) => {
      onDefect(error);
      socket.destroy();
    });
    return true;
  }

  /** Closes every session with `c[1001,…]` (TM AP-3); resolves when all sockets are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#http.closeAll(1001, 'Server shutting down');
    await this.#webSockets.closeAll(1001, 'Server shutting down');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // Asynchronous so that whatever is thrown below ends in one place.
  async #serve(req: IncomingMessage, res: ServerResponse, route: Route, query: string): Promise<void> {
    const { options, clock } = this.#environment;
    if (!options.websocket && (route.kind === 'raw-websocket' || isWebSocketSession(route)))
      return replyEmpty(res, 404);
    const methods = methodsOf(route);
    if (methods.length === 0) return replyEmpty(res, 404);
    if (!methods.includes(req.method ?? '')) return replyMethodNotAllowed(res, methods);
    const refusal = this.#originRefusal(req, route);
    if (refusal !== undefined) return replyEmpty(res, refusal);
    if (req.method === 'OPTIONS') return replyEmpty(res, 204, preflight(req, methods.join(', '), clock.now()));
    switch (route.kind) {
      case 'greeting':
        return replyText(res, 200, greeting);
      case 'info':
        return this.#info(req, res);
      case 'iframe':
        return this.#page(req, res);
      case 'session':
        return this.#session(req, res, route, query);
      default:
        return replyText(res, 400, notWebSocket);
    }
  }

  async #session(
    req: IncomingMessage,
    res: ServerResponse,
    { transport, session }: Extract<Route, { kind: 'session' }>,
    query: string,
  ): Promise<void> {
    if (transport === 'websocket') return replyText(res, 400, notWebSocket);
    const isReceiving = !transport.endsWith('_send');
    const isServed = !this.#http.has(session) && this.#elsewhere?.serve(req, res, session, isReceiving);
    // While it was looked for, its client may have gone, or this node may have begun to stop.
    if (isServed && ((await isServed) || res.destroyed)) return;
    if (this.#isClosed) return replyEmpty(res, 503, { ...noCache, Connection: 'close' });
    switch (transport) {
      case 'xhr_send':
      case 'jsonp_send':
        return this.#http.send(req, res, transport, session);
      default:
        return this.#http.receive(req, res, transport, session, query);
    }
  }

  /** TM SJ-15. Pages that a browser embeds carry no Origin: where origins are listed, they are not there at all. */
  #originRefusal(req: IncomingMessage, route: Route): 403 | 404 | undefined {
    const { allowedOrigins } = this.#environment.options;
    if (route.kind === 'greeting') return undefined;
    const isEmbedded =
      route.kind === 'iframe' || (route.kind === 'session' && ['htmlfile', 'jsonp'].includes(route.transport));
    if (isEmbedded) return allowedOrigins.includes('*') ? undefined : 404;
    return isOriginAllowed(req, allowedOrigins) ? undefined : 403;
  }

  /** TM SJ-21. */
  #info(req: IncomingMessage, res: ServerResponse): void {
    const { websocket, cookieNeeded } = this.#environment.options;
    const body = JSON.stringify({
      websocket,
      cookie_needed: cookieNeeded,
      origins: ['*:*'],
      entropy: randomInt(2 ** 32),
    });
    replyText(res, 200, body, { ...noCache, ...cors(req), 'Content-Type': 'application/json; charset=UTF-8' });
  }

  /** TM SJ-22. */
  #page(req: IncomingMessage, res: ServerResponse): void {
    const headers = { ...cacheable(this.#environment.clock.now()), ETag: this.#iframe.etag };
    if (req.headers['if-none-match'] === this.#iframe.etag) return replyEmpty(res, 304, headers);
    replyText(res, 200, this.#iframe.body, { ...headers, 'Content-Type': 'text/html; charset=UTF-8' });
  }
}

function isWebSocketSession(route: Route): boolean {
  return route.kind === 'session' && route.transport === 'websocket';
}
