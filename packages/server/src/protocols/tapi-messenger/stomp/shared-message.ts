import { isUtf8 } from 'node:buffer';
import type { SharedText } from '../sockjs/index.ts';
import { SharedText as Shared } from '../sockjs/index.ts';
import { headerLine } from './encode.ts';
import { escapeHeader } from './escape.ts';
import type { Frame, Header, StompVersion } from './frame.ts';

/** Headers of a SEND that are the sender's own business, or are written anew (TM ST-30). */
const NOT_PASSED_ON = new Set(
  'destination content-type content-length receipt transaction login passcode subscription message-id ack'.split(' '),
);

const HEAD = new Shared('MESSAGE\ndestination:');

/** Whom one copy of a message is for. */
export interface Envelope {
  readonly destination: string;
  /** Null: a subscription of 1.0 without id. */
  readonly subscription: string | null;
  readonly messageId: string;
  /** Further headers of this copy alone. */
  readonly headers?: readonly Header[];
}

/** What a shared message is sent through. */
export interface MessageCarrier {
  /** Takes octets that are no text. */
  readonly carriesBinary: boolean;
  send(message: Buffer): void;
  sendShared(head: SharedText, middle: string, tail: SharedText): void;
}

/**
 * A MESSAGE for any number of subscribers: body and common headers are encoded once for each version, and escaped for SockJS
 * once; a copy adds its destination, subscription, message-id and headers of its own (TM ST-30, ST-31).
 */
export class SharedMessage {
  readonly #contentType: string | undefined;
  readonly #headers: readonly Header[];
  readonly #body: string;
  /** The body as it was published, where it is no text (TM ST-3). */
  readonly #octets: Buffer | null;
  /** Most receivers have subscribed to one destination. */
  #begin: { readonly destination: string; readonly version: StompVersion; readonly text: string } | null = null;
  /** Most receivers speak one version. */
  #tail: { readonly version: StompVersion; readonly text: SharedText } | null = null;

  constructor(message: {
    readonly contentType?: string;
    readonly headers?: readonly Header[];
    readonly body: string | Buffer;
  }) {
    const { contentType, headers = [], body } = message;
    this.#contentType = contentType;
    this.#headers = headers;
    this.#body = typeof body === 'string' ? body : body.toString('utf8');
    this.#octets = typeof body === 'string' || isUtf8(body) ? null : body;
  }

  static json(value: unknown): SharedMessage {
    return new SharedMessage({ contentType: 'application/json;charset=UTF-8', body: JSON.stringify(value) });
  }

  static text(body: string): SharedMessage {
    return new SharedMessage({ contentType: 'text/plain;charset=UTF-8', body });
  }

  /** What a client publishes to a topic: its body and its other headers. */
  static published({ headers, body }: Frame): SharedMessage {
    const contentType = headers.get('content-type');
    return new SharedMessage({
      ...(contentType === undefined ? {} : { contentType }),
      headers: [...headers].filter(([name]) => !NOT_PASSED_ON.has(name)),
      body,
    });
  }

  sendTo(carrier: MessageCarrier, version: StompVersion, envelope: Envelope): void {
    const { destination, subscription, messageId, headers = [] } = envelope;
    const id = subscription === null ? '' : headerLine(['subscription', subscription], version);
    const own = headers.length === 0 ? '' : headers.map((header) => headerLine(header, version)).join('');
    const begin = this.#beginOf(destination, version);
    const middle = `${begin}${id}message-id:${escapeHeader(messageId, version)}\n${own}`;
    if (this.#octets !== null && carrier.carriesBinary) carrier.send(this.#binary(middle, version, this.#octets));
    else carrier.sendShared(HEAD, middle, this.#tailFor(version));
  }

  #beginOf(destination: string, version: StompVersion): string {
    if (this.#begin?.destination === destination && this.#begin.version === version) return this.#begin.text;
    const type = this.#contentType === undefined ? '' : headerLine(['content-type', this.#contentType], version);
    const text = `${escapeHeader(destination, version)}\n${type}`;
    this.#begin = { destination, version, text };
    return text;
  }

  #binary(middle: string, version: StompVersion, body: Buffer): Buffer {
    const head = `${HEAD.text}${middle}${this.#common(version)}content-length:${body.length}\n\n`;
    return Buffer.concat([Buffer.from(head), body, Buffer.of(0)]);
  }

  #common(version: StompVersion): string {
    return this.#headers.map((header) => headerLine(header, version)).join('');
  }

  #tailFor(version: StompVersion): SharedText {
    if (this.#tail?.version === version) return this.#tail.text;
    const length = Buffer.byteLength(this.#body);
    const text = new Shared(`${this.#common(version)}content-length:${length}\n\n${this.#body}\0`);
    this.#tail = { version, text };
    return text;
  }
}
