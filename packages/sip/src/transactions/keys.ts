import type { SipRequest, SipResponse } from '../messages/index.ts';

/** What RFC 3261 puts before every branch, so that it can be told from RFC 2543's. */
export const MAGIC_COOKIE = 'z9hG4bK';

/** RFC 3261 17.1.3: the branch and the method in CSeq. */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

export function keyOfResponse(response: SipResponse): string {
  const { via, cseq } = response.headers;
  return clientKey(via?.branch ?? '', cseq?.method ?? '');
}

/** RFC 3261 17.2.3; `method` is INVITE to find the transaction that an ACK or a CANCEL is about. */
export function serverKey(request: SipRequest, method: string): string {
  const { via } = request.headers;
  const branch = via?.branch;
  // The cookie alone names no transaction (RFC 4475 3.2.1).
  if (branch !== undefined && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE))
    return `${branch} ${via?.sentBy.toLowerCase() ?? ''} ${method}`;
  return oldKey(request, method);
}

/**
 * COMPAT(RFC 2543 clients): without the cookie, Request-URI, From tag, Call-ID, CSeq number and the topmost Via count. The To tag is left
 * out, as an ACK's differs from its INVITE's; a wrong match would need two calls with all the rest in common.
 */
function oldKey(request: SipRequest, method: string): string {
  const { via, from, callId, cseq } = request.headers;
  const parts = [request.uri.toString(), from?.tag, callId, cseq?.seq, via?.sentBy, via?.branch, method];
  return parts.map((p) => p ?? '').join(' ');
}
