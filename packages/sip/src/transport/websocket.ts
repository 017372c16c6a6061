import { isUtf8 } from 'node:buffer';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from '../messages/index.ts';
import type { Wire } from './connection.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint } from './port.ts';
import { listen, trackSockets } from './streams.ts';
import type { ServerOptions, StreamServer, TlsTrust } from './streams.ts';

/**
 * A WebSocket message is one SIP message (RFC 7118 5): the same bounds.
 * @peer closed with 1009
 * @test transport/websocket: a bad message
 */
const MAX_PAYLOAD = MAX_HEAD_BYTES + MAX_BODY_BYTES;
/** RFC 7118 4.1. */
const SUBPROTOCOL = 'sip';

const offersSip = (request: IncomingMessage): boolean =>
  (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((name) => name.trim().toLowerCase() === SUBPROTOCOL);

/** Accepts WebSockets of the subprotocol `sip` on exactly this address, with TLS where an identity is given. */
export async function listenWebSocket(
  bind: Endpoint,
  options: ServerOptions,
  isWelcome: (request: IncomingMessage) => boolean,
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
): Promise<StreamServer> {
  const { identity } = options;
  // Node looks for late requests every half minute unless told otherwise.
  const times = { connectionsCheckingInterval: 1_000, headersTimeout: options.handshakeTimeoutMs };
  const limits = { ...times, requestTimeout: options.handshakeTimeoutMs };
  const server =
    identity === undefined
      ? createHttpServer(limits)
      : createHttpsServer({
          ...limits,
          handshakeTimeout: options.handshakeTimeoutMs,
          key: identity.key,
          cert: identity.cert,
        });
  server.maxConnections = options.maxConnections;
  const closeSockets = trackSockets(server, options.maxConnectionsPerAddress);
  const acceptor = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  server.on('request', (_request, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!offersSip(request)) return refuse(socket, '400 Bad Request');
    if (!isWelcome(request)) return refuse(socket, '503 Service Unavailable');
    acceptor.handleUpgrade(request, socket, head, (accepted) => onSocket(accepted, request));
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const local = await listen(server, bind);
  return {
    local,
    reload(next) {
      if ('setSecureContext' in server) server.setSecureContext({ key: next.key, cert: next.cert });
    },
    close: () =>
      new Promise((resolve) => {
        acceptor.close();
        server.close(() => resolve());
        closeSockets();
      }),
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

export interface DialWebSocketOptions {
  readonly remote: Endpoint;
  readonly timeoutMs: number;
  readonly tls?: { readonly trust: TlsTrust; readonly serverName: string };
}

/** The socket comes paused: what the peer sends at once waits until somebody listens and resumes it. */
export function dialWebSocket(options: DialWebSocketOptions): Promise<WebSocket> {
  const { remote, tls } = options;
  const host = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
  const ca = tls?.trust.ca;
  const socket = new WebSocket(`${tls === undefined ? 'ws' : 'wss'}://${host}:${remote.port}/`, SUBPROTOCOL, {
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    handshakeTimeout: options.timeoutMs,
    ...(tls === undefined
      ? {}
      : {
          rejectUnauthorized: tls.trust.rejectUnauthorized ?? true,
          // SNI names hosts, not addresses (RFC 6066 3); the certificate is checked against the URL's host then.
          servername: isIP(tls.serverName) === 0 ? tls.serverName : '',
        }),
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
  });
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void =>
      reject(new TransportFailure('connect-failed', `${host}:${remote.port}: ${error.message}`, error));
    socket.once('error', onError);
    socket.once('open', () => {
      socket.off('error', onError);
      socket.pause();
      resolve(socket);
    });
  });
}

export function wireOfWebSocket(socket: WebSocket): Wire {
  return {
    // RFC 7118 5: text where the message is UTF-8, else binary.
    write: (bytes) => socket.send(bytes, { binary: !isUtf8(bytes) }, () => undefined),
    get queuedBytes() {
      return socket.bufferedAmount;
    },
    end: () => socket.close(1000),
    destroy: () => socket.terminate(),
  };
}

export function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
