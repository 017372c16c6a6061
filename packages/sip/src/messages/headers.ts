import { SyntaxFailure } from './errors.ts';
import { keyOf } from './header-names.ts';
import { HeaderTable } from './header-table.ts';
import type { HeaderValue } from './header-table.ts';
import { parseNameAddr } from './name-addr.ts';
import type { NameAddr } from './name-addr.ts';
import { isToken } from './params.ts';
import {
  parseAuthValue,
  parseContentType,
  parseCSeq,
  parseNumber,
  parseRetryAfter,
  parseValueWithParams,
  splitList,
} from './values.ts';
import type { AuthValue, CSeq, ValueWithParams } from './values.ts';
import { parseVia } from './via.ts';
import type { Via } from './via.ts';

/**
 * The headers of a message: ordered, names without case, compact forms folded to long names. Values are raw text until a typed
 * accessor reads them; what it read is kept until that header changes. Typed accessors throw `SyntaxFailure` on bad grammar and
 * give undefined (or an empty list) where the header is missing.
 */
export class Headers extends HeaderTable {
  #typed: Map<string, unknown> | undefined;
  #via: Via | undefined;
  #from: NameAddr | undefined;
  #to: NameAddr | undefined;
  #cseq: CSeq | undefined;

  constructor(entries: Iterable<readonly [name: string, value: HeaderValue]> = []) {
    super();
    for (const [name, value] of entries) this.add(name, value);
  }

  /** For the parser: `names` are long names where known, `values` are trimmed and without line breaks. */
  static adopt(names: string[], keys: string[], values: string[]): Headers {
    const made = new Headers();
    made.hold(names, keys, values);
    return made;
  }

  clone(): Headers {
    const copy = new Headers();
    copy.holdLinesOf(this);
    copy.#via = this.#via;
    copy.#from = this.#from;
    copy.#to = this.#to;
    copy.#cseq = this.#cseq;
    return copy;
  }

  /** The topmost Via. Values below it are not read. */
  get via(): Via | undefined {
    if (this.#via !== undefined) return this.#via;
    const line = this.get('Via');
    if (line === undefined) return undefined;
    this.#via = parseVia(line.includes(',') ? (splitList(line, 'Via')[0] ?? '') : line);
    return this.#via;
  }

  get vias(): readonly Via[] {
    return this.#typedList('Via', parseVia);
  }

  get from(): NameAddr | undefined {
    if (this.#from !== undefined) return this.#from;
    const text = this.get('From');
    return text === undefined ? undefined : (this.#from = parseNameAddr(text, 'From'));
  }

  get to(): NameAddr | undefined {
    if (this.#to !== undefined) return this.#to;
    const text = this.get('To');
    return text === undefined ? undefined : (this.#to = parseNameAddr(text, 'To'));
  }

  get callId(): string | undefined {
    return this.get('Call-ID');
  }

  get cseq(): CSeq | undefined {
    if (this.#cseq !== undefined) return this.#cseq;
    const text = this.get('CSeq');
    return text === undefined ? undefined : (this.#cseq = parseCSeq(text));
  }

  get maxForwards(): number | undefined {
    return this.#typedOne('Max-Forwards', (text) => parseNumber(text, 'Max-Forwards', 255));
  }

  /** The first Contact; undefined for `*` and where there is none. */
  get contact(): NameAddr | undefined {
    return this.isContactStar ? undefined : this.contacts[0];
  }

  get contacts(): readonly NameAddr[] {
    return this.isContactStar ? [] : this.#typedList('Contact', parseNameAddr);
  }

  /** `Contact: *` (RFC 3261 10.2.2). */
  get isContactStar(): boolean {
    return this.get('Contact') === '*';
  }

  get route(): readonly NameAddr[] {
    return this.#typedList('Route', parseNameAddr);
  }

  get recordRoute(): readonly NameAddr[] {
    return this.#typedList('Record-Route', parseNameAddr);
  }

  /** RFC 3327. */
  get path(): readonly NameAddr[] {
    return this.#typedList('Path', parseNameAddr);
  }

  get serviceRoute(): readonly NameAddr[] {
    return this.#typedList('Service-Route', parseNameAddr);
  }

  get referTo(): NameAddr | undefined {
    return this.#typedOne('Refer-To', parseNameAddr);
  }

  get referredBy(): NameAddr | undefined {
    return this.#typedOne('Referred-By', parseNameAddr);
  }

  get assertedIdentity(): readonly NameAddr[] {
    return this.#typedList('P-Asserted-Identity', parseNameAddr);
  }

  get expires(): number | undefined {
    return this.#typedOne('Expires', parseNumber);
  }

  get minExpires(): number | undefined {
    return this.#typedOne('Min-Expires', parseNumber);
  }

  get contentLength(): number | undefined {
    return this.#typedOne('Content-Length', parseNumber);
  }

  get contentType(): ValueWithParams | undefined {
    return this.#typedOne('Content-Type', parseContentType);
  }

  get retryAfter(): number | undefined {
    return this.#typedOne('Retry-After', parseRetryAfter);
  }

  /** Option tags, lower case. */
  get supported(): readonly string[] {
    return this.#tokens('Supported');
  }

  get require(): readonly string[] {
    return this.#tokens('Require');
  }

  get proxyRequire(): readonly string[] {
    return this.#tokens('Proxy-Require');
  }

  /** Methods, as written. */
  get allow(): readonly string[] {
    return this.list('Allow');
  }

  get event(): ValueWithParams | undefined {
    return this.valueWithParams('Event');
  }

  get sessionExpires(): ValueWithParams | undefined {
    return this.valueWithParams('Session-Expires');
  }

  get replaces(): ValueWithParams | undefined {
    return this.valueWithParams('Replaces');
  }

  /** A header of the form `value;param=…`. */
  valueWithParams(name: string): ValueWithParams | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : parseValueWithParams(text, name);
  }

  /** Challenges or credentials: one a line (RFC 3261 7.3.1 forbids joining these lines). */
  auth(
    name: 'Authorization' | 'Proxy-Authorization' | 'WWW-Authenticate' | 'Proxy-Authenticate',
  ): readonly AuthValue[] {
    return this.getAll(name).map((line) => parseAuthValue(line, name));
  }

  #tokens(name: string): readonly string[] {
    return this.list(name).map((token) => {
      if (!isToken(token)) throw new SyntaxFailure(name, 'bad option tag');
      return token.toLowerCase();
    });
  }

  #typedOne<T>(name: string, parse: (text: string, what: string) => T): T | undefined {
    const key = keyOf(name);
    const known = this.#typed?.get(key);
    if (known !== undefined) return known as T;
    const text = this.get(key);
    if (text === undefined) return undefined;
    const value = parse(text, name);
    (this.#typed ??= new Map()).set(key, value);
    return value;
  }

  #typedList<T>(name: string, parse: (text: string, what: string) => T): readonly T[] {
    const known = this.#typed?.get(name);
    if (known !== undefined) return known as readonly T[];
    const value = this.list(name).map((text) => parse(text, name));
    (this.#typed ??= new Map()).set(name, value);
    return value;
  }

  protected override forget(key: string): void {
    if (key === 'Via') this.#via = undefined;
    else if (key === 'From') this.#from = undefined;
    else if (key === 'To') this.#to = undefined;
    else if (key === 'CSeq') this.#cseq = undefined;
    this.#typed?.delete(key);
  }
}
