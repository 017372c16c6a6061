import { hash } from 'node:crypto';

/** RFC 8760 2.1; the session forms of RFC 7616 3.4.2. */
export type DigestAlgorithm = 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess' | 'SHA-512-256' | 'SHA-512-256-sess';
/** The hash alone: what a stored HA1 was made with. */
export type DigestHash = 'MD5' | 'SHA-256' | 'SHA-512-256';
export type DigestQop = 'auth' | 'auth-int';

const ALGORITHMS: readonly DigestAlgorithm[] = [
  'MD5',
  'MD5-sess',
  'SHA-256',
  'SHA-256-sess',
  'SHA-512-256',
  'SHA-512-256-sess',
];
const HASH_NAMES: Readonly<Record<DigestHash, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/** The algorithm of a challenge or of credentials: MD5 where none is named (RFC 7616 3.3), undefined where we don't know it. */
export function algorithmOf(text: string | undefined): DigestAlgorithm | undefined {
  if (text === undefined) return 'MD5';
  const low = text.toLowerCase();
  return ALGORITHMS.find((known) => known.toLowerCase() === low);
}

export function hashOf(algorithm: DigestAlgorithm): DigestHash {
  switch (algorithm) {
    case 'MD5':
    case 'MD5-sess':
      return 'MD5';
    case 'SHA-256':
    case 'SHA-256-sess':
      return 'SHA-256';
    case 'SHA-512-256':
    case 'SHA-512-256-sess':
      return 'SHA-512-256';
  }
}

export function digestHash(name: DigestHash, data: string | Uint8Array): string {
  return hash(HASH_NAMES[name], data, 'hex');
}

/** H(username:realm:password): what a server may keep instead of the password (RFC 7616 3.4.2). */
export function digestHa1(name: DigestHash, username: string, realm: string, password: string): string {
  return digestHash(name, `${username}:${realm}:${password}`);
}

/** What a peer's secret is known by: the password, or the HA1 for those hashes for which it was stored. */
export type DigestSecret =
  { readonly password: string } | { readonly ha1: Readonly<Partial<Record<DigestHash, string>>> };

/** The HA1 for one hash, or undefined where the secret was not stored for it. */
export function ha1Of(secret: DigestSecret, name: DigestHash, username: string, realm: string): string | undefined {
  return 'password' in secret ? digestHa1(name, username, realm, secret.password) : secret.ha1[name];
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  /** In lower-case hex. */
  readonly ha1: string;
  readonly nonce: string;
  /** The digest-uri, as written in the credentials. */
  readonly uri: string;
  /** Empty for `rspauth` (RFC 7616 3.5). */
  readonly method: string;
  /** Missing: the form of RFC 2069, which RFC 3261 22.4 still allows. */
  readonly protection?:
    { readonly qop: DigestQop; readonly nc: string; readonly cnonce: string; readonly body: Uint8Array } | undefined;
  /** For the session algorithms where there is no qop. */
  readonly cnonce?: string | undefined;
}

/** The `response` of RFC 7616 3.4.1, or the `rspauth` of 3.5. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, protection } = input;
  const name = hashOf(algorithm);
  const cnonce = protection?.cnonce ?? input.cnonce ?? '';
  const a1 = algorithm.endsWith('-sess') ? digestHash(name, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  const a2 = `${input.method}:${input.uri}`;
  const isWhole = protection?.qop === 'auth-int';
  const ha2 = digestHash(name, isWhole ? `${a2}:${digestHash(name, protection.body)}` : a2);
  if (protection === undefined) return digestHash(name, `${a1}:${nonce}:${ha2}`);
  return digestHash(name, `${a1}:${nonce}:${protection.nc}:${cnonce}:${protection.qop}:${ha2}`);
}
