import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { AppWebsocketConnection, ConnectOptions } from '../../src/client/connection.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import type { AppWebsocketError } from '../../src/wire/errors.ts';
import { until } from '../../../../test/kit/wait.ts';
import type { AcceptorSettings } from '../../src/handshake/acceptor-model.ts';
import { acceptorStart, acceptorStep } from '../../src/handshake/acceptor.ts';
import { randomHex } from '../../src/crypto/digests.ts';
import type { JsonObject } from '../../src/wire/envelope.ts';

export const PASSWORD = 'geheim-ä';

/** Texts that go wrong where somebody counts units, escapes or trims. */
export const TEXTS: Readonly<Record<string, string>> = {
  empty: '',
  umlauts: 'Grüße, Łódź, 東京',
  astral: '😀🦶𝄞',
  'CR LF': 'line1\r\nline2\r\n',
  'quotes and backslashes': '"\\/\u0000\u001f\u2028',
  'byte order mark': '\ufeffmarked',
  '64 KB': 'ä😀x'.repeat(10_000),
};

/** One accepted socket of a {@link ScriptedPeer}. */
export class PeerSocket {
  readonly socket: WebSocket;
  readonly received: JsonObject[] = [];
  readonly texts: string[] = [];
  closed: { code: number; reason: string } | undefined;
  sessionKey: string | undefined;
  /** Called for every message that is not part of the login. */
  onMessage: ((message: JsonObject) => void) | undefined;
  private state = acceptorStart();
  private taken = 0;

  constructor(socket: WebSocket, settings: AcceptorSettings | undefined) {
    this.socket = socket;
    socket.on('message', (data: RawData) => {
      const text = (data as Buffer).toString();
      this.texts.push(text);
      this.received.push(JSON.parse(text) as JsonObject);
      if (settings !== undefined) this.accept(text, settings);
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message with this `mt`, in order. */
  async next(mt: string): Promise<JsonObject> {
    return until(() => {
      while (this.taken < this.received.length) {
        const message = this.received[this.taken++]!;
        if (message['mt'] === mt) return message;
      }
      return undefined;
    }, `message ${mt}`);
  }

  private accept(text: string, settings: AcceptorSettings): void {
    const environment = { nowMs: Date.now(), newChallenge: () => randomHex(8) };
    const pending: Parameters<typeof acceptorStep>[1][] = [{ type: 'text', text }];
    for (let input = pending.shift(); input !== undefined; input = pending.shift()) {
      const { state, effects } = acceptorStep(this.state, input, environment, settings);
      this.state = state;
      this.sessionKey = state.sessionKey;
      for (const effect of effects) {
        if (effect.type === 'send') this.send(effect.text);
        if (effect.type === 'lookup')
          pending.push({ type: 'looked-up', ticket: effect.ticket, answer: { passwords: [PASSWORD] } });
        if (effect.type === 'message') this.onMessage?.(effect.envelope.message);
        if (effect.type === 'close') this.socket.close(effect.code, effect.reason);
      }
    }
  }
}

/** A WebSocket server whose sockets log in (or, without settings, leave all to the test). */
export class ScriptedPeer implements AsyncDisposable {
  readonly sockets: PeerSocket[] = [];
  private readonly server: WebSocketServer;

  private constructor(server: WebSocketServer, settings: AcceptorSettings | undefined, each?: (s: PeerSocket) => void) {
    this.server = server;
    server.on('connection', (socket) => {
      const peer = new PeerSocket(socket, settings);
      this.sockets.push(peer);
      each?.(peer);
    });
  }

  static async start(
    settings: AcceptorSettings | 'silent' = {},
    each?: (socket: PeerSocket) => void,
    port = 0,
  ): Promise<ScriptedPeer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 2 ** 24 });
    await once(server, 'listening');
    return new ScriptedPeer(server, settings === 'silent' ? undefined : settings, each);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/example.com/tool`;
  }

  /** The socket of the n-th connection. */
  socket(n = 0): Promise<PeerSocket> {
    return until(() => this.sockets[n], `connection ${n}`);
  }

  async close(): Promise<void> {
    for (const { socket } of this.sockets) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface Told {
  readonly events: string[];
  readonly texts: string[];
  error: AppWebsocketError | undefined;
  closed: Promise<AppWebsocketError | undefined>;
}

/** Notes what the callbacks say. */
export function listen(conn: AppWebsocketConnection): Told {
  const told: Told = { events: [], texts: [], error: undefined, closed: Promise.resolve(undefined) };
  told.closed = new Promise((resolve) =>
    conn
      .onopen(() => told.events.push('open'))
      .onmessage((_conn, text) => told.texts.push(text))
      .onclose((_conn, error) => {
        told.events.push('close');
        told.error = error;
        resolve(error);
      }),
  );
  return told;
}

export const connect = (peer: ScriptedPeer, options?: ConnectOptions, app = 'tool'): AppWebsocketConnection =>
  AppWebsocketClient.connect(peer.url, PASSWORD, app, 'example.com', 'tool', 'a1', 'Tool', options);

export const opened = (conn: AppWebsocketConnection): Promise<void> =>
  new Promise((resolve) => conn.onopen(() => resolve()));
