import { connect, type Socket } from 'node:net';

/** All sockets read into the same bytes: what is not used at once is copied by who keeps it. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** A TCP connection without a library: the agent must not be the bottleneck. */
export class Wire {
  readonly #socket: Socket;
  /** Takes what comes; good until it returns. */
  onBytes: (chunk: Buffer) => void = () => {
    throw new Error('bytes that nobody expects');
  };
  onEnd: (reason: string) => void = () => {};

  private constructor(port: number, opened: (error?: Error) => void) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (count) => {
          this.onBytes(READ_BUFFER.subarray(0, count));
          return true;
        },
      },
    });
    this.#socket.once('connect', () => opened());
    this.#socket.on('error', (error) => {
      opened(error);
      this.onEnd(error.message);
    });
    this.#socket.on('close', () => this.onEnd('closed'));
  }

  static open(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const wire: Wire = new Wire(port, (error) => (error === undefined ? resolve(wire) : reject(error)));
    });
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.onEnd = () => {};
    this.onBytes = () => {};
    this.#socket.destroy();
  }
}
