import { randomBytes, timingSafeEqual } from 'node:crypto';
import { systemClock } from '../clock/index.ts';
import type { Clock } from '../clock/index.ts';
import { SyntaxFailure, isSipUri, parseUri, quote, sameUri } from '../messages/index.ts';
import type { AuthValue, SipRequest, SipResponse } from '../messages/index.ts';
import { algorithmOf, digestResponse, ha1Of, hashOf } from './algorithms.ts';
import type { DigestAlgorithm, DigestInput, DigestQop, DigestSecret } from './algorithms.ts';
import { Nonces } from './nonces.ts';

/** Who asks for credentials: a user agent or registrar with 401, a proxy with 407 (RFC 3261 22.2, 22.3). */
export type DigestRole = 'user-agent' | 'proxy';

export interface DigestServerOptions {
  readonly realm: string;
  /** The secret of a user; undefined: nobody of that name. */
  readonly findSecret: (username: string) => DigestSecret | undefined | Promise<DigestSecret | undefined>;
  readonly role?: DigestRole;
  /**
   * Best first; one challenge is sent for each (RFC 8760 2.4). By default MD5 alone. COMPAT(baresip 1.0 and others on old libre, while such
   * phones are about): they give up at any challenge that they don't know, wherever it stands; where all know better, SHA-256 goes first.
   */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** What is offered; `auth-int` covers the body too. By default `auth` alone, which every phone knows. */
  readonly qop?: readonly DigestQop[];
  readonly nonceLifetimeMs?: number;
  readonly maxNonces?: number;
  /**
   * Whether the digest-uri must be the Request-URI (RFC 7616 3.4.6). By default not: proxies on the way rewrite Request-URIs, some clients
   * write the host alone, and as each count is good once nobody can use the credentials for anything else.
   */
  readonly isUriChecked?: boolean;
  readonly clock?: Clock;
}

export type DigestVerdict =
  | {
      readonly kind: 'proven';
      readonly username: string;
      readonly algorithm: DigestAlgorithm;
      /** The value for Authentication-Info (RFC 7616 3.5); undefined for clients without qop. */
      readonly info: string | undefined;
    }
  /** No credentials for our realm, or stale ones: challenge. */
  | { readonly kind: 'unproven'; readonly isStale: boolean }
  /** Wrong ones: challenge again, or 403. */
  | {
      readonly kind: 'refused';
      readonly username: string;
      readonly cause: 'unknown-user' | 'wrong-response' | 'algorithm';
    }
  /** Broken ones: 400. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Five minutes: several registration refreshes, and little time for whoever listened. */
const NONCE_LIFETIME_MS = 5 * 60_000;

interface Credentials {
  readonly username: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm | undefined;
  readonly qop: DigestQop | undefined;
  readonly nc: string;
  readonly cnonce: string | undefined;
}

/**
 * The server side of digest (RFC 7616 as RFC 3261 22 and RFC 8760 use it).
 *
 * @example
 * const verdict = await digest.verify(request);
 * if (verdict.kind !== 'proven') transaction.respond(digest.challenge(makeResponse(request, digest.status), verdict));
 */
export class DigestServer {
  readonly realm: string;
  /** 401 or 407. */
  readonly status: 401 | 407;
  readonly #options: DigestServerOptions;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #qop: readonly DigestQop[];
  readonly #nonces: Nonces;
  /** Hashed for unknown users, so that they take as long as known ones. */
  readonly #nobody: DigestSecret = { password: randomBytes(16).toString('hex') };

  constructor(options: DigestServerOptions) {
    this.realm = options.realm;
    this.status = options.role === 'proxy' ? 407 : 401;
    this.#options = options;
    this.#algorithms = options.algorithms ?? ['MD5'];
    this.#qop = options.qop ?? ['auth'];
    const { clock = systemClock, nonceLifetimeMs = NONCE_LIFETIME_MS, maxNonces } = options;
    this.#nonces = new Nonces({ clock, lifetimeMs: nonceLifetimeMs, maxNonces });
  }

  /** Nonces that are remembered. */
  get nonceCount(): number {
    return this.#nonces.size;
  }

