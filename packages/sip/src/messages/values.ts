import { SyntaxFailure } from './errors.ts';
import { endOfQuoted, isToken, parseParams, unquote } from './params.ts';
import type { Params } from './params.ts';

/**
 * At most this many values in one header: proxies add one each, and Max-Forwards ends at 70 (RFC 3261 8.1.1.6).
 * @peer 400
 * @test headers: bounds: values of a list
 */
export const MAX_LIST_VALUES = 128;

/** Splits at commas outside quotes and angle brackets, and trims. Empty elements are an error. */
export function splitList(text: string, what: string): string[] {
  if (!text.includes(',')) return [text];
  const out: string[] = [];
  let start = 0;
  let isBracketed = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 34 && !isBracketed) {
      i = endOfQuoted(text, i) - 1;
      if (i < 0) throw new SyntaxFailure(what, 'a quoted string never ends');
    } else if (c === 60) isBracketed = true;
    else if (c === 62) isBracketed = false;
    else if (c === 44 && !isBracketed) {
      out.push(text.slice(start, i).trim());
      start = i + 1;
      if (out.length >= MAX_LIST_VALUES) throw new SyntaxFailure(what, 'too many values');
    }
  }
  out.push(text.slice(start).trim());
  if (out.includes('')) throw new SyntaxFailure(what, 'an empty value');
  return out;
}

export interface CSeq {
  readonly seq: number;
  readonly method: string;
}

/** RFC 3261 20.16, 8.1.1.5: the number is below 2^31. */
export function parseCSeq(text: string): CSeq {
  const match = /^(\d{1,10})[ \t]+(\S+)$/.exec(text);
  const seq = Number(match?.[1]);
  const method = match?.[2] ?? '';
  if (match === null || seq >= 2 ** 31 || !isToken(method)) throw new SyntaxFailure('CSeq', 'bad value');
  return { seq, method };
}

/** A number of at most `max` (delta-seconds and others). */
export function parseNumber(text: string, what: string, max = 2 ** 32 - 1): number {
  const value = /^\d{1,20}$/.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw new SyntaxFailure(what, 'bad number');
  return value;
}

/** A value with parameters: Content-Type, Event, Session-Expires, Replaces, Subscription-State, Reason … */
export interface ValueWithParams {
  /** As written. */
  readonly value: string;
  readonly params: Params;
}

export function parseValueWithParams(text: string, what: string): ValueWithParams {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const value = text.slice(0, end).trim();
  if (value === '') throw new SyntaxFailure(what, 'no value');
  return { value, params: parseParams(text, end, what) };
}

/** A media type: `application/sdp;charset=…`, white space around the slash allowed. */
export function parseContentType(text: string): ValueWithParams {
  const parsed = parseValueWithParams(text, 'Content-Type');
  const parts = parsed.value.split('/').map((p) => p.trim());
  if (parts.length !== 2 || !parts.every(isToken)) throw new SyntaxFailure('Content-Type', 'bad media type');
  return { value: parts.join('/').toLowerCase(), params: parsed.params };
}

/** RFC 3261 20.33: seconds; a comment and parameters may follow and are not read. */
export function parseRetryAfter(text: string): number {
  const match = /^(\d{1,10})(?=$|[ \t;(])/.exec(text);
  if (match === null || Number(match[1]) >= 2 ** 32) throw new SyntaxFailure('Retry-After', 'bad value');
  return Number(match[1]);
}

/** A challenge or credentials: `Digest name=value, name="value"` (RFC 3261 25.1). */
export interface AuthValue {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case, values without quotes. Empty for schemes of another form (`Basic`, `Negotiate`). */
  readonly params: ReadonlyMap<string, string>;
}

/**
 * At most this many parameters: digest has twelve.
 * @peer 400
 * @test headers: bounds: values of a list
 */
export const MAX_AUTH_PARAMS = 32;

export function parseAuthValue(text: string, what: string): AuthValue {
  const match = /^([A-Za-z0-9\-.!%*_+`'~]+)(?:\s+|$)/.exec(text);
  if (match === null) throw new SyntaxFailure(what, 'no scheme');
  const scheme = (match[1] ?? '').toLowerCase();
  const params = readAuthParams(text, match[0].length);
  if (params === undefined && scheme === 'digest') throw new SyntaxFailure(what, 'bad parameters');
  return { scheme, params: params ?? new Map() };
}

function readAuthParams(text: string, from: number): Map<string, string> | undefined {
  const params = new Map<string, string>();
  let i = from;
  while (i < text.length) {
    const equals = text.indexOf('=', i);
    if (equals < 0 || params.size >= MAX_AUTH_PARAMS) return undefined;
    const name = text.slice(i, equals).trim().toLowerCase();
    let end = equals + 1;
    while (text.charCodeAt(end) === 32 || text.charCodeAt(end) === 9) end++;
    const valueAt = end;
    if (text.charCodeAt(end) === 34) end = endOfQuoted(text, end);
    if (end < 0) return undefined;
    const comma = text.indexOf(',', end);
    const stop = comma < 0 ? text.length : comma;
    const value = text.slice(valueAt, stop).trim();
    if (!isToken(name) || params.has(name) || (end > valueAt && text.slice(end, stop).trim() !== '')) return undefined;
    params.set(name, unquote(value));
    i = stop + 1;
  }
  return params;
}
