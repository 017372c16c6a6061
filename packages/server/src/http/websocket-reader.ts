import { isUtf8 } from 'node:buffer';

/** RFC 6455 5.2, opcodes. */
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * RFC 6455 5.5: control frames are never longer.
 * @peer close 1002
 * @test websocket-reader: what breaks the protocol
 */
const MAX_CONTROL_BYTES = 125;
/** The head of a frame from a client: two octets, eight of length, four of mask. */
const LONG_HEAD_BYTES = 14;
/** From here on unmasking word by word pays for finding the words. */
const WORDS_FROM_BYTES = 64;
/** The mask at hand, as octets and as a word of this machine. */
const MASK = new Uint8Array(4);
const MASK_WORD = new Int32Array(MASK.buffer);

/** What a peer has sent. The reader may be stopped from within. */
export interface ReaderEvents {
  gotText(data: string): void;
  gotBinary(data: Buffer): void;
  gotPing(data: Buffer): void;
  gotPong(): void;
  /** Code 1005: the peer gave none. Nothing comes after it. */
  gotClose(code: number, reason: string): void;
  /** The peer breaks the protocol or a bound: `code` is what it is told. Nothing comes after it. */
  gotViolation(code: number): void;
}

export interface ReaderBounds {
  /** One message, its fragments together. */
  readonly maxPayloadBytes: number;
  readonly maxFragments: number;
  /** Pieces in which one frame may arrive. */
  readonly maxChunks: number;
}

/** Reads what a WebSocket client sends (RFC 6455 5). Unmasks in place: the chunks it is given are its own. */
export class WebSocketReader {
  readonly #events: ReaderEvents;
  readonly #bounds: ReaderBounds;
  /** What has come of a frame that is not whole yet, and how much of it is needed before it is looked at again. */
  #chunks: Buffer[] | null = null;
  #held = 0;
  #needed = 0;
  #fragments: Uint8Array[] | null = null;
  #fragmentBytes = 0;
  #isFragmentedText = false;
  #isStopped = false;

  constructor(events: ReaderEvents, bounds: ReaderBounds) {
    this.#events = events;
    this.#bounds = bounds;
  }