  /** Puts a challenge for each algorithm into the response, and returns it. */
  challenge(response: SipResponse, verdict: { readonly kind: string; readonly isStale?: boolean }): SipResponse {
    const name = this.status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const stale = verdict.isStale === true ? ', stale=true' : '';
    for (const algorithm of this.#algorithms)
      response.headers.add(
        name,
        `Digest realm=${quote(this.realm)}, nonce="${this.#nonces.issue()}", algorithm=${algorithm}, qop="${this.#qop.join(',')}"${stale}`,
      );
    return response;
  }

  async verify(request: SipRequest): Promise<DigestVerdict> {
    const found = this.#credentialsOf(request);
    if (found === undefined) return { kind: 'unproven', isStale: false };
    if (typeof found === 'string') return { kind: 'malformed', reason: found };
    const { username, algorithm } = found;
    if (algorithm === undefined || !this.#algorithms.includes(algorithm))
      return { kind: 'refused', username, cause: 'algorithm' };
    if (this.#options.isUriChecked === true && !isSameTarget(found.uri, request))
      return { kind: 'malformed', reason: 'Digest URI Mismatch' };
    const secret = await this.#options.findSecret(username);
    const ha1 = ha1Of(secret ?? this.#nobody, hashOf(algorithm), username, this.realm);
    if (ha1 === undefined) return { kind: 'refused', username, cause: 'algorithm' };
    const input = inputOf(found, algorithm, ha1, request);
    if (!isSameText(digestResponse(input), found.response.toLowerCase()) || secret === undefined)
      return { kind: 'refused', username, cause: secret === undefined ? 'unknown-user' : 'wrong-response' };
    // Without qop there is no count: such a nonce is good once.
    if (!this.#nonces.use(found.nonce, found.qop === undefined ? 1 : parseInt(found.nc, 16)))
      return { kind: 'unproven', isStale: true };
    return { kind: 'proven', username, algorithm, info: this.#infoFor(found, input) };
  }

  /** The credentials for our realm; a text says what is wrong with them. */
  #credentialsOf(request: SipRequest): Credentials | string | undefined {
    let all: readonly AuthValue[];
    try {
      all = request.headers.auth(this.status === 407 ? 'Proxy-Authorization' : 'Authorization');
    } catch (error) {
      if (error instanceof SyntaxFailure) return `Bad ${error.what}`;
      throw error;
    }
    const own = all.find((value) => value.scheme === 'digest' && value.params.get('realm') === this.realm);
    return own === undefined ? undefined : readCredentials(own.params, this.#qop);
  }

  #infoFor(found: Credentials, input: DigestInput): string | undefined {
    const { qop, cnonce } = found;
    if (qop === undefined || cnonce === undefined) return undefined;
    const next = this.#nonces.isAging(found.nonce) ? `, nextnonce="${this.#nonces.issue()}"` : '';
    // auth-int would have to cover the body of a response that is not written yet.
    if (qop === 'auth-int') return next === '' ? undefined : next.slice(2);
    const rspauth = digestResponse({ ...input, method: '' });
    return `qop=${qop}, rspauth="${rspauth}", cnonce=${quote(cnonce)}, nc=${found.nc}${next}`;
  }
}

function readCredentials(params: ReadonlyMap<string, string>, offered: readonly DigestQop[]): Credentials | string {
  const [username, nonce, uri, response] = ['username', 'nonce', 'uri', 'response'].map((name) => params.get(name));
  if (username === undefined || nonce === undefined || uri === undefined || response === undefined)
    return 'Incomplete Credentials';
  const algorithm = algorithmOf(params.get('algorithm'));
  const cnonce = params.get('cnonce');
  const base = { username, nonce, uri, response, algorithm, cnonce };
  const qopText = params.get('qop')?.toLowerCase();
  if (qopText === undefined) return { ...base, qop: undefined, nc: '' };
  const qop = offered.find((known) => known === qopText);
  if (qop === undefined) return 'Qop Not Offered';
  const nc = params.get('nc') ?? '';
  if (!/^[0-9a-fA-F]{8}$/.test(nc) || cnonce === undefined) return 'Incomplete Credentials';
  return { ...base, qop, nc };
}

function inputOf(found: Credentials, algorithm: DigestAlgorithm, ha1: string, request: SipRequest): DigestInput {
  const { nonce, uri, qop, nc, cnonce } = found;
  const base = { algorithm, ha1, nonce, uri, cnonce, method: request.method };
  return qop === undefined ? base : { ...base, protection: { qop, nc, cnonce: cnonce ?? '', body: request.body } };
}

/** The same text, or the same SIP URI by the rules of RFC 3261 19.1.4. */
function isSameTarget(text: string, request: SipRequest): boolean {
  if (text === request.uri.toString()) return true;
  try {
    const uri = parseUri(text);
    return isSipUri(uri) && sameUri(uri, request.uri);
  } catch (error) {
    if (error instanceof SyntaxFailure) return false;
    throw error;
  }
}

function isSameText(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
