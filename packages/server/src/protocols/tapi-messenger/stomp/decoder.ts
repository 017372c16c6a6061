import type { StompError } from './errors.ts';
import { unescapeHeader } from './escape.ts';
import type { Frame, FrameLimits, StompVersion } from './frame.ts';

export type Decoded =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** The stream can't be read any further. `receipt` is the offender's, where it was read. */
  | { readonly kind: 'fault'; readonly fault: StompError; readonly receipt: string | undefined };

const LF = 10;
const CR = 13;
const NUL = 0;
const NOTHING = Buffer.alloc(0);
/** First size of the store that joins pieces of frames. */
const FIRST_STORE_BYTES = 1_024;

/**
 * Reads frames from octets that come in any pieces (TM §3.1, §3.2). Pulled frame by frame, because the rules for the next one
 * depend on what the last one has agreed: set `version` once it is negotiated.
 *
 * Every octet is looked at once; nothing beyond the limits is kept. EOLs between frames are heart-beats and leave no trace.
 */
export class FrameDecoder {
  version: StompVersion | null = null;
  readonly #limits: FrameLimits;
  #store: Buffer = NOTHING;
  #isOwn = false;
  /** First octet of the frame under way, end of what has come, and where to look on. */
  #start = 0;
  #end = 0;
  #scan = 0;
  #line = 0;
  #phase: 'between' | 'head' | 'body' | 'broken' = 'between';
  #command = '';
  #raw: (readonly [string, string])[] = [];
  #headers: ReadonlyMap<string, string> = new Map();
  #length: number | null = null;
  /** First half of a character that a client has cut in two between two messages. */
  #half = '';

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Octets that have come and are no frame yet, or have not been asked for. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  feed(chunk: string | Buffer): void {
    if (this.#phase === 'broken') return;
    const bytes = typeof chunk === 'string' ? this.#bytesOf(chunk) : chunk;
    if (bytes.length === 0) return;
    if (this.pendingBytes === 0) {
      this.#adopt(bytes, false);
      this.#end = bytes.length;
      return;
    }
    if (!this.#isOwn || this.#store.length - this.#end < bytes.length) this.#grow(bytes.length);
    bytes.copy(this.#store, this.#end);
    this.#end += bytes.length;
  }

  /** The next frame, or undefined until more has come. After a fault there is nothing more. */
  next(): Decoded | undefined {
    if (this.#phase === 'broken') return undefined;
    const view = this.#store.subarray(0, this.#end);
    if (this.#phase === 'between' && !this.#skipBeats(view)) return undefined;
    const fault = this.#phase === 'head' ? this.#readHead(view) : undefined;
    if (fault !== undefined) return this.#break(fault);
    return this.#phase === 'body' ? this.#readBody(view) : undefined;
  }

  #bytesOf(text: string): Buffer {
    const whole = this.#half + text;
    const last = whole.charCodeAt(whole.length - 1);
    const isCut = last >= 0xd800 && last <= 0xdbff;
    this.#half = isCut ? whole.slice(-1) : '';
    return Buffer.from(isCut ? whole.slice(0, -1) : whole, 'utf8');
  }

  #adopt(store: Buffer, isOwn: boolean): void {
    this.#store = store;
    this.#isOwn = isOwn;
    this.#scan -= this.#start;
    this.#line -= this.#start;
    this.#start = 0;
  }

  #grow(more: number): void {
    const pending = this.pendingBytes;
    const store = Buffer.allocUnsafe(Math.max(FIRST_STORE_BYTES, 2 * (pending + more)));
    this.#store.copy(store, 0, this.#start, this.#end);
    this.#adopt(store, true);
    this.#end = pending;
  }

  #break(fault: StompError): Decoded {
    const raw = this.#raw.find(([name]) => name === 'receipt')?.[1];
    const receipt = raw === undefined ? undefined : unescapeHeader(raw, this.version ?? '1.0');
    this.#phase = 'broken';
    this.#store = NOTHING;
    this.#start = this.#end = 0;
    this.#raw = [];
    return { kind: 'fault', fault, receipt };
  }

  /** True where a frame begins. */
  #skipBeats(view: Buffer): boolean {
    let at = this.#start;
    while (at < view.length && (view[at] === LF || view[at] === CR)) at++;
    this.#start = this.#scan = this.#line = at;
    if (at === view.length) {
      this.#store = NOTHING;
      this.#start = this.#end = this.#scan = this.#line = 0;
      return false;
    }
    this.#phase = 'head';
    this.#command = '';
    this.#raw = [];
    return true;
  }

