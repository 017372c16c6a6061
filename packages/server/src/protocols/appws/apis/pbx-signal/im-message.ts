import type { JsonObject } from '@tieline/appwebsocket';
import type { LegText } from '../../../../core/exchange/index.ts';
import type { Message } from '../../../../core/conversations/index.ts';

/**
 * Raw text of one message, its fragments together (PBX §3.2 `more`).
 * @peer its call is released with cause 111
 * @test appws-edges: fragments without text
 */
export const MAX_RAW_CHARACTERS = 1024 * 1024;
/**
 * Fragments of one message: more are no text that somebody wrote.
 * @peer its call is released with cause 111
 * @test appws-edges: fragments without text
 */
const MAX_FRAGMENTS = 1_000;
/**
 * A key is made by a program; it is kept for a day.
 * @peer its call is released with cause 111
 * @test appws-edges: fragments without text
 */
const MAX_KEY_CHARACTERS = 200;
/**
 * Characters of `data` in one frame: senders of this trade are limited to 65,535 a message, and JSON may escape each.
 * @peer fragments with `more`
 * @test appws-chat: a long text comes in pieces
 */
const MAX_DATA_CHARACTERS = 10_000;

/** What an `im_message` object turned out to be. */
export type ReceivedText =
  | { readonly kind: 'typing'; readonly isTyping: boolean }
  | { readonly kind: 'text'; readonly text: LegText; readonly wantsResult: boolean }
  /** A fragment: more follows. */
  | { readonly kind: 'part' }
  | { readonly kind: 'too-long' }
  /** A media type that is neither text/html nor text/plain (PBX §3.5): dropped. */
  | { readonly kind: 'unsupported' };

interface Fragments {
  readonly first: JsonObject;
  data: string;
  /** URLs, with spaces between them. */
  attach: string;
  count: number;
}

/** Puts the fragments of one direction of one call together. */
export class ImAssembler {
  #fragments: Fragments | null = null;

  receive(message: JsonObject): ReceivedText {
    const data = typeof message['data'] === 'string' ? message['data'] : '';
    if (this.#fragments === null && typeof message['typing'] === 'boolean' && data === '' && !message['attach'])
      return { kind: 'typing', isTyping: message['typing'] };
    const all = this.#fragments ?? { first: message, data: '', attach: '', count: 0 };
    const attach = typeof message['attach'] === 'string' ? message['attach'] : '';
    all.data += data;
    if (attach !== '') all.attach += all.attach === '' ? attach : ` ${attach}`;
    all.count++;
    const isPart = message['more'] === true || message['more'] === 1;
    this.#fragments = isPart ? all : null;
    if (all.data.length + all.attach.length <= MAX_RAW_CHARACTERS && all.count <= MAX_FRAGMENTS)
      return isPart ? { kind: 'part' } : whole(all);
    this.clear();
    return { kind: 'too-long' };
  }

  /** The call is over: what has come of a text is nobody's. */
  clear(): void {
    this.#fragments = null;
  }
}

function whole({ first, data, attach }: Fragments): ReceivedText {
  const mime = typeof first['mime'] === 'string' && first['mime'] !== '' ? mediaType(first['mime']) : 'text/html';
  if (mime !== 'text/html' && mime !== 'text/plain') return { kind: 'unsupported' };
  const key = textOrNull(first['idem']) ?? textOrNull(first['id']);
  if (key !== null && key.length > MAX_KEY_CHARACTERS) return { kind: 'too-long' };
  const urls = attach === '' ? [] : attach.split(' ').filter((url) => url !== '');
  return {
    kind: 'text',
    text: { type: mime, body: data, attach: urls, data: null, idempotencyKey: key },
    wantsResult: typeof first['idem'] === 'string',
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function mediaType(mime: string): string {
  if (mime === 'text/plain' || mime === 'text/html') return mime;
  return (mime.split(';')[0] ?? '').trim().toLowerCase();
}

/** How a text of this sender begins, up to its time. */
export function imMessageHead(sender: { readonly name: string; readonly displayName: string }): string {
  return `{"type":"im_message","sender":${JSON.stringify(sender.name)},"sender_dn":${JSON.stringify(sender.displayName)},"time":`;
}

/**
 * A stored or volatile message as JSON texts of `im_message` objects, fragmented where it is long (PBX §3.2). Written by hand:
 * it is done for every text and every device.
 * @param wrap what stands around each of them; `headed` is `before` with {@link imMessageHead} behind it
 */
export function imMessageTexts(
  message: Message,
  info: { readonly direction: 'in' | 'out'; readonly resume: string | null },
  wrap: { readonly headed: string; readonly before: string; readonly after: string },
): readonly string[] {
  const { attach, body } = message;
  const urls = attach.length === 0 ? '""' : JSON.stringify(attach.map((url) => url.replace(/ /g, '%20')).join(' '));
  const head = `${wrap.headed}${Math.floor(message.at / 1000)},"mime":"${message.type}","data":`;
  const pos = info.resume === null ? '' : `,"pos":"${info.resume}"`;
  const direction = info.direction === 'out' ? ',"direction":"out"' : '';
  const tail = `,"attach":${urls},"id":"${message.id}"${pos}${direction}}${wrap.after}`;
  if (body.length <= MAX_DATA_CHARACTERS) return [`${head}${JSON.stringify(body)}${tail}`];
  const parts = split(body);
  return parts.map((data, index) => {
    const isFirst = index === 0;
    const more = index < parts.length - 1 ? ',"more":true' : '';
    const start = isFirst ? head : `${wrap.before}{"type":"im_message","data":`;
    return `${start}${JSON.stringify(data)}${more}${isFirst ? tail : `}${wrap.after}`}`;
  });
}

/** Cuts between characters, never inside a surrogate pair. */
function split(text: string): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + MAX_DATA_CHARACTERS);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts;
}
