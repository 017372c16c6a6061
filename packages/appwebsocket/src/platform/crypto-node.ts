import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CryptoPlatform } from './crypto-platform.ts';

/** Node: the built-in cryptography. */
export const sha256Hex: CryptoPlatform['sha256Hex'] = (text) => hash('sha256', text, 'hex');

export const randomHex: CryptoPlatform['randomHex'] = (byteCount) => randomBytes(byteCount).toString('hex');

export const equalInConstantTime: CryptoPlatform['equalInConstantTime'] = (a, b) => {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
};
