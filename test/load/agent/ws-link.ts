import { FrameReader, OPCODE, PONG, textFrame } from './frames.ts';
import { Wire } from './wire.ts';

/** How many texts stand in one message of a protocol. */
export type CountTexts = (bytes: Buffer, start: number, end: number) => number;

const SETTLES_WITHIN_MS = 60_000;

/** A WebSocket client of two modes: first it talks, message after message; then it counts what comes. */
export class WsLink {
  readonly #wire: Wire;
  readonly #texts: string[] = [];
  #waiting: (() => void) | null = null;
  #counting: { readonly count: CountTexts; readonly got: (texts: number) => void } | null = null;
  #got = 0;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(port: number, path: string): Promise<WsLink> {
    const wire = await Wire.open(port);
    const link = new WsLink(wire);
    await link.#upgrade(path, port);
    return link;
  }

  send(text: string): void {
    this.#wire.write(textFrame(text));
  }

  write(frames: Buffer): void {
    this.#wire.write(frames);
  }

  /** The next message that fits; those before it are dropped. */
  async take(fits: (text: string) => boolean): Promise<string> {
    const deadline = performance.now() + SETTLES_WITHIN_MS;
    for (;;) {
      for (let text = this.#texts.shift(); text !== undefined; text = this.#texts.shift()) if (fits(text)) return text;
      if (performance.now() > deadline) throw new Error('no answer');
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      const timer = setTimeout(resolve, SETTLES_WITHIN_MS);
      await promise;
      clearTimeout(timer);
    }
  }

  /** From now on what comes is counted: `got` hears once a chunk. */
  counting(count: CountTexts, got: (texts: number) => void): void {
    this.#counting = { count, got };
  }

  close(): void {
    this.#wire.close();
  }

  #upgrade(path: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let head = '';
      this.#wire.onEnd = (reason) => reject(new Error(`${path}: ${reason} ${head}`));
      this.#wire.onBytes = (chunk) => {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 101')) return reject(new Error(head));
        this.#read(Buffer.from(head.slice(end + 4), 'latin1'));
        resolve();
      };
      this.#wire.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
    });
  }

  #read(first: Buffer): void {
    const reader = new FrameReader((opcode, bytes, start, end) => this.#frame(opcode, bytes, start, end));
    this.#wire.onEnd = (reason) => {
      throw new Error(`a connection ended: ${reason}`);
    };
    this.#wire.onBytes = (chunk) => {
      this.#got = 0;
      reader.read(chunk);
      if (this.#got > 0) this.#counting?.got(this.#got);
    };
    this.#wire.onBytes(first);
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.ping) return this.#wire.write(PONG);
    if (opcode === OPCODE.close)
      throw new Error(`closed by the server: ${bytes.toString('utf8', Math.min(start + 2, end), end)}`);
    if (opcode !== OPCODE.text) return;
    if (this.#counting !== null) {
      this.#got += this.#counting.count(bytes, start, end);
      return;
    }
    this.#texts.push(bytes.toString('utf8', start, end));
    this.#waiting?.();
  }
}
