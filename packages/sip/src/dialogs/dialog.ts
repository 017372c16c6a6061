import { isSipUri, parseNameAddr, SyntaxFailure } from '../messages/index.ts';
import type { Headers, SipRequest, SipResponse, Uri } from '../messages/index.ts';

/**
 * What a dialog knows (RFC 3261 12): immutable; each request that is sent or taken gives a new one. From, To and the route set are kept
 * as they stood on the wire.
 */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  /** Empty where the peer gave none (COMPAT RFC 2543: 12.1.1). */
  readonly remoteTag: string;
  /** The From value of our requests, with our tag. */
  readonly local: string;
  /** The To value of our requests, with the peer's tag. */
  readonly remote: string;
  /** The CSeq number of our latest request; 0 before the first. */
  readonly localSeq: number;
  /** The CSeq number of the peer's latest request. */
  readonly remoteSeq: number | undefined;
  readonly routeSet: readonly string[];
  readonly remoteTarget: Uri;
  readonly isSecure: boolean;
}

/** The key of a dialog (RFC 3261 12): `localTag` is ours. */
export function dialogId(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

export const idOf = (dialog: Dialog): string => dialogId(dialog.callId, dialog.localTag, dialog.remoteTag);

/** The key of the dialog that a request which came in belongs to: our tag is in To. */
export function dialogIdOfRequest(request: SipRequest): string {
  const { callId, from, to } = request.headers;
  return dialogId(callId ?? '', to?.tag ?? '', from?.tag ?? '');
}

/** The values of Record-Route; throws `SyntaxFailure` now rather than when a request is to go along them. */
function routes(headers: Headers): string[] {
  const values = headers.list('Record-Route');
  for (const value of values) uriOfRoute(value);
  return values;
}

/** RFC 3261 12.1.1: the dialog that our answer to this request makes. `localTag` goes into To. */
export function dialogByRequest(request: SipRequest, localTag: string): Dialog {
  const { headers } = request;
  const contact = headers.contact;
  if (contact === undefined) throw new SyntaxFailure('Contact', 'missing');
  return {
    callId: headers.callId ?? '',
    localTag,
    remoteTag: headers.from?.tag ?? '',
    local: `${headers.get('To') ?? ''};tag=${localTag}`,
    remote: headers.get('From') ?? '',
    localSeq: 0,
    remoteSeq: headers.cseq?.seq,
    routeSet: routes(headers),
    remoteTarget: contact.uri,
    isSecure: request.uri.scheme === 'sips',
  };
}

/** RFC 3261 12.1.2: the dialog that a response (101 to 299, with a To tag) to our request makes. */
export function dialogByResponse(request: SipRequest, response: SipResponse): Dialog {
  const { headers } = response;
  const contact = headers.contact;
  // A provisional response may lack its Contact (phones do send those); requests then go where the first one went.
  if (contact === undefined && response.status >= 200) throw new SyntaxFailure('Contact', 'missing');
  return {
    callId: request.headers.callId ?? '',
    localTag: request.headers.from?.tag ?? '',
    remoteTag: headers.to?.tag ?? '',
    local: request.headers.get('From') ?? '',
    remote: headers.get('To') ?? '',
    localSeq: request.headers.cseq?.seq ?? 0,
    remoteSeq: undefined,
    routeSet: routes(headers).reverse(),
    remoteTarget: contact?.uri ?? request.uri,
    isSecure: request.uri.scheme === 'sips',
  };
}

/** RFC 3261 12.1.2, 13.2.2.4: a 2xx in an early dialog gives the route set and the target anew. */
export function confirmedBy(dialog: Dialog, response: SipResponse): Dialog {
  const { headers } = response;
  const contact = headers.contact;
  if (contact === undefined) throw new SyntaxFailure('Contact', 'missing');
  return { ...dialog, routeSet: routes(headers).reverse(), remoteTarget: contact.uri };
}

/** RFC 3261 12.2: the peer of a target refresh request (INVITE, UPDATE, SUBSCRIBE, NOTIFY, REFER) may name a new address. */
export function refreshed(dialog: Dialog, message: SipRequest | SipResponse): Dialog {
  const contact = message.headers.contact;
  if (contact === undefined || contact.uriText === dialog.remoteTarget.toString()) return dialog;
  return { ...dialog, remoteTarget: contact.uri };
}

export type Taken =
  | { readonly isTaken: true; readonly dialog: Dialog }
  /** RFC 3261 12.2.2: a lower CSeq than the last is answered by 500. */
  | { readonly isTaken: false; readonly status: 500 };

const REFRESHES: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** Whether requests of this method carry the sender's address for what follows. */
export const isTargetRefresh = (method: string): boolean => REFRESHES.has(method);

/** A request of the peer in this dialog (RFC 3261 12.2.2): order, then target refresh. */
export function takeRequest(dialog: Dialog, request: SipRequest): Taken {
  const seq = request.headers.cseq?.seq ?? 0;
  if (dialog.remoteSeq !== undefined && seq < dialog.remoteSeq) return { isTaken: false, status: 500 };
  const ordered = seq === dialog.remoteSeq ? dialog : { ...dialog, remoteSeq: seq };
  return { isTaken: true, dialog: isTargetRefresh(request.method) ? refreshed(ordered, request) : ordered };
}

/** Where the dialog's next request is sent first and what its Request-URI is (RFC 3261 12.2.1.1). */
export interface DialogRoute {
  readonly requestUri: Uri;
  readonly route: readonly string[];
  readonly nextHop: Uri;
}

export function dialogRoute(dialog: Dialog): DialogRoute {
  const [first, ...rest] = dialog.routeSet;
  if (first === undefined) return { requestUri: dialog.remoteTarget, route: [], nextHop: dialog.remoteTarget };
  const uri = uriOfRoute(first);
  if (isSipUri(uri) && uri.params.has('lr'))
    return { requestUri: dialog.remoteTarget, route: dialog.routeSet, nextHop: uri };
  // COMPAT(RFC 2543 strict routers): the first route is the Request-URI, our target the last route.
  return { requestUri: uri, route: [...rest, `<${dialog.remoteTarget.toString()}>`], nextHop: uri };
}

function uriOfRoute(text: string): Uri {
  return parseNameAddr(text, 'Record-Route').uri;
}
