import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';

/** A load balancer without sticky sessions: each request goes to the next node. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #ports: () => readonly number[];
  #next = 0;

  private constructor(ports: () => readonly number[]) {
    this.#ports = ports;
    this.#server = createServer((req, res) => this.#pass(req, res));
    this.#server.on('upgrade', (req: IncomingMessage, socket, head: Buffer) => {
      const upstream = connect(this.#port(), '127.0.0.1');
      const lines = req.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      upstream.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines}\r\n`);
      upstream.write(head);
      for (const [from, to] of [[socket, upstream] as const, [upstream, socket] as const])
        from.on('error', () => to.destroy()).pipe(to);
    });
  }

  /** `ports` is asked for each request. */
  static async over(ports: () => readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #port(): number {
    const ports = this.#ports();
    return ports[this.#next++ % ports.length] ?? 0;
  }

  #pass(req: IncomingMessage, res: ServerResponse): void {
    const { method, url, headers } = req;
    const upstream = request({ host: '127.0.0.1', port: this.#port(), method, path: url, headers });
    upstream.on('error', () => res.destroy());
    upstream.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      pipeline(answer, res, () => undefined);
    });
    res.on('close', () => upstream.destroy());
    req.pipe(upstream);
  }
}
