import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and cuts all connections when it is told to. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pairs = new Map<Socket, Socket>();
  #state: 'open' | 'blocked' | 'frozen' = 'open';

  private constructor(target: number) {
    this.#server = createServer((client) => {
      if (this.#state !== 'open') {
        this.#sockets.add(client);
        client.on('error', () => client.destroy()).on('close', () => this.#sockets.delete(client));
        if (this.#state === 'blocked') client.resetAndDestroy();
        return;
      }
      const upstream = connect(target, '127.0.0.1');
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
      this.#pairs.set(client, upstream);
      client.on('close', () => this.#pairs.delete(client));
    });
  }

  static async to(target: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From now on what the server sends is read and thrown away, until the next cut. */
  swallow(): void {
    for (const [client, upstream] of this.#pairs) {
      upstream.unpipe(client);
      upstream.resume();
    }
  }

  cut(): void {
    this.#pairs.clear();

    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Cuts all connections, and every new one until `heal`. */
  block(): void {
    this.#state = 'blocked';
    this.cut();
  }

  /** Nothing passes any more, and nobody is told, as where a network drops what is sent. */
  freeze(): void {
    this.#state = 'frozen';
    for (const [client, upstream] of this.#pairs) {
      client.unpipe(upstream).pause();
      upstream.unpipe(client).pause();
    }
  }

  /** Connections that were frozen are cut: the other side has given them up. */
  heal(): void {
    if (this.#state === 'frozen') this.cut();
    this.#state = 'open';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
