/** WebSocket frames (RFC 6455 5.2) as a client needs them: made before the run, taken apart without copying. */

/** Any mask: with zeros a receiver may leave the unmasking out. */
const MASK = Buffer.of(0x37, 0xfa, 0x21, 0x3d);

/** One masked text frame. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x81;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  head.set(MASK, head.length - 4);
  for (let at = 0; at < length; at++) payload[at] = (payload[at] as number) ^ (MASK[at & 3] as number);
  return Buffer.concat([head, payload]);
}

/** An empty pong, masked. */
export const PONG = Buffer.concat([Buffer.of(0x8a, 0x80), MASK]);

export const OPCODE = { text: 1, close: 8, ping: 9 } as const;

/** Told of each frame's opcode and where its payload stands; the bytes are good until it returns. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts a server's byte stream into frames. Copies only what is left of a frame that has not come whole. */
export class FrameReader {
  #rest: Buffer | null = null;
  readonly #onFrame: OnFrame;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  read(chunk: Buffer): void {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (data.length - at >= 2) {
      const short = (data[at + 1] as number) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < head) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      const start = at + head;
      if (data.length - start < length) break;
      this.#onFrame((data[at] as number) & 0x0f, data, start, start + length);
      at = start + length;
    }
    this.#rest = at === data.length ? null : Buffer.from(data.subarray(at));
  }
}

/** How often `needle` stands in these bytes. */
export function occurrences(needle: Buffer, bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(needle, start); at >= 0 && at < end; at = bytes.indexOf(needle, at + needle.length))
    count++;
  return count;
}
