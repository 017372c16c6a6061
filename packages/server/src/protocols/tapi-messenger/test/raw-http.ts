import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly version?: '1.0' | '1.1';
}

export interface RawHead {
  readonly status: number;
  /** Names in lower case; the last of several wins. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RawReply extends RawHead {
  readonly body: string;
}

/** An HTTP client that shows what is on the wire: chunks one by one, headers as sent, the end of the connection. */
export class RawHttp {
  readonly #socket: Socket;
  readonly #port: number;
  #received = Buffer.alloc(0);
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#notify();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#finish());
    this.#socket.on('end', () => this.#finish());
  }

  get socket(): Socket {
    return this.#socket;
  }

  write(text: string | Buffer): void {
    this.#socket.write(text, 'latin1');
  }

  request({ method, path, headers = {}, body, version = '1.1' }: RawRequest): void {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const lines = Object.entries({ Host: `127.0.0.1:${this.#port}`, ...length, ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.#socket.write(`${method} ${path} HTTP/${version}\r\n${head}\r\n${body ?? ''}`);
  }

  async head(): Promise<RawHead> {
    const text = await this.#until('\r\n\r\n');
    const [status = '', ...lines] = text.split('\r\n');
    const headers = Object.fromEntries(
      lines.filter(Boolean).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    return { status: Number(status.split(' ')[1]), headers };
  }

  /** One chunk of a chunked body; '' is the last one. */
  async chunk(): Promise<string> {
    const size = parseInt(await this.#until('\r\n'), 16);
    const text = await this.bytes(size);
    await this.bytes(2);
    return text.toString('utf8');
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#received.length < count) await this.#more();
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  /** A whole reply: head, then the body by its length, its chunks, or up to the end of the connection. */
  async reply(): Promise<RawReply> {
    const head = await this.head();
    if (head.status === 204 || head.status === 304) return { ...head, body: '' };
    const length = head.headers['content-length'];
    if (length !== undefined) return { ...head, body: (await this.bytes(Number(length))).toString('utf8') };
    if (head.headers['transfer-encoding'] === 'chunked') {
      let body = '';
      for (let part = await this.chunk(); part !== ''; part = await this.chunk()) body += part;
      return { ...head, body };
    }
    while (!this.#isOver) await this.#more().catch(() => undefined);
    return { ...head, body: this.#received.toString('utf8') };
  }

  /** Resolves when the server has ended the connection. */
  async closed(): Promise<true> {
    while (!this.#isOver) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return true;
  }

  abort(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  async #until(mark: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(mark);
      if (at >= 0) return (await this.bytes(at + mark.length)).toString('latin1').slice(0, -mark.length);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#isOver) throw new Error(`the connection ended; left over: ${this.#received.toString('latin1')}`);
    const timeout = AbortSignal.timeout(10_000);
    await new Promise<void>((resolve, reject) => {
      this.#wake.push(resolve);
      timeout.addEventListener('abort', () => reject(new Error('nothing came for 10 s')));
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** One request on a connection of its own, answered whole. */
export async function ask(port: number, request: RawRequest): Promise<RawReply> {
  using http = new RawHttp(port);
  http.request(request);
  return await http.reply();
}

export const get = (port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawReply> =>
  ask(port, { method: 'GET', path, headers });

export const post = (
  port: number,
  path: string,
  body = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<RawReply> => ask(port, { method: 'POST', path, body, headers });
