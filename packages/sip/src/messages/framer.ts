import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from './bounds.ts';
import { asBuffer, endOfHead, parseMessage } from './parser.ts';
import type { FailureCode, ParseFailure, SipMessage } from './types.ts';

/**
 * What a stream yields. `ping` and `pong` are the keep-alives of RFC 5626 3.5.1. After a `fatal` failure the stream can't be cut any
 * more: answer it and close.
 */
export type StreamItem =
  | { readonly kind: 'message'; readonly message: SipMessage }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'failure'; readonly failure: ParseFailure; readonly isFatal: boolean };

const CR = 13;
const LF = 10;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts messages out of a byte stream by Content-Length (RFC 3261 18.3), whatever the chunks. It holds one unfinished message at most,
 * and looks at each byte of it once.
 */
export class StreamFramer {
  #pending: Buffer = NOTHING;
  #used = 0;
  /** Where to go on looking for the end of the head. */
  #scanned = 0;
  /** Bytes of the whole message once its head is known; 0 before. */
  #needed = 0;
  #isBroken = false;

  /** Bytes held for an unfinished message. */
  get pendingBytes(): number {
    return this.#used;
  }

  push(chunk: Uint8Array): StreamItem[] {
    const out: StreamItem[] = [];
    if (this.#isBroken) return out;
    if (this.#used === 0) {
      const bytes = asBuffer(chunk);
      const eaten = this.#eat(bytes, out);
      if (eaten < bytes.length) this.#keep(bytes.subarray(eaten));
      return out;
    }
    this.#keep(asBuffer(chunk));
    if (this.#needed > this.#used) return out;
    const held = this.#pending.subarray(0, this.#used);
    const eaten = this.#eat(held, out);
    if (eaten > 0) {
      this.#used = 0;
      const rest = held.subarray(eaten);
      this.#pending = NOTHING;
      if (rest.length > 0) this.#keep(rest);
    }
    return out;
  }

  /** Takes all whole items from the front; returns how many bytes they were. Bodies are copied: they must not pin the chunk. */
  #eat(bytes: Buffer, out: StreamItem[]): number {
    let at = 0;
    while (at < bytes.length && !this.#isBroken) {
      const next = bytes[at] === CR ? this.#eatLineBreaks(bytes, at, out) : this.#eatMessage(bytes, at, out);
      if (next === at) break;
      at = next;
      this.#scanned = 0;
      this.#needed = 0;
    }
    return this.#isBroken ? bytes.length : at;
  }

  /** CRLF CRLF is a ping, a single CRLF a pong; before a message they are only noise (RFC 3261 7.5, RFC 5626 3.5.1). */
  #eatLineBreaks(bytes: Buffer, at: number, out: StreamItem[]): number {
    const left = bytes.length - at;
    if (left >= 2 && bytes[at + 1] !== LF) return this.#breakOff(bytes, at, 'start-line', 'Lone CR', out);
    if (left < 2) return at;
    if (left >= 4 && bytes[at + 2] === CR && bytes[at + 3] === LF) {
      out.push({ kind: 'ping' });
      return at + 4;
    }
    if (left === 3 && bytes[at + 2] === CR) return at;
    out.push({ kind: 'pong' });
    return at + 2;
  }

  #eatMessage(bytes: Buffer, at: number, out: StreamItem[]): number {
    if (this.#needed === 0) {
      const headEnd = endOfHead(bytes, Math.max(at, at + this.#scanned - 3));
      if ((headEnd < 0 ? bytes.length : headEnd) - at > MAX_HEAD_BYTES)
        return this.#breakOff(bytes, at, 'too-large', 'Headers Too Large', out);
      if (headEnd < 0) {
        this.#scanned = bytes.length - at;
        return at;
      }
      const length = announcedLength(bytes.toString('latin1', at, headEnd));
      if (length === undefined)
        return this.#breakOff(bytes.subarray(0, headEnd), at, 'content-length', 'No Content-Length', out);
      if (length > MAX_BODY_BYTES)
        return this.#breakOff(bytes.subarray(0, headEnd), at, 'too-large', 'Message Too Large', out);
      this.#needed = headEnd - at + length;
    }
    const end = at + this.#needed;
    if (end > bytes.length) return at;
    const message = parseMessage(Buffer.from(bytes.subarray(at, end)));
    if (message.kind !== 'failure') out.push({ kind: 'message', message });
    else {
      // Where the parser reads another length than the one we cut by, nobody knows where the next message begins.
      const isUnclear = message.code === 'content-length' || message.code === 'start-line';
      const isFatal = isUnclear || message.headers.getAll('Content-Length').length > 1;
      out.push({ kind: 'failure', failure: message, isFatal });
      this.#isBroken = isFatal;
    }
    return end;
  }

  #breakOff(bytes: Buffer, at: number, code: FailureCode, reason: string, out: StreamItem[]): number {
    this.#isBroken = true;
    const read = parseMessage(bytes.subarray(at, at + MAX_HEAD_BYTES));
    const method = read.kind === 'request' ? read.method : read.kind === 'failure' ? read.method : undefined;
    const status = method === undefined || method === 'ACK' ? undefined : code === 'too-large' ? 513 : 400;
    out.push({
      kind: 'failure',
      failure: { kind: 'failure', code, status, reason, method, headers: read.headers },
      isFatal: true,
    });
    return bytes.length;
  }

  /** Appends to the held bytes; doubles the room, so that a byte at a time costs no more than a chunk at a time. */
  #keep(bytes: Buffer): void {
    const total = this.#used + bytes.length;
    if (total > this.#pending.length) {
      const room = Buffer.allocUnsafeSlow(
        Math.max(total, this.#needed, Math.min(2 * this.#pending.length, MAX_ROOM), 512),
      );
      this.#pending.copy(room, 0, 0, this.#used);
      this.#pending = room;
    }
    bytes.copy(this.#pending, this.#used);
    this.#used = total;
  }
}

/**
 * What one unfinished message can fill: beyond it room is not doubled.
 * @peer the connection ends
 * @test parser: a head without end
 */
const MAX_ROOM = MAX_HEAD_BYTES + MAX_BODY_BYTES;

/** The first Content-Length of a head, long or compact, folded or not; undefined where there is none or it is no number. */
function announcedLength(head: string): number | undefined {
  const match = /\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?(\d{1,10})[ \t]*\r\n/i.exec(head);
  return match === null ? undefined : Number(match[1]);
}