  read(chunk: Buffer): void {
    if (this.#isStopped) return;
    if (this.#held === 0) return this.#frames(chunk);
    const chunks = (this.#chunks ??= []);
    chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held >= this.#needed) {
      const whole = Buffer.concat(chunks, this.#held);
      this.#drop();
      this.#frames(whole);
    } else if (chunks.length > this.#bounds.maxChunks) this.#violation(1008);
  }

  /** Reads nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#drop();
    this.#fragments = null;
  }

  #drop(): void {
    this.#chunks = null;
    this.#held = 0;
  }

  #frames(data: Buffer): void {
    let at = 0;
    while (at < data.length && !this.#isStopped) {
      const next = this.#frame(data, at);
      if (next < 0) return this.#hold(data, at, -next);
      at = next;
    }
  }

  #hold(data: Buffer, at: number, needed: number): void {
    if (this.#isStopped) return;
    this.#chunks = [at === 0 ? data : data.subarray(at)];
    this.#held = data.length - at;
    this.#needed = needed;
  }

  /** Where the frame ends that begins at `at`; negative: so many bytes are needed to know or to have it. */
  #frame(data: Buffer, at: number): number {
    const has = data.length - at;
    if (has < 2) return -2;
    const first = data[at] as number;
    const second = data[at + 1] as number;
    const fault = this.#faultOf(first, second);
    if (fault) return this.#violation(1002);
    const short = second & 0x7f;
    const head = short < 126 ? 6 : short === 126 ? 8 : LONG_HEAD_BYTES;
    if (has < head) return -head;
    const length = short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : longLength(data, at + 2);
    const opcode = first & 0x0f;
    if (opcode < CLOSE && this.#fragmentBytes + length > this.#bounds.maxPayloadBytes) return this.#violation(1009);
    if (has < head + length) return -(head + length);
    const start = at + head;
    const end = start + length;
    this.#unmask(data, start, end);
    if (opcode < CLOSE) this.#data(opcode, (first & 0x80) !== 0, data, start, end);
    else this.#control(opcode, data, start, end);
    return end;
  }

  /** The mask is the four octets before `start`. */
  #unmask(data: Buffer, start: number, end: number): void {
    let at = start;
    if (end - start >= WORDS_FROM_BYTES) {
      // Words begin where the memory has them; the mask turns by what is before.
      const first = start + ((4 - ((data.byteOffset + start) & 3)) & 3);
      for (; at < first; at++) data[at] = (data[at] as number) ^ (data[start - 4 + (at - start)] as number);
      for (let i = 0; i < 4; i++) MASK[i] = data[start - 4 + ((i + first - start) & 3)] as number;
      const word = MASK_WORD[0] as number;
      const words = new Int32Array(data.buffer, data.byteOffset + first, (end - first) >> 2);
      for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) ^ word;
      at = first + words.length * 4;
    }
    for (; at < end; at++) data[at] = (data[at] as number) ^ (data[start - 4 + ((at - start) & 3)] as number);
  }

  /** What the first two octets forbid: reserved bits and opcodes, no mask, long or cut control frames, a broken sequence. */
  #faultOf(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0 || (second & 0x80) === 0) return true;
    if (opcode >= CLOSE) return opcode > PONG || !isFinal || (second & 0x7f) > MAX_CONTROL_BYTES;
    if (opcode > BINARY) return true;
    return (opcode === CONTINUATION) !== (this.#fragments !== null);
  }

  #data(opcode: number, isFinal: boolean, data: Buffer, start: number, end: number): void {
    if (isFinal && opcode !== CONTINUATION) {
      if (opcode === TEXT) this.#text(data, start, end);
      else this.#events.gotBinary(data.subarray(start, end));
      return;
    }
    if (opcode !== CONTINUATION) this.#isFragmentedText = opcode === TEXT;
    const fragments = (this.#fragments ??= []);
    // A copy: a fragment of one octet would hold the whole chunk that it came in.
    fragments.push(new Uint8Array(data.subarray(start, end)));
    this.#fragmentBytes += end - start;
    if (fragments.length > this.#bounds.maxFragments) return void this.#violation(1008);
    if (!isFinal) return;
    const whole = Buffer.concat(fragments, this.#fragmentBytes);
    this.#fragments = null;
    this.#fragmentBytes = 0;
    if (this.#isFragmentedText) this.#text(whole, 0, whole.length);
    else this.#events.gotBinary(whole);
  }

  #text(data: Buffer, start: number, end: number): void {
    const text = data.toString('utf8', start, end);
    // What is not UTF-8 has become U+FFFD; where that stands, it may also have been sent.
    if (text.includes('\ufffd') && !isUtf8(data.subarray(start, end))) this.#violation(1007);
    else this.#events.gotText(text);
  }

  #control(opcode: number, data: Buffer, start: number, end: number): void {
    if (opcode === PING) this.#events.gotPing(data.subarray(start, end));
    else if (opcode === PONG) this.#events.gotPong();
    else this.#close(data.subarray(start, end));
  }

  #close(payload: Buffer): void {
    if (payload.length === 1) return void this.#violation(1002);
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    if (payload.length > 0 && !isCloseCode(code)) return void this.#violation(1002);
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) return void this.#violation(1007);
    this.stop();
    this.#events.gotClose(code, reason.toString('utf8'));
  }

  /** @returns an end that leaves nothing to read */
  #violation(code: number): number {
    this.stop();
    this.#events.gotViolation(code);
    return Number.MAX_SAFE_INTEGER;
  }
}

function longLength(data: Buffer, at: number): number {
  return data.readUInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);
}

/** RFC 6455 7.4: what a peer may send. */
function isCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code < 5000)
  );
}
