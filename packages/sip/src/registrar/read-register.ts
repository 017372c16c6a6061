import { SyntaxFailure } from '../messages/index.ts';
import type { NameAddr, SipRequest } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';
import type { RegistrarPolicy } from './policy.ts';
import { RegisterRefusal } from './refusal.ts';

/** RFC 3261 20.10: a time that can't be read is an hour. */
const UNREADABLE_EXPIRES_S = 3600;

export interface ContactWish {
  readonly contact: string;
  readonly params: string;
  readonly q: number;
  readonly expiresS: number;
  readonly instanceId: string | undefined;
  readonly regId: number | undefined;
}

/** What a REGISTER asks for. */
export interface RegisterWish {
  readonly callId: string;
  readonly cseq: number;
  /** `Contact: *` with `Expires: 0`. */
  readonly isWildcard: boolean;
  readonly contacts: readonly ContactWish[];
  readonly path: readonly string[];
  readonly flow: Flow | undefined;
  readonly userAgent: string | undefined;
  /** RFC 5626 6: the client and its first hop support it. */
  readonly isOutbound: boolean;
}

/** Reads a REGISTER. Throws `RegisterRefusal` or `SyntaxFailure` (400). */
export function readRegister(request: SipRequest, flow: Flow, policy: RegistrarPolicy): RegisterWish {
  const { headers } = request;
  const lines = headers.getAll('Contact');
  const isWildcard = lines.includes('*');
  // RFC 3261 10.2.2: the star stands alone and with Expires: 0.
  if (isWildcard && (lines.length > 1 || expiresHeader(request) !== 0)) throw new RegisterRefusal(400, 'Bad Wildcard');
  const path = headers.path.map((one) => own(one.toString()));
  const isDirect = headers.vias.length <= 1;
  const isOutbound = outboundOf(request, isDirect);
  const contacts = isWildcard ? [] : headers.contacts.map((one) => readContact(one, request, isOutbound, policy));
  if (isOutbound && contacts.filter((one) => one.regId !== undefined).length > 1)
    throw new RegisterRefusal(400, 'Several Contacts With reg-id');
  const userAgent = headers.get('User-Agent');
  return {
    callId: own(headers.callId ?? ''),
    cseq: headers.cseq?.seq ?? 0,
    isWildcard,
    contacts,
    path,
    flow: isDirect ? flow : undefined,
    userAgent: userAgent === undefined ? undefined : own(userAgent.slice(0, MAX_USER_AGENT)),
    isOutbound: contacts.some((one) => one.regId !== undefined),
  };
}

/**
 * What is kept of a User-Agent: enough to know a phone by.
 * @peer cut
 * @test registrar: what is kept does not hold
 */
const MAX_USER_AGENT = 128;

/** A text of its own: parts of a message would keep the whole message in memory. */
function own(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** RFC 5626 6: the client supports it, and so does its first hop, where there is one. */
function outboundOf(request: SipRequest, isDirect: boolean): boolean {
  const { headers } = request;
  if (!headers.supported.includes('outbound') && !headers.require.includes('outbound')) return false;
  const hasRegId = !headers.isContactStar && headers.contacts.some((one) => one.params.has('reg-id'));
  if (!hasRegId || isDirect) return hasRegId;
  if (!headers.path.some((one) => /;ob(?:[;=?]|$)/i.test(one.uriText)))
    throw new RegisterRefusal(439, 'First Hop Lacks Outbound Support');
  return true;
}

const KEPT_APART: readonly string[] = ['q', 'expires'];

function readContact(
  contact: NameAddr,
  request: SipRequest,
  isOutbound: boolean,
  policy: RegistrarPolicy,
): ContactWish {
  // Throws where it is no URI.
  const text = contact.uri.toString();
  let { params } = contact;
  for (const name of KEPT_APART) params = params.without(name);
  const instanceId = contact.params.text('+sip.instance');
  const isFlow = isOutbound && instanceId !== undefined && contact.params.has('reg-id');
  const wish: ContactWish = {
    contact: own(text),
    params: own(params.toString()),
    q: readQ(contact.params.get('q')),
    expiresS: expiresOf(contact, request, policy),
    instanceId: instanceId === undefined ? undefined : own(instanceId),
    regId: isFlow ? readRegId(contact.params.get('reg-id')) : undefined,
  };
  return wish;
}

function expiresOf(contact: NameAddr, request: SipRequest, policy: RegistrarPolicy): number {
  const text = contact.params.get('expires');
  const named = text === undefined ? expiresHeader(request) : (seconds(text) ?? UNREADABLE_EXPIRES_S);
  const wished = named ?? policy.defaultExpiresS;
  if (wished > 0 && wished < policy.minExpiresS)
    throw new RegisterRefusal(423, undefined, [['Min-Expires', policy.minExpiresS]]);
  return Math.min(wished, policy.maxExpiresS);
}

function expiresHeader(request: SipRequest): number | undefined {
  const text = request.headers.get('Expires');
  return text === undefined ? undefined : (seconds(text) ?? UNREADABLE_EXPIRES_S);
}

const seconds = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);

/** RFC 3261 25.1, qvalue. */
function readQ(text: string | undefined): number {
  if (text === undefined) return 1000;
  if (!/^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text)) throw new SyntaxFailure('Contact', 'bad q');
  return Math.round(Number(text) * 1000);
}

/** RFC 5626 4.2: from 1 to 2^31 - 1. */
function readRegId(text: string | undefined): number {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value >= 2 ** 31) throw new SyntaxFailure('Contact', 'bad reg-id');
  return value;
}
