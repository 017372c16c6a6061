import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** An event stream on a bare socket: shows every byte, and reads only while it is told to. */
export class RawEvents implements AsyncDisposable {
  readonly socket: Socket;
  text = '';
  isClosed = false;

  private constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async open(port: number, path: string, headers: Record<string, string>): Promise<RawEvents> {
    const raw = new RawEvents(port);
    await once(raw.socket, 'connect');
    const fields = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    raw.socket.write(`GET ${path} HTTP/1.1\r\n${fields.join('')}\r\n`);
    return raw;
  }

  get head(): string {
    return this.text.split('\r\n\r\n', 1)[0] ?? '';
  }

  /** The body with the chunks of HTTP joined. */
  get body(): string {
    let rest = this.text.slice(this.head.length + 4);
    let body = '';
    for (let line = /^([0-9a-f]+)\r\n/.exec(rest); line !== null; line = /^([0-9a-f]+)\r\n/.exec(rest)) {
      const size = parseInt(line[1]!, 16);
      body += rest.slice(line[0].length, line[0].length + size);
      rest = rest.slice(line[0].length + size + 2);
    }
    return Buffer.from(body, 'latin1').toString('utf8');
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }
}
