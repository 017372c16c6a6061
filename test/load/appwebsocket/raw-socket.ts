import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** A masked text frame. The mask is zero, which costs its receiver as much as any other. */
export function maskedFrame(text: string): Buffer {
  return frame(Buffer.from(text), true);
}

/** A text frame as servers send it. */
export function plainFrame(text: string): Buffer {
  return frame(Buffer.from(text), false);
}

function frame(payload: Buffer, isMasked: boolean): Buffer {
  const length = payload.length;
  const header = Buffer.alloc((length < 126 ? 2 : 4) + (isMasked ? 4 : 0));
  header[0] = 0x81;
  header[1] = (isMasked ? 0x80 : 0) | (length < 126 ? length : 126);
  if (length >= 126) header.writeUInt16BE(length, 2);
  return Buffer.concat([header, payload]);
}

/** Counts frames of a byte stream without looking into them: cheap, so that the load is never the bottleneck. */
export class FrameCounter {
  private rest: Buffer = Buffer.alloc(0);
  count = 0;
  /** The last complete payload seen. */
  last = '';
  private readonly keepsLast: boolean;

  constructor(keepsLast = false) {
    this.keepsLast = keepsLast;
  }

  take(chunk: Buffer): number {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    let found = 0;
    while (data.length - at >= 2) {
      const second = data[at + 1] as number;
      const short = second & 0x7f;
      const maskBytes = (second & 0x80) === 0 ? 0 : 4;
      const headerBytes = (short < 126 ? 2 : 4) + maskBytes;
      if (data.length - at < headerBytes) break;
      const length = short < 126 ? short : data.readUInt16BE(at + 2);
      if (data.length - at < headerBytes + length) break;
      if (this.keepsLast) this.last = data.toString('utf8', at + headerBytes, at + headerBytes + length);
      at += headerBytes + length;
      found++;
    }
    this.rest = data.subarray(at);
    this.count += found;
    return found;
  }
}

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** A client without a WebSocket library: it writes frames made beforehand and counts what comes back. */
export class RawSocket {
  readonly socket: Socket;
  private readonly counter: FrameCounter;
  private waiting: { readonly until: number; readonly resolve: () => void } | undefined;
  private isOpen = false;

  constructor(port: number, keepsLast = false) {
    this.counter = new FrameCounter(keepsLast);
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.write(UPGRADE);
  }

  /** Resolves when the upgrade is answered. */
  async open(): Promise<this> {
    const [answer] = (await once(this.socket, 'data')) as [Buffer];
    if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(answer.toString('latin1'));
    this.isOpen = true;
    this.socket.on('data', (chunk) => {
      this.counter.take(chunk);
      const { waiting } = this;
      if (waiting === undefined || this.counter.count < waiting.until) return;
      this.waiting = undefined;
      waiting.resolve();
    });
    return this;
  }

  /** Writes frames and resolves when as many answers have come. */
  exchange(frames: Buffer, answers: number): Promise<void> {
    if (!this.isOpen) throw new Error('not open');
    return new Promise((resolve) => {
      this.waiting = { until: this.counter.count + answers, resolve };
      this.socket.write(frames);
    });
  }

  get lastText(): string {
    return this.counter.last;
  }

  close(): void {
    this.socket.destroy();
  }
}
