import { Headers, makeRequest, type SipRequest, type SipResponse } from '../messages/index.ts';

/** The ACK to a non-2xx final response (RFC 3261 17.1.1.3): same Request-URI, branch and Route as the INVITE, To of the response. */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = sameTransaction(invite, 'ACK');
  headers.set('To', response.headers.get('To') ?? '');
  return makeRequest({ method: 'ACK', uri: invite.uri, headers });
}

/** The CANCEL of a request (RFC 3261 9.1). */
export function cancelFor(request: SipRequest): SipRequest {
  return makeRequest({ method: 'CANCEL', uri: request.uri, headers: sameTransaction(request, 'CANCEL') });
}

function sameTransaction(request: SipRequest, method: string): Headers {
  const headers = new Headers();
  const via = request.headers.via;
  if (via) headers.add('Via', via);
  headers.copy(request.headers, 'Route');
  headers.copy(request.headers, 'From');
  headers.copy(request.headers, 'To');
  headers.copy(request.headers, 'Call-ID');
  headers.add('CSeq', `${request.headers.cseq?.seq ?? 0} ${method}`);
  headers.add('Max-Forwards', 70);
  return headers;
}
