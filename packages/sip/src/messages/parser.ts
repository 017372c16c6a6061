import { MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_METHOD_LENGTH } from './bounds.ts';
import { SyntaxFailure } from './errors.ts';
import { readHeaderLines } from './header-lines.ts';
import type { HeaderLines } from './header-lines.ts';
import { Headers } from './headers.ts';
import { isToken } from './params.ts';
import type { FailureCode, ParseFailure, SipMessage } from './types.ts';
import { isSipUri, parseUri } from './uri.ts';
import type { Uri } from './uri.ts';

/** RFC 3261 8.1.1: what every message must have, and what may stand only once. */
const MANDATORY: readonly string[] = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

interface Problem {
  readonly code: FailureCode;
  readonly status: number;
  readonly reason: string;
}

const problem = (code: FailureCode, reason: string, status = 400): Problem => ({ code, status, reason });

/** Where the head ends in `bytes`: the index after the empty line, or -1. */
export function endOfHead(bytes: Buffer, from = 0): number {
  const at = bytes.indexOf('\r\n\r\n', from, 'latin1');
  return at < 0 ? -1 : at + 4;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads one whole message: a datagram, a WebSocket message, or what `StreamFramer` cut out of a stream. Checked here: the start line,
 * every line's form, the five headers that transactions need (RFC 3261 8.1.1), Content-Length. Other headers are read when used.
 * Octets after the body are dropped (RFC 3261 18.3). The body shares the memory of `bytes`.
 */
export function parseMessage(bytes: Uint8Array): SipMessage | ParseFailure {
  const buffer = asBuffer(bytes);
  let start = 0;
  // RFC 3261 7.5: empty lines before the start line are ignored.
  while (buffer[start] === 13 && buffer[start + 1] === 10) start += 2;
  if (start >= buffer.length) return failure(problem('empty', 'Empty'), undefined, new Headers(), true);
  const end = endOfHead(buffer, start);
  if ((end < 0 ? buffer.length : end) - start > MAX_HEAD_BYTES)
    return failure(problem('too-large', 'Headers Too Large', 513), undefined, new Headers(), false);
  const headEnd = end < 0 ? buffer.length : end - 2;
  const head = buffer.toString('utf8', start, headEnd);
  const lineEnd = head.indexOf('\r\n');
  const line = lineEnd < 0 ? head : head.slice(0, lineEnd);
  const lines = readHeaderLines(head, lineEnd < 0 ? head.length : lineEnd + 2);
  const truncated = end < 0 ? problem('header-syntax', 'No Empty Line After Headers') : undefined;
  const isResponse = /^SIP\//i.test(line);
  return isResponse
    ? readResponse(line, lines, truncated, buffer, end)
    : readRequest(line, lines, truncated, buffer, end);
}

function readRequest(
  line: string,
  lines: HeaderLines,
  truncated: Problem | undefined,
  bytes: Buffer,
  headEnd: number,
): SipMessage | ParseFailure {
  const first = line.indexOf(' ');
  const last = line.indexOf(' ', first + 1);
  const method = first < 0 ? '' : line.slice(0, first);
  const headers = lines.headers;
  const isMethod = method.length <= MAX_METHOD_LENGTH && isToken(method);
  const fail = (found: Problem): ParseFailure => failure(found, isMethod ? method : undefined, headers, false);
  if (!isMethod || last < 0) return fail(problem('start-line', 'Bad Request Line'));
  const version = line.slice(last + 1);
  if (!/^SIP\/2\.0$/i.test(version))
    return fail(
      /^SIP\/\d+\.\d+$/i.test(version)
        ? problem('version', 'Version Not Supported', 505)
        : problem('start-line', 'Bad Request Line'),
    );
  const uri = readRequestUri(line.slice(first + 1, last));
  if (uri === undefined) return fail(problem('request-uri', 'Invalid Request-URI'));
  const found = truncated ?? checkHeaders(lines, method) ?? lengthProblem(headers, bytes.length - headEnd);
  if (found !== undefined) return fail(found);
  return { kind: 'request', method, uri, version: 'SIP/2.0', headers, body: bodyOf(headers, bytes, headEnd) };
}

/** RFC 3261 19.1.1: a Request-URI has no headers part; RFC 4475 3.1.2.11 lets us refuse it. */
function readRequestUri(text: string): Uri | undefined {
  try {
    const uri = parseUri(text);
    return isSipUri(uri) && uri.headers.size > 0 ? undefined : uri;
  } catch (error) {
    if (error instanceof SyntaxFailure) return undefined;
    throw error;
  }
}

function readResponse(
  line: string,
  lines: HeaderLines,
  truncated: Problem | undefined,
  bytes: Buffer,
  headEnd: number,
): SipMessage | ParseFailure {
  const headers = lines.headers;
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line);
  if (match === null) return failure(problem('start-line', 'Bad Status Line'), undefined, headers, true);
  const found = truncated ?? checkHeaders(lines, undefined) ?? lengthProblem(headers, bytes.length - headEnd);
  if (found !== undefined) return failure(found, undefined, headers, true);
  return {
    kind: 'response',
    version: 'SIP/2.0',
    status: Number(match[1]),
    reason: match[2] ?? '',
    headers,
    body: bodyOf(headers, bytes, headEnd),
  };
}

function checkHeaders(lines: HeaderLines, method: string | undefined): Problem | undefined {
  if (lines.problem !== undefined) return problem(lines.problem.code, lines.problem.reason, lines.problem.status);
  const headers = lines.headers;
  if (lines.repeated !== undefined) return problem('repeated-header', `Repeated ${lines.repeated}`);
  try {
    const cseq = headers.cseq;
    const isComplete =
      headers.via !== undefined &&
      headers.from !== undefined &&
      headers.to !== undefined &&
      (headers.callId ?? '') !== '' &&
      cseq !== undefined;
    if (!isComplete) {
      const missing = MANDATORY.find((name) => (headers.get(name) ?? '') === '');
      return problem('missing-header', `Missing ${missing ?? 'Header'}`);
    }
    if (method !== undefined && cseq.method !== method) return problem('method-mismatch', 'CSeq Method Mismatch');
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxFailure) return problem('header-value', `Bad ${error.what}`);
    throw error;
  }
}

/** RFC 3261 18.3: fewer octets than announced is an error, more are dropped. */
function lengthProblem(headers: Headers, available: number): Problem | undefined {
  const text = headers.get('Content-Length');
  if (text === undefined) return available > MAX_BODY_BYTES ? tooLarge() : undefined;
  const length = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (length < 0) return problem('content-length', 'Bad Content-Length');
  if (length > MAX_BODY_BYTES) return tooLarge();
  return length > available ? problem('content-length', 'Body Shorter Than Content-Length') : undefined;
}

const tooLarge = (): Problem => problem('too-large', 'Message Too Large', 513);

function bodyOf(headers: Headers, bytes: Buffer, headEnd: number): Uint8Array {
  const text = headers.get('Content-Length');
  const length = text === undefined ? bytes.length - headEnd : Number(text);
  return bytes.subarray(headEnd, headEnd + length);
}

function failure(found: Problem, method: string | undefined, headers: Headers, isResponse: boolean): ParseFailure {
  const isAnswered = !isResponse && method !== undefined && method !== 'ACK';
  return {
    kind: 'failure',
    code: found.code,
    status: isAnswered ? found.status : undefined,
    reason: found.reason,
    method,
    headers,
  };
}
