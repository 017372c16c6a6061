import { SyntaxFailure, UnsafeValue } from './errors.ts';

/**
 * At most this many parameters in one list: real ones hold under ten; more is an attempt to make us work.
 * @peer 400
 * @test headers: bounds: values of a list
 */
export const MAX_PARAMS = 64;

/**
 * An immutable, ordered list of `name` or `name=value` pairs. Names compare without case and keep their spelling; values are as on the
 * wire (a quoted string keeps its quotes; see `text`).
 */
export class Params {
  static readonly none = new Params([]);
  /** Flat: name, value, name, value … */
  readonly #pairs: readonly (string | undefined)[];

  constructor(pairs: readonly (string | undefined)[]) {
    this.#pairs = pairs;
  }

  static of(values: Readonly<Record<string, string | number | true | undefined>>): Params {
    let made: Params = Params.none;
    for (const [name, value] of Object.entries(values)) if (value !== undefined) made = made.with(name, value);
    return made;
  }

  get size(): number {
    return this.#pairs.length / 2;
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  /** The value as written; an empty text for a name without a value; undefined where the name is missing. */
  get(name: string): string | undefined {
    const at = this.#find(name);
    return at < 0 ? undefined : (this.#pairs[at + 1] ?? '');
  }

  /** The value with the quotes of a quoted string taken off. */
  text(name: string): string | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : unquote(value);
  }

  /** A copy with this name set (in its old place, or at the end). `true` writes the name alone. */
  with(name: string, value: string | number | true): Params {
    const text = value === true ? undefined : String(value);
    if (!isToken(name) && !isLooseParam(name)) throw new UnsafeValue(`parameter name ${JSON.stringify(name)}`);
    if (text !== undefined && !isSafeValue(text)) throw new UnsafeValue(`parameter ${name}: needs quoting`);
    const at = this.#find(name);
    const pairs = this.#pairs.slice();
    if (at < 0) pairs.push(name, text);
    else pairs[at + 1] = text;
    return new Params(pairs);
  }

  without(name: string): Params {
    const at = this.#find(name);
    return at < 0 ? this : new Params(this.#pairs.filter((_, i) => i !== at && i !== at + 1)).without(name);
  }

  *entries(): Generator<readonly [name: string, value: string | undefined]> {
    for (let i = 0; i < this.#pairs.length; i += 2) yield [this.#pairs[i] ?? '', this.#pairs[i + 1]];
  }

  /** With `separator` before each pair. */
  write(separator: string): string {
    let out = '';
    for (let i = 0; i < this.#pairs.length; i += 2) {
      const value = this.#pairs[i + 1];
      out += separator + (this.#pairs[i] ?? '');
      if (value !== undefined) out += `=${value}`;
    }
    return out;
  }

  toString(): string {
    return this.write(';');
  }

  #find(name: string): number {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return i;
    const low = name.toLowerCase();
    for (let i = 0; i < pairs.length; i += 2) {
      const own = pairs[i];
      if (own !== undefined && own.length === low.length && own.toLowerCase() === low) return i;
    }
    return -1;
  }
}

/** Token characters of RFC 3261 25.1. */
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const LOOSE = /^[A-Za-z0-9\-_.!~*'()%[\]/:&+$]+$/;
const SAFE_VALUE = /^(?:"(?:[^"\\\r\n\0]|\\[^\r\n\0])*"|[^\s;,"<>\0]*)$/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Parameter characters of a SIP URI (RFC 3261 25.1, paramchar). */
export function isLooseParam(text: string): boolean {
  return LOOSE.test(text);
}

function isSafeValue(text: string): boolean {
  return SAFE_VALUE.test(text);
}

/** `a "b"` becomes `"a \"b\""`. Control characters are written as pairs (RFC 3261 25.1), but CR and LF, which have no such form. */
export function quote(text: string): string {
  return `"${text.replace(/["\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\\$&')}"`;
}

export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== 34 || text.charCodeAt(text.length - 1) !== 34) return text;
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

const isSpace = (c: number): boolean => c === 32 || c === 9;

/** Index after the closing quote of the quoted string that starts at `at`; -1 where it never ends. */
export function endOfQuoted(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 92) i++;
    else if (c === 34) return i + 1;
  }
  return -1;
}

/**
 * Reads `;name=value;name` from `at` to the end of `text` (generic-param of RFC 3261 25.1, with white space around separators).
 */
export function parseParams(text: string, at: number, what: string): Params {
  let i = at;
  const end = text.length;
  if (i >= end) return Params.none;
  const pairs: (string | undefined)[] = [];
  for (;;) {
    while (i < end && isSpace(text.charCodeAt(i))) i++;
    if (i >= end) break;
    if (text.charCodeAt(i) !== 59) throw new SyntaxFailure(what, 'expected ";"');
    if (pairs.length >= 2 * MAX_PARAMS) throw new SyntaxFailure(what, 'too many parameters');
    i = readParam(text, i + 1, pairs, what);
  }
  return new Params(pairs);
}

function readParam(text: string, from: number, pairs: (string | undefined)[], what: string): number {
  const end = text.length;
  let i = from;
  while (i < end && isSpace(text.charCodeAt(i))) i++;
  const nameAt = i;
  while (i < end && !isEnd(text.charCodeAt(i)) && text.charCodeAt(i) !== 61) i++;
  const name = text.slice(nameAt, i);
  if (!isToken(name)) throw new SyntaxFailure(what, 'bad parameter name');
  while (i < end && isSpace(text.charCodeAt(i))) i++;
  if (text.charCodeAt(i) !== 61) {
    pairs.push(name, undefined);
    return i;
  }
  i++;
  while (i < end && isSpace(text.charCodeAt(i))) i++;
  const valueAt = i;
  if (text.charCodeAt(i) === 34) {
    i = endOfQuoted(text, i);
    if (i < 0) throw new SyntaxFailure(what, 'a quoted string never ends');
  } else {
    while (i < end && !isEnd(text.charCodeAt(i))) i++;
    if (text.slice(valueAt, i).includes('"')) throw new SyntaxFailure(what, 'a stray quote');
  }
  pairs.push(name, text.slice(valueAt, i));
  return i;
}

const isEnd = (c: number): boolean => c === 59 || isSpace(c);
