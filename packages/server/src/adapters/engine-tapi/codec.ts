/** `len32le`: four octets of little-endian length, then the payload (TM §5.1). `line`: payloads ended by LF (TM §5.6). */
export type Framing = 'len32le' | 'line';

/**
 * The longest inbound payload; more is a violation that ends the connection (TM TC-3). Also bounds what is buffered.
 * @peer the connection is made anew
 * @test engine-tapi/engine: TC-3: a frame that is too long
 */
export const MAX_PAYLOAD_BYTES = 65_535;

const LENGTH_BYTES = 4;
const LF = 0x0a;

/** One frame, length and payload together (TM TC-1). */
export function encodeFrame(payload: string, framing: Framing): Buffer {
  if (framing === 'line') return Buffer.from(`${payload}\n`, 'utf8');
  const body = Buffer.from(payload, 'utf8');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** What a chunk completed. After a violation the reader gives nothing more. */
export interface ReadFrames {
  readonly payloads: readonly string[];
  readonly violation: 'frame too long' | null;
}

/**
 * Takes frames out of a stream in any segmentation. Invalid UTF-8 becomes U+FFFD; CR, LF and NUL at a payload's end are cut off;
 * empty payloads are skipped (TM TC-3). With `detect`, the peer's first four octets may overrule the framing (TM §5.6).
 */
export class FrameReader {
  #framing: Framing;
  #mustDetect: boolean;
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Octets without which nothing can be completed: keeps segmented frames linear. */
  #needed = 1;
  #isBroken = false;

  constructor(framing: Framing, options: { readonly detect?: boolean } = {}) {
    this.#framing = framing;
    this.#mustDetect = options.detect === true;
  }

  /** Octets that wait for the rest of their frame. */
  get buffered(): number {
    return this.#buffered;
  }

  push(chunk: Buffer): ReadFrames {
    if (this.#isBroken) return { payloads: [], violation: null };
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const isWorthIt = this.#framing === 'line' ? this.#buffered > MAX_PAYLOAD_BYTES || chunk.includes(LF) : false;
    if (!isWorthIt && this.#buffered < this.#needed) return { payloads: [], violation: null };
    const data = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    if (this.#mustDetect && !this.#detect(data)) return this.#keep(data, [], LENGTH_BYTES);
    return this.#framing === 'line' ? this.#readLines(data) : this.#readLengths(data);
  }

  /** False while too little is there to tell. */
  #detect(data: Buffer): boolean {
    if (data.length < LENGTH_BYTES && !data.includes(LF)) return false;
    this.#mustDetect = false;
    if (data.length < LENGTH_BYTES) return true;
    if (data[2] === 0 && data[3] === 0) this.#framing = 'len32le';
    else if (data.subarray(0, LENGTH_BYTES).every((octet) => octet >= 0x20 && octet < 0x7f)) this.#framing = 'line';
    return true;
  }

  #readLengths(data: Buffer): ReadFrames {
    const payloads: string[] = [];
    let at = 0;
    while (data.length - at >= LENGTH_BYTES) {
      const length = data.readUInt32LE(at);
      if (length > MAX_PAYLOAD_BYTES) return this.#broken(payloads);
      const end = at + LENGTH_BYTES + length;
      if (end > data.length) return this.#keep(data.subarray(at), payloads, LENGTH_BYTES + length);
      take(data.subarray(at + LENGTH_BYTES, end), payloads);
      at = end;
    }
    return this.#keep(data.subarray(at), payloads, LENGTH_BYTES);
  }

  #readLines(data: Buffer): ReadFrames {
    const payloads: string[] = [];
    let at = 0;
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, at)) {
      if (end - at > MAX_PAYLOAD_BYTES) return this.#broken(payloads);
      take(data.subarray(at, end), payloads);
      at = end + 1;
    }
    if (data.length - at > MAX_PAYLOAD_BYTES) return this.#broken(payloads);
    return this.#keep(data.subarray(at), payloads, Number.POSITIVE_INFINITY);
  }

  #keep(rest: Buffer, payloads: readonly string[], needed: number): ReadFrames {
    // Copied: a short rest must not hold the whole chunk.
    this.#chunks = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#buffered = rest.length;
    this.#needed = needed;
    return { payloads, violation: null };
  }

  #broken(payloads: readonly string[]): ReadFrames {
    this.#isBroken = true;
    this.#chunks = [];
    this.#buffered = 0;
    return { payloads, violation: 'frame too long' };
  }
}

function take(body: Buffer, payloads: string[]): void {
  let end = body.length;
  while (end > 0 && isTrailer(body[end - 1])) end--;
  if (end > 0) payloads.push(body.toString('utf8', 0, end));
}

function isTrailer(octet: number | undefined): boolean {
  return octet === 0x0d || octet === LF || octet === 0x00;
}
