import { Wire } from './wire.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A kept-alive HTTP connection, one request at a time. Reads answers with Content-Length, which is what is asked here. */
export class HttpLink {
  readonly #wire: Wire;
  #rest: Buffer = Buffer.alloc(0);
  #answered: ((answer: HttpAnswer) => void) | null = null;

  private constructor(wire: Wire) {
    this.#wire = wire;
    wire.onBytes = (chunk) => this.#read(chunk);
    wire.onEnd = (reason) => {
      throw new Error(`an HTTP connection ended: ${reason}`);
    };
  }

  static async open(port: number): Promise<HttpLink> {
    return new HttpLink(await Wire.open(port));
  }

  /** Sends a request made by `requestBytes`. @throws nothing: `answered` looks at the status itself */
  ask(request: Buffer, answered: (answer: HttpAnswer) => void): void {
    this.#answered = answered;
    this.#wire.write(request);
  }

  request(request: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) =>
      this.ask(request, (answer) =>
        answer.status === 200 ? resolve(answer) : reject(new Error(`${answer.head}\n${answer.body}`)),
      ),
    );
  }

  close(): void {
    this.#wire.close();
  }

  #read(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = data.indexOf(HEAD_END);
    const head = end < 0 ? '' : data.toString('latin1', 0, end);
    const start = end + HEAD_END.length;
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (end < 0 || data.length < start + length) {
      this.#rest = Buffer.from(data);
      return;
    }
    const body = data.toString('utf8', start, start + length);
    this.#rest = Buffer.from(data.subarray(start + length));
    const answered = this.#answered;
    this.#answered = null;
    answered?.({ status: Number(head.slice(9, 12)), head, body });
  }
}

export function requestBytes(
  method: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): Buffer {
  const { headers = {}, body = '' } = options;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields.join('')}${length}\r\n${body}`);
}

/** An event stream; tells how many events with a text have come, once a chunk. */
export class EventLink {
  readonly #wire: Wire;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * Resolves when `ready` has been seen. `mark`: bytes that stand once in each counted event; where a chunk ends within one,
   * the next chunk begins with its end, which is kept.
   */
  static async open(
    port: number,
    request: Buffer,
    { ready, mark, got }: { readonly ready: string; readonly mark: string; readonly got: (events: number) => void },
  ): Promise<EventLink> {
    const wire = await Wire.open(port);
    const needle = Buffer.from(mark);
    await new Promise<void>((resolve, reject) => {
      let begin = '';
      wire.onEnd = (reason) => reject(new Error(`an event stream ended: ${reason} ${begin}`));
      wire.onBytes = (chunk) => {
        begin += chunk.toString('latin1');
        if (begin.includes(ready)) resolve();
      };
      wire.write(request);
    });
    wire.onEnd = (reason) => {
      throw new Error(`an event stream ended: ${reason}`);
    };
    let tail = Buffer.alloc(0);
    wire.onBytes = (chunk) => {
      const data = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      let count = 0;
      let seen = 0;
      for (let at = data.indexOf(needle); at >= 0; at = data.indexOf(needle, seen)) {
        count++;
        seen = at + needle.length;
      }
      const keep = Math.max(seen, data.length - needle.length + 1);
      tail = Buffer.from(data.subarray(keep));
      if (count > 0) got(count);
    };
    return new EventLink(wire);
  }

  close(): void {
    this.#wire.close();
  }
}
