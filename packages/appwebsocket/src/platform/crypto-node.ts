import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CryptoPlatform } from './crypto-platform.ts';

/** Node: the built-in cryptography. */
export const platform: CryptoPlatform = {
  sha256Hex: (text) => hash('sha256', text, 'hex'),
  randomHex: (byteCount) => randomBytes(byteCount).toString('hex'),
  equalInConstantTime: (a, b) => {
    const left = Buffer.from(a);
    const right = Buffer.from(b);
    return left.length === right.length && timingSafeEqual(left, right);
  },
};
