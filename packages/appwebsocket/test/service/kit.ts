import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { AppService } from '../../src/service/app-service.ts';
import type { AppServiceOptions } from '../../src/service/service-options.ts';
import { loginText, PASSWORD } from '../acceptor-bench.ts';

export { infoOfObject, loginText, PASSWORD } from '../acceptor-bench.ts';

export type Message = Record<string, unknown>;

/** A service on a plain Node server and a free port; disposing closes both. */
export class TestService implements AsyncDisposable {
  readonly service: AppService;
  readonly server: Server;
  readonly errors: unknown[] = [];
  readonly refusals: string[] = [];
  readonly origin: string;

  private constructor(service: AppService, server: Server, errors: unknown[], refusals: string[]) {
    this.service = service;
    this.server = server;
    this.errors = errors;
    this.refusals = refusals;
    this.origin = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(
    options: Partial<AppServiceOptions> = {},
    prepare: (service: AppService) => void = () => undefined,
  ): Promise<TestService> {
    const errors: unknown[] = [];
    const refusals: string[] = [];
    const service = new AppService({
      path: '/example.com/tool',
      password: PASSWORD,
      onError: (error) => errors.push(error),
      onRefused: (reason) => refusals.push(reason),
      ...options,
    });
    prepare(service);
    const server = createServer((_request, response) => void response.writeHead(200).end('page'));
    service.mount(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestService(service, server, errors, refusals);
  }

  get url(): string {
    return `${this.origin}/example.com/tool`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A peer made of a bare `ws` socket, so that nothing of this library's initiator is in the way. */
export class RawPeer implements Disposable {
  readonly socket: WebSocket;
  readonly received: Message[] = [];
  closedWith: { code: number; reason: string } | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.received.push(JSON.parse((data as Buffer).toString()) as Message));
    socket.on('close', (code, reason) => (this.closedWith = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  static async connect(url: string, options: { ca?: string } = {}): Promise<RawPeer> {
    const peer = new RawPeer(new WebSocket(url, options));
    await once(peer.socket, 'open');
    return peer;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that has not been taken, with this `mt`. */
  next(mt: string): Promise<Message> {
    return until(
      () => {
        const index = this.received.findIndex((message) => message['mt'] === mt);
        return index >= 0 && this.received.splice(index, 1)[0];
      },
      `${mt} (closed: ${JSON.stringify(this.closedWith)})`,
    );
  }

  async ask(message: Message): Promise<Message> {
    this.send(message);
    return this.next(`${String(message['mt'])}Result`);
  }

  async challenge(): Promise<string> {
    return String((await this.ask({ mt: 'AppChallenge' }))['challenge']);
  }

  /** A login with a right digest, unless the password is another; resolves with `AppLoginResult`. */
  async login(login: Record<string, unknown> = { app: 'tool', sip: 'alice' }, password = PASSWORD): Promise<Message> {
    const text = loginText(login, await this.challenge(), password);
    this.send(text);
    return this.next('AppLoginResult');
  }

  closed(): Promise<{ code: number; reason: string }> {
    return until(() => this.closedWith, 'close');
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

export async function loggedIn(url: string, login?: Record<string, unknown>, password?: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(url);
  const result = await peer.login(login, password);
  if (result['ok'] !== true) throw new Error(`login refused: ${JSON.stringify(result)}`);
  return peer;
}

/** What an idle process holds beyond what it held before. */
export const openResources = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};
