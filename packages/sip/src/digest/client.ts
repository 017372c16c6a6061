import { randomBytes } from 'node:crypto';
import { SyntaxFailure, quote } from '../messages/index.ts';
import type { AuthValue, SipRequest, SipResponse } from '../messages/index.ts';
import { algorithmOf, digestResponse, ha1Of, hashOf } from './algorithms.ts';
import type { DigestAlgorithm, DigestQop, DigestSecret } from './algorithms.ts';

export type DigestCredentials = { readonly username: string } & DigestSecret;

export interface DigestClientOptions {
  /** Who we are in a realm; undefined: nobody, the challenge stays unanswered. */
  readonly credentialsFor: (realm: string) => DigestCredentials | undefined;
  /** Client nonces; random where missing. */
  readonly nextCnonce?: () => string;
}

/** `refused`: our credentials were wrong. `unknown-realm`: we have none. `unsupported`: no challenge that we understand. */
export type DigestAnswer = 'answered' | 'refused' | 'unknown-realm' | 'unsupported';

/**
 * Challenges of one response that are read, and realms that are remembered: proxies on the way are few.
 * @peer not looked at
 * @test digest: realms are bounded
 */
export const MAX_REALMS = 16;

type CredentialsHeader = 'Authorization' | 'Proxy-Authorization';

interface Session {
  readonly header: CredentialsHeader;
  readonly realm: string;
  nonce: string;
  readonly algorithm: DigestAlgorithm;
  readonly qop: DigestQop | undefined;
  readonly opaque: string | undefined;
  readonly cnonce: string;
  uses: number;
}

/**
 * The client side of digest (RFC 3261 22.1 to 22.3, RFC 8760). One object for one identity: it remembers what servers asked for, and
 * counts the uses of each nonce.
 *
 * @example
 * if (response.status === 401 && digest.answer(request, response) === 'answered') send(request); // with a new CSeq and branch
 */
