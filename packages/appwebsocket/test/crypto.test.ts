import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decryptWith, encryptWith, equalDigests, hashWith } from '../src/crypto/digests.ts';
import { sha256 } from '../src/crypto/sha256.ts';
import { fromHex, toHex, utf8Encode } from '../src/crypto/text.ts';
import * as browser from '../src/platform/crypto-browser.ts';
import * as node from '../src/platform/crypto-node.ts';
import { scaled, seeded, seedOf } from '../../../test/kit/scale.ts';

const key = 'd58c77eae0c1c1f37a9f545e207643c926ad9ea4932016a83a4a01029de37760';
const texts: Record<string, string> = {
  empty: '',
  ascii: 'plain',
  umlauts: 'Grüße, Łódź, 東京',
  astral: '😀🦶𝄞',
  'CR LF': 'line1\r\nline2\r\n',
  'byte order mark': '\ufeffmarked',
  NUL: 'a\u0000b',
  'colons and quotes': '::"\\":',
  '64 KB': 'ä'.repeat(32_000) + 'x'.repeat(1_536),
};

describe('encrypt and decrypt are inverse', () => {
  for (const [name, text] of Object.entries(texts)) {
    test(name, () => {
      for (const seed of ['', 'seed', 'Sämling 😀'])
        expect(decryptWith(key, seed, encryptWith(key, seed, text))).toBe(text);
    });
  }
});

test('upper-case hex is decrypted, other text is refused', () => {
  expect(decryptWith(key, 's', encryptWith(key, 's', 'HEX').toUpperCase())).toBe('HEX');
  for (const bad of ['1', 'zz', '0x', ' 00']) {
    expect(() => decryptWith(key, 's', bad)).toThrow(expect.objectContaining({ code: 'bad-hex' }));
  }
});

test('hash keeps CR LF as it stands', () => {
  expect(hashWith(key, 's', 'a\r\nb')).not.toBe(hashWith(key, 's', 'a\nb'));
});

describe('the SHA-256 for browsers equals the one of Node', () => {
  for (const [name, text] of Object.entries(texts)) {
    test(name, () => expect(browser.sha256Hex(text)).toBe(node.sha256Hex(text)));
  }

  test('for every length from 0 to 300 and for random bytes', () => {
    const random = seeded(seedOf('sha256'));
    for (let length = 0; length < scaled({ verify: 300, soak: 5_000 }); length++) {
      const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
      expect(toHex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
});

test('lone surrogates are hashed alike in both runtimes', () => {
  expect(browser.sha256Hex('\ud800x')).toBe(node.sha256Hex('\ud800x'));
});

for (const platform of [node, browser]) {
  test('digest comparison knows equal from unequal', () => {
    expect(platform.equalInConstantTime('abc', 'abc')).toBe(true);
    for (const other of ['abd', 'ab', 'abcd', '', 'äbc'])
      expect(platform.equalInConstantTime('abc', other)).toBe(false);
  });

  test('random hex has the length asked for and does not repeat', () => {
    const seen = new Set(Array.from({ length: 100 }, () => platform.randomHex(8)));
    expect(seen.size).toBe(100);
    for (const text of seen) expect(text).toMatch(/^[0-9a-f]{16}$/);
  });
}

test('a digest is accepted in either case', () => {
  expect(equalDigests('AB12', 'ab12')).toBe(true);
  expect(equalDigests('AB13', 'ab12')).toBe(false);
});

test('hex round trip', () => {
  expect(toHex(fromHex('00ff10A0'))).toBe('00ff10a0');
  expect(toHex(utf8Encode('ß'))).toBe('c39f');
});
