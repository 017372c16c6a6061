import * as platform from '#crypto';
import { fromHex, toHex, utf8Decode, utf8Encode } from './text.ts';
import { rc4 } from './rc4.ts';

/** The members of `AppLogin` that its digest covers (AW §3.3). Absent strings count as `""`. */
export interface SignedLogin {
  readonly app?: string | undefined;
  readonly domain?: string | undefined;
  readonly sip?: string | undefined;
  readonly guid?: string | undefined;
  readonly dn?: string | undefined;
  /** JSON text of `info`, exactly as it goes over the wire. Undefined leaves the segment out. */
  readonly info?: string | undefined;
}

/** SHA-256 as lowercase hex of the UTF-8 bytes of `text`. Synchronous in Node and in browsers. */
export function sha256Hex(text: string): string {
  return platform.sha256Hex(text);
}

/** As many random bytes as lowercase hex: challenges (8), salts (8), session ids (16). */
export function randomHex(byteCount: number): string {
  return platform.randomHex(byteCount);
}

/** Compares a received digest in constant time; upper case is accepted (AW §3.4). */
export function equalDigests(received: string, expected: string): boolean {
  return platform.equalInConstantTime(received.toLowerCase(), expected);
}

/**
 * The digest of `AppLogin` (AW §3.4).
 * @example appLoginDigest({ app: 'pbxadminapi' }, '0123456789abcdef', 'pwd') // "a205299e…"
 */
export function appLoginDigest(login: SignedLogin, challenge: string, password: string): string {
  const { app = '', domain = '', sip = '', guid = '', dn = '', info } = login;
  const segment = info === undefined ? '' : `:${info}`;
  return sha256Hex(`${app}:${domain}:${sip}:${guid}:${dn}${segment}:${challenge}:${password}`);
}

/** The session key that both ends hold after a login (AW §4.1): 64 hex characters, used as text. */
export function appSessionKey(challenge: string, password: string): string {
  return sha256Hex(`innovaphoneAppSessionKey:${challenge}:${password}`);
}

/** `encrypt(seed, data)` of a connection (AW §4.2). A seed must not repeat on a connection. */
export function encryptWith(sessionKey: string, seed: string, data: string): string {
  return rc4Text(`${seed}:${sessionKey}`, data);
}

/** `decrypt(seed, hex)` of a connection (AW §4.2). Throws `bad-hex`. */
export function decryptWith(sessionKey: string, seed: string, hex: string): string {
  return utf8Decode(rc4(utf8Encode(`${seed}:${sessionKey}`), fromHex(hex)));
}

/** `hash(seed, data)` of a connection. CR LF is hashed as it stands (AW §4.2, disagreement 1). */
export function hashWith(sessionKey: string, seed: string, data: string): string {
  return sha256Hex(`${seed}:${sessionKey}:${data}`);
}

/** Lowercase hex of RC4, key and data as UTF-8. */
export function rc4Text(key: string, data: string): string {
  return toHex(rc4(utf8Encode(key), utf8Encode(data)));
}
