import { MAX_HEADER_LINES } from './bounds.ts';
import { isEscapedAt } from './errors.ts';
import { Headers } from './headers.ts';
import { knownName } from './header-names.ts';
import { isToken } from './params.ts';

export interface HeaderLines {
  readonly headers: Headers;
  /** The first line that is none. What could be read before and after it is in `headers`. */
  readonly problem:
    { readonly code: 'header-syntax' | 'too-large'; readonly status: number; readonly reason: string } | undefined;
  /** A header that stands twice but may not. */
  readonly repeated: string | undefined;
}

/** Bits of headers that stand at most once (RFC 3261 7.3.1: lists alone may repeat; RFC 4475 3.3.8, 3.3.9). */
function onceBit(key: string): number {
  switch (key) {
    case 'From':
      return 1;
    case 'To':
      return 2;
    case 'Call-ID':
      return 4;
    case 'CSeq':
      return 8;
    case 'Content-Length':
      return 16;
    case 'Max-Forwards':
      return 32;
    case 'Content-Type':
      return 64;
    case 'Expires':
      return 128;
    default:
      return 0;
  }
}

const isSpace = (c: number): boolean => c === 32 || c === 9;

/**
 * Reads the lines of `head` from `at`. One pass: each line is found by its CR, its name is folded to the long form, its value is
 * a slice. Lines that go on with white space are joined by one space (RFC 3261 7.3.1).
 */
export function readHeaderLines(head: string, at: number): HeaderLines {
  const names: string[] = [];
  const keys: string[] = [];
  const values: string[] = [];
  let problem: HeaderLines['problem'];
  let repeated: string | undefined;
  let seen = 0;
  let lines = 0;
  let pos = at;
  if (hasBareNul(head)) problem = { code: 'header-syntax', status: 400, reason: 'NUL In Headers' };
  while (pos < head.length) {
    if (++lines > MAX_HEADER_LINES) {
      problem = { code: 'too-large', status: 513, reason: 'Too Many Headers' };
      break;
    }
    let end = lineEnd(head, pos);
    let next = end + 2;
    const isFolded = next < head.length && isSpace(head.charCodeAt(next));
    while (next < head.length && isSpace(head.charCodeAt(next))) {
      end = lineEnd(head, next);
      next = end + 2;
    }
    const colon = head.indexOf(':', pos);
    const name = colon < 0 || colon >= end ? '' : trimEnd(head, pos, colon);
    const known = knownName(name);
    if ((known === undefined && !isToken(name)) || hasLoneBreak(head, pos, end, isFolded))
      problem ??= { code: 'header-syntax', status: 400, reason: 'Bad Header Line' };
    else {
      const key = known ?? name.toLowerCase();
      const bit = onceBit(key);
      if ((seen & bit) !== 0) repeated ??= key;
      seen |= bit;
      names.push(known ?? name);
      keys.push(key);
      values.push(isFolded ? unfold(head.slice(colon + 1, end)) : trimmed(head, colon + 1, end));
    }
    pos = next;
  }
  return { headers: Headers.adopt(names, keys, values), problem, repeated };
}

/** NUL is good in a quoted pair alone (RFC 3261 25.1). */
function hasBareNul(head: string): boolean {
  for (let at = head.indexOf('\0'); at >= 0; at = head.indexOf('\0', at + 1)) if (!isEscapedAt(head, at)) return true;
  return false;
}

function lineEnd(head: string, from: number): number {
  const at = head.indexOf('\r\n', from);
  return at < 0 ? head.length : at;
}

/** A CR or LF alone is no line end and no part of a value (RFC 3261 7). */
function hasLoneBreak(head: string, from: number, end: number, isFolded: boolean): boolean {
  if (isFolded) return /\r(?!\n)|(?<!\r)\n/.test(head.slice(from, end));
  const lf = head.indexOf('\n', from);
  if (lf >= 0 && lf < end) return true;
  const cr = head.indexOf('\r', from);
  return cr >= 0 && cr < end;
}

function unfold(text: string): string {
  return text
    .split('\r\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

function trimEnd(head: string, from: number, to: number): string {
  let end = to;
  while (end > from && isSpace(head.charCodeAt(end - 1))) end--;
  return head.slice(from, end);
}

function trimmed(head: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(head.charCodeAt(start))) start++;
  while (end > start && isSpace(head.charCodeAt(end - 1))) end--;
  return head.slice(start, end);
}
