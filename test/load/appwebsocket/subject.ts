import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppService, AppWebsocketClient } from '@tieline/appwebsocket';
import { WebSocket, WebSocketServer } from 'ws';
import { PASSWORD } from './password.ts';

/** The process under test: `bare` uses the `ws` package alone, `library` uses ours. Told what to do by its parent. */

const role = process.argv[2] ?? '';

type Order = { readonly order: 'usage' } | { readonly order: 'drive'; readonly messages: number };
const tell = (message: object): void => void process.send?.(message);

const roles: Readonly<Record<string, () => Promise<void> | void>> = {
  'bare-server': () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1024 * 1024 });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const message = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
        const { api, mt, src, n } = message;
        socket.send(JSON.stringify({ api, mt: `${String(mt)}Result`, src, n }));
      });
    });
    server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
  },
  'library-server': () => {
    const server = createServer();
    const service = new AppService({ password: PASSWORD });
    service.api('com.acme.bench', { Echo: ({ n }) => ({ n }) });
    service.mount(server);
    server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
  },
  'bare-client': () => {
    const sockets = connections((url) => new WebSocket(url, { perMessageDeflate: false }));
    drive(sockets, {
      whenOpen: (socket, open) => void socket.on('open', open),
      onAnswer: (socket, take) =>
        void socket.on('message', (data) => take(JSON.parse((data as Buffer).toString()) as Record<string, unknown>)),
      send: (socket, text) => socket.send(text),
    });
  },
  'library-client': () => {
    const sockets = connections((url) => AppWebsocketClient.connect(url, PASSWORD, 'bench'));
    drive(sockets, {
      whenOpen: (socket, open) => void socket.onopen(open),
      onAnswer: (socket, take) => void socket.onmessage((_socket, _text, message) => take(message)),
      send: (socket, text) => void socket.send(text),
    });
  },
};

function connections<T>(make: (url: string) => T): readonly T[] {
  const [, , , url = '', count = '1'] = process.argv;
  return Array.from({ length: Number(count) }, () => make(url));
}

interface Drive<T> {
  readonly whenOpen: (socket: T, open: () => void) => void;
  readonly onAnswer: (socket: T, take: (message: Readonly<Record<string, unknown>>) => void) => void;
  readonly send: (socket: T, text: string) => void;
}

/** Sends on every connection in bursts, the next burst when the last one is answered. */
function drive<T>(sockets: readonly T[], { whenOpen, onAnswer, send }: Drive<T>): void {
  const burst = Number(process.argv[5] ?? '1');
  let left = 0;
  let waiting = 0;
  let opened = 0;
  const sendBurst = (socket: T): void => {
    for (let i = 0; i < burst; i++) {
      send(socket, JSON.stringify({ api: 'com.acme.bench', mt: 'Echo', src: String(i), n: left }));
    }
    waiting += burst;
  };
  for (const socket of sockets) {
    let answered = 0;
    whenOpen(socket, () => {
      if (++opened === sockets.length) tell({ isOpen: true });
    });
    onAnswer(socket, ({ mt }) => {
      if (mt !== 'EchoResult') throw new Error(`unexpected ${String(mt)}`);
      waiting--;
      if (++answered % burst !== 0) return;
      if ((left -= burst) > 0) sendBurst(socket);
      else if (waiting === 0) tell({ isDone: true });
    });
  }
  process.on('message', (order: Order) => {
    if (order.order !== 'drive') return;
    left = order.messages;
    for (const socket of sockets) sendBurst(socket);
  });
}

process.on('message', (order: Order) => {
  if (order.order !== 'usage') return;
  const { user, system } = process.cpuUsage();
  tell({ cpuSeconds: (user + system) / 1e6 });
});
await roles[role]?.();
