import { sha256 } from '../crypto/sha256.ts';
import { toHex, utf8Encode } from '../crypto/text.ts';
import type { CryptoPlatform } from './crypto-platform.ts';

/** Browsers: WebCrypto digests are asynchronous and missing on plain http, so the hash is our own. */
export const sha256Hex: CryptoPlatform['sha256Hex'] = (text) => toHex(sha256(utf8Encode(text)));

export const randomHex: CryptoPlatform['randomHex'] = (byteCount) =>
  toHex(crypto.getRandomValues(new Uint8Array(byteCount)));

export const equalInConstantTime: CryptoPlatform['equalInConstantTime'] = (a, b) => {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
};
