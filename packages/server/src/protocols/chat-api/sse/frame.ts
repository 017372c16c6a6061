/** From this many characters on a frame is made bytes once for all who read it; shorter ones are joined as text, turn by turn. */
const SHARED_FROM_CHARS = 1_024;

/** A piece of an event stream, encoded once however many read it. */
export class Frame {
  readonly text: string;
  #size: number | null = null;
  #bytes: Buffer | null = null;
  #chunk: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get isLarge(): boolean {
    return this.text.length >= SHARED_FROM_CHARS;
  }

  /** In bytes. */
  get size(): number {
    return (this.#size ??= Buffer.byteLength(this.text));
  }

  /** The same buffer for everybody: never changed. */
  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text));
  }

  /** The same as a chunk of HTTP, in one piece: Node would write its head, its body and its end one by one. */
  get chunk(): Buffer {
    return (this.#chunk ??= httpChunk(this.text, this.size));
  }
}

/** One event on the wire. `data` may have several lines; each gets a field of its own. */
export function frame(event: {
  readonly event: string;
  readonly data: string;
  readonly id?: string | undefined;
}): Frame {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const isOneLine = !event.data.includes('\n') && !event.data.includes('\r');
  const data = isOneLine ? event.data : event.data.replace(/\r\n|\r|\n/g, '\ndata: ');
  return new Frame(`${id}event: ${event.event}\ndata: ${data}\n\n`);
}

/** Tells the browser how long to wait before it comes back. */
export function retryFrame(ms: number): Frame {
  return new Frame(`retry: ${ms}\n\n`);
}

/** A comment: clients ignore it, proxies and dead connections notice it. */
export const KEEP_ALIVE = new Frame(': keep-alive\n\n');

/** What a turn gathered, in order, in few pieces: what is small is joined, what is large or alone is not copied. */
export function joinFrames(frames: readonly Frame[]): readonly Frame[] {
  if (frames.length === 1) return frames;
  const pieces: Frame[] = [];
  let small = '';
  for (const item of frames) {
    if (!item.isLarge) small += item.text;
    else {
      if (small !== '') pieces.push(new Frame(small));
      small = '';
      pieces.push(item);
    }
  }
  if (small !== '') pieces.push(new Frame(small));
  return pieces;
}

/** RFC 9112 7.1. */
function httpChunk(text: string, size: number): Buffer {
  const head = `${size.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(head.length + size + 2);
  chunk.write(`${head}${text}\r\n`);
  return chunk;
}
