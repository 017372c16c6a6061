import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sha256 } from '../src/crypto/sha256.ts';
import { toHex, utf8Encode } from '../src/crypto/text.ts';
import type { Vector } from './run-vector.ts';
import { runVector } from './run-vector.ts';

const file = JSON.parse(readFileSync(new URL('appwebsocket-crypto.json', import.meta.url), 'utf8')) as {
  vectors: Vector[];
};

test('there are 30 vectors', () => {
  expect(file.vectors).toHaveLength(30);
});

for (const vector of file.vectors) {
  test(`vector ${vector.id}`, () => {
    if (vector.preimage !== undefined) expect(toHex(sha256(utf8Encode(vector.preimage)))).toBe(vector.expected);
    // Disagreement 1 (AW §4.2): we hash bytes as they are.
    expect(runVector(vector)).toEqual(vector.expectedRaw ?? vector.expected);
  });
}
