import { randomBytes } from 'node:crypto';
import { SyntaxFailure, makeResponse, writeMessage } from '../messages/index.ts';
import type { ParseFailure, SipMessage } from '../messages/index.ts';
import type { Flow } from './port.ts';
import { replyFlow, stampVia } from './via.ts';

/** A header that turns out to be broken when somebody reads it is a 400 (RFC 3261 8.2, 16.3). */
export function failureOf(message: SipMessage, broken: SyntaxFailure): ParseFailure {
  const method = message.kind === 'request' ? message.method : undefined;
  const isAnswered = method !== undefined && method !== 'ACK';
  const reason = `Bad ${broken.what}`;
  return {
    kind: 'failure',
    code: 'header-value',
    status: isAnswered ? 400 : undefined,
    reason,
    method,
    headers: message.headers,
  };
}

/**
 * The stateless answer to what could not be accepted, where one is due. What has no Via at all is no SIP, and an answer would only serve
 * those who forge senders.
 */
export function refusalOf(
  failure: ParseFailure,
  flow: Flow,
): { readonly bytes: Uint8Array; readonly flow: Flow } | undefined {
  if (failure.status === undefined || !failure.headers.has('Via')) return undefined;
  const response = makeResponse(failure, failure.status, failure.reason);
  let back = flow;
  try {
    stampVia(response.headers, flow);
    back = replyFlow(response, flow);
    if (response.headers.to?.tag === undefined)
      response.headers.set('To', `${response.headers.get('To') ?? ''};tag=${randomBytes(6).toString('hex')}`);
  } catch (error) {
    // The very header is broken: the answer carries it as it came, to where it came from.
    if (!(error instanceof SyntaxFailure)) throw error;
  }
  return { bytes: writeMessage(response), flow: back };
}
