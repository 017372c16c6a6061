import { UnsafeValue, refuseLineBreaks } from './errors.ts';
import { Headers } from './headers.ts';
import { isToken } from './params.ts';
import { NO_BODY } from './types.ts';
import type { ParseFailure, SipMessage, SipRequest, SipResponse } from './types.ts';
import type { Uri } from './uri.ts';

/**
 * The bytes of a message. Content-Length is counted here, in bytes; one in the headers is ignored.
 * Throws `UnsafeValue` where the start line can't be written; headers were checked when they were set.
 */
export function writeMessage(message: SipMessage): Buffer {
  const head = `${startLine(message)}\r\n${message.headers.toLines()}Content-Length: ${message.body.length}\r\n\r\n`;
  if (message.body.length === 0) return Buffer.from(head, 'utf8');
  return Buffer.concat([Buffer.from(head, 'utf8'), message.body]);
}

function startLine(message: SipMessage): string {
  if (message.kind === 'response') {
    if (!Number.isInteger(message.status) || message.status < 100 || message.status > 699)
      throw new UnsafeValue(`status ${message.status}`);
    refuseLineBreaks('reason', message.reason);
    return `SIP/2.0 ${message.status} ${message.reason}`;
  }
  const uri = message.uri.toString();
  if (!isToken(message.method)) throw new UnsafeValue(`method ${JSON.stringify(message.method)}`);
  for (let i = 0; i < uri.length; i++)
    if (uri.charCodeAt(i) <= 32) throw new UnsafeValue('the Request-URI holds white space or control characters');
  return `${message.method} ${uri} SIP/2.0`;
}

export interface RequestParts {
  readonly method: string;
  readonly uri: Uri;
  readonly headers?: Headers;
  readonly body?: Uint8Array;
}

export function makeRequest(parts: RequestParts): SipRequest {
  return {
    kind: 'request',
    method: parts.method,
    uri: parts.uri,
    version: 'SIP/2.0',
    headers: parts.headers ?? new Headers(),
    body: parts.body ?? NO_BODY,
  };
}

/** The headers that every response takes over from its request (RFC 3261 8.2.6.2), and Timestamp for a 100. */
const COPIED: readonly string[] = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

/** A response with the headers that RFC 3261 8.2.6.2 copies; the To tag is the caller's to add. */
export function makeResponse(
  request: Pick<SipRequest, 'headers'> | ParseFailure,
  status: number,
  reason: string = reasonOf(status),
  body: Uint8Array = NO_BODY,
): SipResponse {
  const headers = new Headers();
  for (const name of COPIED) headers.copy(request.headers, name);
  if (status === 100) headers.copy(request.headers, 'Timestamp');
  return { kind: 'response', version: 'SIP/2.0', status, reason, headers, body };
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [181, 'Call Is Being Forwarded'],
  [182, 'Queued'],
  [183, 'Session Progress'],
  [200, 'OK'],
  [202, 'Accepted'],
  [204, 'No Notification'],
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Moved Temporarily'],
  [305, 'Use Proxy'],
  [380, 'Alternative Service'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [410, 'Gone'],
  [413, 'Request Entity Too Large'],
  [414, 'Request-URI Too Long'],
  [415, 'Unsupported Media Type'],
  [416, 'Unsupported URI Scheme'],
  [420, 'Bad Extension'],
  [421, 'Extension Required'],
  [422, 'Session Interval Too Small'],
  [423, 'Interval Too Brief'],
  [430, 'Flow Failed'],
  [439, 'First Hop Lacks Outbound Support'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [482, 'Loop Detected'],
  [483, 'Too Many Hops'],
  [484, 'Address Incomplete'],
  [485, 'Ambiguous'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [489, 'Bad Event'],
  [491, 'Request Pending'],
  [493, 'Undecipherable'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Server Time-out'],
  [505, 'Version Not Supported'],
  [513, 'Message Too Large'],
  [600, 'Busy Everywhere'],
  [603, 'Decline'],
  [604, 'Does Not Exist Anywhere'],
  [606, 'Not Acceptable'],
]);

export function reasonOf(status: number): string {
  return REASONS.get(status) ?? 'Unknown';
}
