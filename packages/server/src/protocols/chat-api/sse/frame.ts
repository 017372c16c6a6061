/** From this many characters on a frame is made bytes once for all who read it; shorter ones are joined as text, turn by turn. */
const SHARED_FROM_CHARS = 1_024;

/** A piece of an event stream, encoded once however many read it. */
export class Frame {
  readonly text: string;
  #bytes: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get isLarge(): boolean {
    return this.text.length >= SHARED_FROM_CHARS;
  }

  /** The same buffer for everybody: never changed. */
  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text));
  }
}

/** One event on the wire. `data` may have several lines; each gets a field of its own. */
export function frame(event: { readonly event: string; readonly data: string; readonly id?: string }): Frame {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const data = /[\r\n]/.test(event.data) ? event.data.replace(/\r\n|\r|\n/g, '\ndata: ') : event.data;
  return new Frame(`${id}event: ${event.event}\ndata: ${data}\n\n`);
}

/** Tells the browser how long to wait before it comes back. */
export function retryFrame(ms: number): Frame {
  return new Frame(`retry: ${ms}\n\n`);
}

/** A comment: clients ignore it, proxies and dead connections notice it. */
export const KEEP_ALIVE = new Frame(': keep-alive\n\n');

/** What a turn gathered, in order, as few buffers as it takes without copying large frames. */
export function joinFrames(frames: readonly Frame[]): readonly Buffer[] {
  const buffers: Buffer[] = [];
  let small = '';
  for (const item of frames) {
    if (!item.isLarge) small += item.text;
    else {
      if (small !== '') buffers.push(Buffer.from(small));
      small = '';
      buffers.push(item.bytes);
    }
  }
  if (small !== '') buffers.push(Buffer.from(small));
  return buffers;
}
