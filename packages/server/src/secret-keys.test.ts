import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rotatedKeys, secretKeys } from './secret-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tieline-key-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a key file is made once, for its owner alone, and read again', () => {
  const secretKeyFile = join(folder, 'deep', 'secret.key');
  const [key] = secretKeys({ secretKeys: [], secretKeyFile });
  expect(key).toHaveLength(32);
  expect(secretKeys({ secretKeys: [], secretKeyFile })).toEqual([key]);
  expect(statSync(secretKeyFile).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'deep'))).toEqual(['secret.key']);
});

test('configured keys count, in their order', () => {
  const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  expect(secretKeys({ secretKeys: [a, b], secretKeyFile: join(folder, 'none') })).toEqual([a, b]);
  expect(readdirSync(folder)).toEqual([]);
});

test('a new key goes before those of the key file, which go on to open', () => {
  const secretKeyFile = join(folder, 'secret.key');
  const place = { secretKeys: [], secretKeyFile };
  const [first] = secretKeys(place);
  const [second, ...others] = rotatedKeys(place);
  expect(second).not.toEqual(first);
  expect(others).toEqual([first]);
  expect(secretKeys(place)).toEqual([second, first]);
  expect(statSync(secretKeyFile).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['secret.key']);
  writeFileSync(secretKeyFile, readFileSync(secretKeyFile, 'utf8').split('\n').slice(0, 1).join(''));
  expect(secretKeys(place)).toEqual([second]);
});

test('configured keys are rotated by whoever configures them', () => {
  const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  expect(rotatedKeys({ secretKeys: keys, secretKeyFile: join(folder, 'none') })).toEqual(keys);
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that holds no key is no key', () => {
  const secretKeyFile = join(folder, 'secret.key');
  writeFileSync(secretKeyFile, 'nonsense');
  expect(() => secretKeys({ secretKeys: [], secretKeyFile })).toThrow('holds no key of 32 bytes');
});
