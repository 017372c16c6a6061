import { Headers, isSipUri, makeRequest, NameAddr, Params, parseNameAddr, parseUri } from '../messages/index.ts';
import type { SipRequest, Uri } from '../messages/index.ts';
import { describeBody } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { DigestClient } from '../digest/index.ts';
import { addHeaders } from './ground.ts';
import type { ExtraHeaders } from './ground.ts';
import { isFlow } from './reach.ts';
import type { Hop } from './reach.ts';

/** Whom a request is for: a URI, or a whole To value. */
export type Addressee = string | Uri | NameAddr;

export interface OutgoingOptions {
  /** Who asks, for From; by default the agent's identity. */
  readonly from?: Addressee | undefined;
  readonly body?: Body | undefined;
  readonly headers?: ExtraHeaders | undefined;
  /** Where To says one thing and the request goes to another: the Request-URI. */
  readonly requestUri?: Uri | string | undefined;
  /** Route values, first hop first. */
  readonly route?: readonly string[] | undefined;
  /** The way: a flow (a registered phone's connection), or the URI of an outbound proxy that needs no Route. */
  readonly hop?: Hop | string | undefined;
  /** Answers challenges; by default the agent's. */
  readonly digest?: DigestClient | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Composed {
  readonly request: SipRequest;
  readonly hop: Hop;
}

export interface ComposeDefaults {
  readonly identity: string;
  readonly callId: string;
  readonly tag: string;
  readonly product: string | undefined;
}

/** A request outside a dialog (RFC 3261 8.1.1), without Via and Contact. */
export function compose(method: string, to: Addressee, options: OutgoingOptions, defaults: ComposeDefaults): Composed {
  const addressee = partyOf(to);
  const requestUri = uriOf(options.requestUri) ?? bareUri(addressee.uri);
  const headers = new Headers();
  headers.add('Max-Forwards', 70);
  for (const value of options.route ?? []) headers.add('Route', value);
  headers.add('From', `${partyOf(options.from ?? defaults.identity).toString()};tag=${defaults.tag}`);
  headers.add('To', addressee);
  headers.add('Call-ID', defaults.callId);
  headers.add('CSeq', `1 ${method}`);
  if (defaults.product !== undefined) headers.add('User-Agent', defaults.product);
  addHeaders(headers, options.headers);
  describeBody(headers, options.body);
  const content = options.body?.content;
  const request = makeRequest({
    method,
    uri: requestUri,
    headers,
    ...(content === undefined ? {} : { body: content }),
  });
  const first = options.route?.[0];
  const hop = hopOf(options.hop) ?? (first === undefined ? requestUri : parseNameAddr(first, 'Route').uri);
  return { request, hop };
}

function hopOf(hop: Hop | string | undefined): Hop | undefined {
  if (hop === undefined || typeof hop === 'string') return uriOf(hop);
  return isFlow(hop) ? hop : uriOf(hop);
}

const uriOf = (uri: Uri | string | undefined): Uri | undefined => (typeof uri === 'string' ? parseUri(uri) : uri);

/** A From or To without a tag. */
export function partyOf(party: Addressee): NameAddr {
  if (typeof party === 'string')
    return party.includes('<') ? parseNameAddr(party, 'To').withoutParam('tag') : partyOf(parseUri(party));
  if (party instanceof NameAddr) return party.withoutParam('tag');
  return NameAddr.of({ uri: party });
}

/** A Request-URI has no headers and no `method` (RFC 3261 19.1.1). */
function bareUri(uri: Uri): Uri {
  if (!isSipUri(uri) || (uri.headers.size === 0 && !uri.params.has('method'))) return uri;
  return uri.with({ headers: Params.none, params: uri.params.without('method') });
}
