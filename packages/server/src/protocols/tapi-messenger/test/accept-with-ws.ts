import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { AcceptWebSocket, WebSocketPort } from '../sockjs/index.ts';

/** An acceptor on npm `ws`, for tests. */
export function acceptWithWs(): AcceptWebSocket {
  const servers = new Map<number, WebSocketServer>();
  const selected = new WeakMap<IncomingMessage, string | false>();
  return (req, socket, head, { maxPayloadBytes, protocols }) => {
    let server = servers.get(maxPayloadBytes);
    if (server === undefined) {
      server = new WebSocketServer({
        noServer: true,
        maxPayload: maxPayloadBytes,
        perMessageDeflate: false,
        handleProtocols: (_offered, request) => selected.get(request) ?? false,
      });
      servers.set(maxPayloadBytes, server);
    }
    const owner = server;
    selected.set(req, protocols[0] ?? false);
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new Error('the socket closed during the handshake'));
      socket.once('close', lost);
      owner.handleUpgrade(req, socket, head, (ws) => {
        socket.removeListener('close', lost);
        resolve(portOf(ws, socket));
      });
    });
  };
}

function portOf(ws: WebSocket, socket: { cork(): void; uncork(): void }): WebSocketPort {
  ws.pause();
  ws.on('error', () => ws.terminate());
  return {
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
    send: (data, written) => ws.send(data, { binary: typeof data !== 'string' }, written),
    onMessage(listener) {
      ws.on('message', (data: Buffer, isBinary) => listener(data, isBinary));
      ws.resume();
    },
    onPong: (listener) => void ws.on('pong', listener),
    onClose: (listener) =>
      ws.readyState === ws.CLOSED
        ? listener(1006, '')
        : void ws.on('close', (code, reason) => listener(code, reason.toString())),
    ping: () => ws.ping(),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
  };
}
