import type { Duplex } from 'node:stream';

/** FIN and opcode 1: a text message in one frame (RFC 6455 5.2). */
const TEXT_FRAME = 0x81;

/** More is not kept for the end of the turn: one large buffer is no better than two. */
const FLUSH_AT_LENGTH = 64 * 1024;

/**
 * Writes texts as WebSocket frames: all of one turn of the event loop in one piece. A server's frames carry no mask,
 * so a frame is its length and its text; handing them to the `ws` package one by one costs a call of the system each.
 */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #mayWrite: () => boolean;
  readonly #written: () => void;
  #texts: string[] = [];
  #pendingBytes = 0;
  #writtenBytes = 0;
  readonly #flushLater = (): void => this.flush();

  /**
   * @param mayWrite false once the closing handshake has begun: after a close frame nothing may follow.
   * @param written called after each write to the stream: what the system took at once causes no `drain`.
   */
  constructor(stream: Duplex, mayWrite: () => boolean, written: () => void) {
    this.#stream = stream;
    this.#mayWrite = mayWrite;
    this.#written = written;
  }

  /** Bytes that wait here and in the stream. */
  get bufferedBytes(): number {
    return this.#pendingBytes + this.#stream.writableLength;
  }

  /** Bytes that the system has taken from the stream, of all written here. */
  get takenBytes(): number {
    return this.#writtenBytes - this.#stream.writableLength;
  }

  write(text: string): void {
    if (this.#texts.length === 0) process.nextTick(this.#flushLater);
    this.#texts.push(text);
    // Counted in UTF-16 units: near enough for what waits but one turn.
    this.#pendingBytes += text.length;
    if (this.#pendingBytes > FLUSH_AT_LENGTH) this.flush();
  }

  /** Writes what waits; also before anything else is written to the stream. */
  flush(): void {
    const texts = this.#texts;
    if (texts.length === 0) return;
    this.#texts = [];
    this.#pendingBytes = 0;
    if (this.#mayWrite()) {
      const frames = framesOf(texts);
      this.#writtenBytes += frames.length;
      this.#stream.write(frames);
    }
    this.#written();
  }
}

/** The frames of several texts in one buffer. */
export function framesOf(texts: readonly string[]): Buffer {
  let total = 0;
  const lengths = texts.map((text) => {
    const length = Buffer.byteLength(text);
    total += length + headerLength(length);
    return length;
  });
  const frames = Buffer.allocUnsafe(total);
  let at = 0;
  texts.forEach((text, index) => {
    const length = lengths[index] as number;
    at = writeHeader(frames, at, length);
    at += frames.write(text, at, length, 'utf8');
  });
  return frames;
}

function headerLength(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = TEXT_FRAME;
  if (length < 126) frames[at + 1] = length;
  else if (length < 65_536) {
    frames[at + 1] = 126;
    frames.writeUInt16BE(length, at + 2);
  } else {
    frames[at + 1] = 127;
    frames.writeUInt32BE(0, at + 2);
    frames.writeUInt32BE(length, at + 6);
  }
  return at + headerLength(length);
}
