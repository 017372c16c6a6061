import type { TapiMessengerParts } from './parts.ts';
import { openSessionOwners } from './session-owners.ts';
import {
  type AcceptWebSocket,
  createSelfTestEndpoints,
  type OnConnection,
  SockJsEndpoint,
  type SockJsOptions,
  TurnEnd,
} from './sockjs/index.ts';

/** Hangs the SockJS endpoint on the listener, with the self-test services where they are asked for (TM SJ-60). */
export function openSockJs(parts: TapiMessengerParts, onConnection: OnConnection): { close(): Promise<void> } {
  const { http, clock, observer, settings } = parts;
  const { sockjs, stomp } = settings;
  const acceptWebSocket: AcceptWebSocket = (req, socket, head, options) =>
    http.acceptWebSocket(req, socket, head, options);
  const common = {
    clock,
    acceptWebSocket,
    onDefect: (error: unknown) => observer.trouble('sockjs', error),
    onFull: (address: string) => observer.limitHit('sockjs.sessions', address),
    addressOf: (req: Parameters<OnConnection>[1]) => http.addresses.addressOf(req),
    turnEnd: new TurnEnd((run) => http.atTurnEnd(run)),
  };
  const options: Partial<SockJsOptions> = {
    prefix: sockjs.prefix,
    allowedOrigins: sockjs.allowedOrigins,
    heartbeatMs: sockjs.heartbeatMs,
    disconnectDelayMs: sockjs.disconnectDelayMs,
    responseLimitBytes: sockjs.responseLimitBytes,
    websocket: sockjs.websocket,
    cookieNeeded: sockjs.cookieNeeded,
    clientUrl: sockjs.clientUrl,
    maxBodyBytes: sockjs.maxBodyBytes,
    maxMessageBytes: sockjs.maxBodyBytes,
    sendBufferBytes: stomp.sendBufferBytes,
    sendTimeLimitMs: stomp.sendTimeLimitMs,
  };
  const owners =
    parts.otherNodes && openSessionOwners({ ...parts, ...parts.otherNodes, has: (id) => main.hasSession(id) });
  const elsewhere = owners === undefined ? {} : { elsewhere: owners };
  const main: SockJsEndpoint = new SockJsEndpoint({ ...common, ...elsewhere, onConnection }, options);
  const endpoints = [main];
  const stops = [mount(parts, main)];
  if (owners !== undefined) stops.push(owners.close);
  if (sockjs.selftest)
    for (const endpoint of createSelfTestEndpoints(common)) {
      endpoints.push(endpoint);
      stops.push(mount(parts, endpoint));
    }
  const close = async (): Promise<void> => {
    await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  };
  stops.push(http.onDrain(close));
  return {
    async close() {
      for (const stop of stops) stop();
      await close();
    },
  };
}

function mount({ http }: TapiMessengerParts, endpoint: SockJsEndpoint): () => void {
  const { prefix } = endpoint;
  const stops = [
    http.mountRaw(prefix, (req, res) => {
      if (!endpoint.handleRequest(req, res)) res.writeHead(404, { 'content-length': 0 }).end();
    }),
    http.mountUpgrade({ prefix }, (req, socket, head) => {
      if (!endpoint.handleUpgrade(req, socket, head)) socket.destroy();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