  #readHead(view: Buffer): StompError | undefined {
    const { maxHeaderLineBytes, maxFrameBytes } = this.#limits;
    const nul = view.indexOf(NUL, this.#scan);
    for (;;) {
      const lf = view.indexOf(LF, this.#scan);
      const stop = lf === -1 ? view.length : lf;
      if (nul !== -1 && nul < stop) return 'malformed-header';
      if (stop - this.#line > maxHeaderLineBytes) return 'header-too-long';
      if (stop - this.#start > maxFrameBytes) return 'frame-too-large';
      this.#scan = stop;
      if (lf === -1) return undefined;
      const end = lf > this.#line && view[lf - 1] === CR ? lf - 1 : lf;
      const line = view.toString('utf8', this.#line, end);
      this.#scan = this.#line = lf + 1;
      if (this.#command === '') this.#command = line;
      else if (line === '') return this.#endHead();
      else {
        const fault = this.#addHeader(line);
        if (fault !== undefined) return fault;
      }
    }
  }

  #addHeader(line: string): StompError | undefined {
    if (this.#raw.length >= this.#limits.maxHeaders) return 'too-many-headers';
    const colon = line.indexOf(':');
    if (colon <= 0) return 'malformed-header';
    this.#raw.push([line.slice(0, colon), line.slice(colon + 1)]);
    return undefined;
  }

  /** Escapes and trimming differ by version; CONNECT has neither, except that a client of 1.0 may pad (TM §3.2). */
  #endHead(): StompError | undefined {
    const isConnect = this.#command === 'CONNECT' || this.#command === 'STOMP';
    const isOld = isConnect
      ? !this.#raw.some(([name]) => name === 'accept-version')
      : (this.version ?? '1.0') === '1.0';
    const version = isConnect ? '1.0' : (this.version ?? '1.0');
    const headers = new Map<string, string>();
    for (const [rawName, rawValue] of this.#raw) {
      const name = unescapeHeader(isOld ? rawName.trim() : rawName, version);
      const value = unescapeHeader(isOld ? rawValue.trim() : rawValue, version);
      if (name === undefined || value === undefined) return 'bad-escape';
      if (!headers.has(name)) headers.set(name, value);
    }
    this.#headers = headers;
    const length = headers.get('content-length') ?? '';
    this.#length = /^\d+$/.test(length) ? Number(length) : null;
    if (this.#line - this.#start + (this.#length ?? 0) > this.#limits.maxFrameBytes) return 'frame-too-large';
    this.#phase = 'body';
    return undefined;
  }

  #readBody(view: Buffer): Decoded | undefined {
    const from = this.#line;
    const end = this.#length === null ? view.indexOf(NUL, this.#scan) : from + this.#length;
    if (end === -1 || end >= view.length) {
      if (view.length - this.#start > this.#limits.maxFrameBytes) return this.#break('frame-too-large');
      this.#scan = view.length;
      return undefined;
    }
    if (view[end] !== NUL) return this.#break('bad-content-length');
    if (end - this.#start > this.#limits.maxFrameBytes) return this.#break('frame-too-large');
    // A copy: the store is used again, and a short body must not hold a long one.
    const body = end === from ? NOTHING : Buffer.from(view.subarray(from, end));
    const frame = { command: this.#command, headers: this.#headers, body };
    this.#start = end + 1;
    this.#phase = 'between';
    this.#raw = [];
    return { kind: 'frame', frame };
  }
}
