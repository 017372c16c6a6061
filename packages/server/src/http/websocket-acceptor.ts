import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Problem } from '../kit/index.ts';
import { CLOSE_TIMEOUT_MS, MAX_CHUNKS, MAX_FRAGMENTS, type HttpObserver } from './limits.ts';
import { destroyOnError, refuseUpgrade } from './refusal.ts';
import type { TurnJoiner } from './turn-joiner.ts';
import { WsPort, type BeforeLogin, type WebSocketPort } from './websocket-port.ts';

export interface AcceptOptions {
  /** Largest message, fragments joined. A larger one closes the socket with 1009. */
  readonly maxPayloadBytes: number;
  /** Subprotocols that the surface speaks, best first; the first one that the client offers is chosen. None offered: none. */
  readonly protocols?: readonly string[];
  /** Bounds that hold until `admit()`. Without it the socket counts as logged in. */
  readonly untilAdmitted?: BeforeLogin;
}

/** Accepts the WebSocket. Rejects with a Problem `not-a-websocket` or `gone`; the peer has then been answered. */
export type AcceptWebSocket = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
) => Promise<WebSocketPort>;

export interface AcceptorSettings {
  readonly joiner: TurnJoiner;
  readonly addressOf: (req: IncomingMessage) => string;
  readonly observer: HttpObserver;
}

/** Apart from the call, because the published types don't know the two counts yet. */
const SETTINGS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_CHUNKS,
  closeTimeout: CLOSE_TIMEOUT_MS,
};

/** `perMessageDeflate` stays off: it costs 217 KB a connection and most of the rate. */
export function createWebSocketAcceptor({ joiner, addressOf, observer }: AcceptorSettings): AcceptWebSocket {
  return (req, socket, head, options) =>
    new Promise((resolve, reject) => {
      const remoteAddress = addressOf(req);
      const server = new WebSocketServer({
        ...SETTINGS,
        maxPayload: options.maxPayloadBytes,
        handleProtocols: (offered) => (options.protocols ?? []).find((p) => offered.has(p)) ?? false,
      });
      server.once('wsClientError', (error) => {
        refuseUpgrade(socket, 400, { body: 'Not a valid websocket request' });
        reject(new Problem('not-a-websocket', error.message));
      });
      socket.on('error', destroyOnError);
      const gone = (): void => reject(new Problem('gone', 'the client left during the handshake'));
      if (socket.destroyed) return gone();
      socket.once('close', gone);
      server.handleUpgrade(req, socket, head, (ws) => {
        socket.off('close', gone);
        const refused = (what: 'bytes' | 'messages' | 'protocol'): void =>
          observer.limitHit(what === 'protocol' ? 'ws.protocol' : `ws.${what}-before-login`, remoteAddress);
        resolve(new WsPort(ws, { socket, remoteAddress, joiner, untilAdmitted: options.untilAdmitted, refused }));
      });
    });
}
