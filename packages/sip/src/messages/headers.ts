import { SyntaxFailure, UnsafeValue, refuseLineBreaks } from './errors.ts';
import { keyOf, knownName } from './header-names.ts';
import { parseNameAddr } from './name-addr.ts';
import type { NameAddr } from './name-addr.ts';
import { isToken } from './params.ts';
import {
  MAX_LIST_VALUES,
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

type HeaderValue = string | number | { toString(): string };

/**
 * The headers of a message: ordered, names without case, compact forms folded to long names. Values are raw text until a typed
 * accessor reads them; what it read is kept until that header changes. Typed accessors throw `SyntaxFailure` on bad grammar and
 * give undefined (or an empty list) where the header is missing.
 */
export class Headers {
  /** Names as written, keys to compare by, values: three parallel lists. */
  #names: string[];
  #keys: string[];
  #values: string[];
  #typed: Map<string, unknown> | undefined;
  #via: Via | undefined;
  #from: NameAddr | undefined;
  #to: NameAddr | undefined;
  #cseq: CSeq | undefined;

  constructor(entries: Iterable<readonly [name: string, value: HeaderValue]> = []) {
    this.#names = [];
    this.#keys = [];
    this.#values = [];
    for (const [name, value] of entries) this.add(name, value);
  }

  /** For the parser: `names` are long names where known, `values` are trimmed and without line breaks. */
  static adopt(names: string[], keys: string[], values: string[]): Headers {
    const made = new Headers();
    made.#names = names;
    made.#keys = keys;
    made.#values = values;
    return made;
  }

  clone(): Headers {
    const copy = Headers.adopt(this.#names.slice(), this.#keys.slice(), this.#values.slice());
    copy.#via = this.#via;
    copy.#from = this.#from;
    copy.#to = this.#to;
    copy.#cseq = this.#cseq;
    return copy;
  }

  get size(): number {
    return this.#keys.length;
  }

  has(name: string): boolean {
    return this.#keys.includes(keyOf(name));
  }

  /** The first line's raw value. */
  get(name: string): string | undefined {
    const at = this.#keys.indexOf(keyOf(name));
    return at < 0 ? undefined : this.#values[at];
  }

  /** Every line's raw value, in order; a line may hold several values (see `list`). */
  getAll(name: string): string[] {
    const key = keyOf(name);
    const out: string[] = [];
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] === key) out.push(this.#values[i] ?? '');
    return out;
  }

  /** Every value of every line, split at commas. */
  list(name: string): string[] {
    const lines = this.getAll(name);
    const out = lines.length === 1 ? splitList(lines[0] ?? '', name) : lines.flatMap((line) => splitList(line, name));
    if (out.length > MAX_LIST_VALUES) throw new SyntaxFailure(name, 'too many values');
    return lines.length === 1 && out.length === 1 && out[0] === '' ? [] : out;
  }

  /** Replaces all lines of this name by one, in the place of the first. */
  set(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    this.#forget(key);
    if (at < 0) {
      this.#insert(this.#keys.length, name, key, text);
      return;
    }
    this.#values[at] = text;
    for (let i = this.#keys.length - 1; i > at; i--) if (this.#keys[i] === key) this.#delete(i);
  }

  /** Appends a line after all others. */
  add(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    this.#forget(key);
    this.#insert(this.#keys.length, name, key, text);
  }

  /** Puts a line before all others of its name (Via, Record-Route, Route), or first of all. */
  prepend(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    this.#forget(key);
    this.#insert(at < 0 ? 0 : at, name, key, text);
  }

  remove(name: string): void {
    const key = keyOf(name);
    this.#forget(key);
    for (let i = this.#keys.length - 1; i >= 0; i--) if (this.#keys[i] === key) this.#delete(i);
  }

  /** Takes off the first value (not line) of a list header and returns it: the topmost Via or Route. */
  shift(name: string): string | undefined {
    const key = keyOf(name);
    const at = this.#keys.indexOf(key);
    if (at < 0) return undefined;
    const [first, ...rest] = splitList(this.#values[at] ?? '', name);
    this.#forget(key);
    if (rest.length > 0) this.#values[at] = rest.join(', ');
    else this.#delete(at);
    return first;
  }

  /** Replaces the first value (not line) of a list header. */
  replaceFirst(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    if (at < 0) throw new UnsafeValue(`${name}: nothing to replace`);
    const old = this.#values[at] ?? '';
    this.#forget(key);
    this.#values[at] = old.includes(',') ? [text, ...splitList(old, name).slice(1)].join(', ') : text;
  }

  /** Copies every line of this name from another container, keeping the order. */
  copy(from: Headers, name: string): void {
    const key = keyOf(name);
    for (let i = 0; i < from.#keys.length; i++) {
      if (from.#keys[i] !== key) continue;
      this.#forget(key);
      this.#insert(this.#keys.length, from.#names[i] ?? name, key, from.#values[i] ?? '');
    }
  }

  *entries(): Generator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#keys.length; i++) yield [this.#names[i] ?? '', this.#values[i] ?? ''];
  }

  /** Lines as on the wire, without `Content-Length`, which the writer adds. */
  toLines(): string {
    let out = '';
    for (let i = 0; i < this.#keys.length; i++)
      if (this.#keys[i] !== 'Content-Length') out += `${this.#names[i] ?? ''}: ${this.#values[i] ?? ''}\r\n`;
    return out;
  }

  // ---- typed access -------------------------------------------------------------------------------------------------

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
    return this.valueOf('Event');
  }

  get sessionExpires(): ValueWithParams | undefined {
    return this.valueOf('Session-Expires');
  }

  get replaces(): ValueWithParams | undefined {
    return this.valueOf('Replaces');
  }

  /** A header of the form `value;param=…`. */
  valueOf(name: string): ValueWithParams | undefined {
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

  #forget(key: string): void {
    if (key === 'Via') this.#via = undefined;
    else if (key === 'From') this.#from = undefined;
    else if (key === 'To') this.#to = undefined;
    else if (key === 'CSeq') this.#cseq = undefined;
    this.#typed?.delete(key);
  }

  #insert(at: number, name: string, key: string, value: string): void {
    this.#names.splice(at, 0, knownName(name) ?? name);
    this.#keys.splice(at, 0, key);
    this.#values.splice(at, 0, value);
  }

  #delete(at: number): void {
    this.#names.splice(at, 1);
    this.#keys.splice(at, 1);
    this.#values.splice(at, 1);
  }
}

function checked(name: string, value: HeaderValue): string {
  const text = typeof value === 'string' ? value : value.toString();
  if (!isToken(name)) throw new UnsafeValue(`header name ${JSON.stringify(name)}`);
  refuseLineBreaks(name, text);
  return text;
}