export class DigestClient {
  readonly #options: DigestClientOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: DigestClientOptions) {
    this.#options = options;
  }

  /**
   * Puts credentials for the challenges of a 401 or 407 on the request that is to be sent again. It must still bear the credentials that
   * it was refused with.
   */
  answer(request: SipRequest, response: SipResponse): DigestAnswer {
    const isProxy = response.status === 407;
    const header: CredentialsHeader = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const challenges = this.#chosen(response, isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    if (challenges.length === 0) return 'unsupported';
    let result: DigestAnswer = 'unknown-realm';
    for (const challenge of challenges) {
      if (this.#options.credentialsFor(challenge.realm) === undefined) continue;
      if (!challenge.isStale && wasFresh(request, header, challenge.realm)) return 'refused';
      this.#remember({ header, ...challenge, cnonce: this.#nextCnonce(), uses: 0 });
      result = 'answered';
    }
    if (result === 'answered') this.prepare(request);
    return result;
  }

  /**
   * Puts credentials for every realm that we know on a request before it is asked for (RFC 3261 22.2): saves a round trip while nonces
   * live.
   */
  prepare(request: SipRequest): void {
    if (this.#sessions.size === 0) return;
    request.headers.remove('Authorization');
    request.headers.remove('Proxy-Authorization');
    for (const session of this.#sessions.values()) {
      // Without a count the nonce is good once only.
      if (session.qop === undefined && session.uses > 0) continue;
      const value = this.#write(session, request);
      if (value !== undefined) request.headers.add(session.header, value);
    }
  }

  /** Learns the next nonce from Authentication-Info (RFC 7616 3.5). */
  learn(response: SipResponse): void {
    const text = response.headers.get('Authentication-Info');
    const next = text === undefined ? undefined : /(?:^|[\s,])nextnonce="([^"\\]+)"/i.exec(text)?.[1];
    const own = [...this.#sessions.values()].filter((session) => session.header === 'Authorization');
    const session = own[0];
    if (next === undefined || session === undefined || own.length !== 1) return;
    session.nonce = next;
    session.uses = 0;
  }

  /** Forgets all challenges. */
  clear(): void {
    this.#sessions.clear();
  }

  /** The topmost challenge of each realm whose algorithm and qop we know (RFC 8760 2.4), and for which we hold a secret. */
  #chosen(response: SipResponse, name: 'WWW-Authenticate' | 'Proxy-Authenticate'): Challenge[] {
    const chosen = new Map<string, Challenge>();
    for (const value of readAuth(response, name).slice(0, 4 * MAX_REALMS)) {
      const challenge = readChallenge(value);
      if (challenge === undefined || chosen.has(challenge.realm)) continue;
      const own = this.#options.credentialsFor(challenge.realm);
      const canAnswer = own === undefined || 'password' in own || own.ha1[hashOf(challenge.algorithm)] !== undefined;
      if (canAnswer) chosen.set(challenge.realm, challenge);
      if (chosen.size >= MAX_REALMS) break;
    }
    return [...chosen.values()];
  }

  #remember(session: Session): void {
    const key = `${session.header} ${session.realm}`;
    this.#sessions.delete(key);
    if (this.#sessions.size >= MAX_REALMS) {
      const oldest = this.#sessions.keys().next().value;
      if (oldest !== undefined) this.#sessions.delete(oldest);
    }
    this.#sessions.set(key, session);
  }

  #write(session: Session, request: SipRequest): string | undefined {
    const { realm, nonce, algorithm, qop, opaque, cnonce } = session;
    const own = this.#options.credentialsFor(realm);
    const ha1 = own === undefined ? undefined : ha1Of(own, hashOf(algorithm), own.username, realm);
    if (own === undefined || ha1 === undefined) return undefined;
    const nc = (session.uses += 1).toString(16).padStart(8, '0');
    const uri = request.uri.toString();
    const protection = qop === undefined ? undefined : { qop, nc, cnonce, body: request.body };
    const response = digestResponse({ algorithm, ha1, nonce, uri, method: request.method, protection, cnonce });
    let out = `Digest username=${quote(own.username)}, realm=${quote(realm)}, nonce=${quote(nonce)}, uri=${quote(uri)}`;
    out += `, response="${response}", algorithm=${algorithm}`;
    if (qop !== undefined) out += `, qop=${qop}, nc=${nc}`;
    if (qop !== undefined || algorithm.endsWith('-sess')) out += `, cnonce=${quote(cnonce)}`;
    return opaque === undefined ? out : `${out}, opaque=${quote(opaque)}`;
  }

  #nextCnonce(): string {
    return this.#options.nextCnonce?.() ?? randomBytes(12).toString('base64url');
  }
}

interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  readonly qop: DigestQop | undefined;
  readonly opaque: string | undefined;
  readonly isStale: boolean;
}

function readAuth(response: SipResponse, name: 'WWW-Authenticate' | 'Proxy-Authenticate'): readonly AuthValue[] {
  try {
    return response.headers.auth(name);
  } catch (error) {
    // A challenge that can't be read is none.
    if (error instanceof SyntaxFailure) return [];
    throw error;
  }
}

function readChallenge({ scheme, params }: AuthValue): Challenge | undefined {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  const algorithm = algorithmOf(params.get('algorithm'));
  if (scheme !== 'digest' || realm === undefined || nonce === undefined || nonce === '' || algorithm === undefined)
    return undefined;
  const offered = params
    .get('qop')
    ?.toLowerCase()
    .split(',')
    .map((text) => text.trim());
  const qop = offered === undefined ? undefined : (['auth', 'auth-int'] as const).find((own) => offered.includes(own));
  if (offered !== undefined && qop === undefined) return undefined;
  const isStale = params.get('stale')?.toLowerCase() === 'true';
  return { realm, nonce, algorithm, qop, opaque: params.get('opaque'), isStale };
}

/** Whether the refused request bore credentials on a nonce that had not been used before: then it is not the nonce's fault. */
function wasFresh(request: SipRequest, header: CredentialsHeader, realm: string): boolean {
  const old = request.headers.auth(header).find((value) => value.params.get('realm') === realm);
  if (old === undefined) return false;
  const nc = old.params.get('nc');
  return nc === undefined || parseInt(nc, 16) === 1;
}
