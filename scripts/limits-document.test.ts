import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { filesOf, limitsDocument, readLimits, shown, testFiles } from './limits-document.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const { settings, areas } = readLimits(root);
const bounds = [...settings, ...areas.flatMap((area) => area.bounds)];

test('docs/limits.md says what the code says: node scripts/limits-document.ts --write', () => {
  expect(readFileSync(`${root}/docs/limits.md`, 'utf8')).toBe(limitsDocument(root));
});

test('each bound has a reason, says what the peer gets, and names the test that hits it', () => {
  expect(bounds.length).toBeGreaterThan(150);
  expect(bounds.filter(({ reason, peer, test: by }) => reason === '' || peer === '' || by === '')).toEqual([]);
});

test('the tests that are named are there', () => {
  const files = testFiles(root);
  const missing = bounds.filter(({ test: by }) => filesOf(by, root, files).length !== 1);
  expect(missing.map(({ name, test: by }) => `${name}: ${by}`)).toEqual([]);
});

test.each([
  ['MAX_BODY_BYTES', '256 * 1024', '256 KiB'],
  ['IDLE_MS', '24 * 3_600_000', '24 h'],
  ['loginTimeoutMs', '60000', '1 min'],
  ['MAX_CALLS', '20_000', '20,000'],
  ['MAX_ROOM', 'A + B', '`A + B`'],
])('%s = %s reads %s', (name, text, read) => expect(shown(name, text)).toBe(read));
