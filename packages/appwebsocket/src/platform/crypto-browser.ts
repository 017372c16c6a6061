import { sha256 } from '../crypto/sha256.ts';
import { toHex } from '../crypto/text.ts';
import type { CryptoPlatform } from './crypto-platform.ts';

/** Browsers: WebCrypto digests are asynchronous and missing on plain http, so the hash is our own. */
export const platform: CryptoPlatform = {
  sha256Hex: (text) => toHex(sha256(new TextEncoder().encode(text))),
  randomHex: (byteCount) => toHex(crypto.getRandomValues(new Uint8Array(byteCount))),
  equalInConstantTime: (a, b) => {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
    return difference === 0;
  },
};
