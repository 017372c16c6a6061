import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Problem } from '../../kit/index.ts';
import { errorAnswer, TRANSLATIONS } from './errors.ts';

const source = join(import.meta.dirname, '../..');

/** Every code that a file below these folders makes a Problem with. */
function codesIn(...folders: readonly string[]): ReadonlySet<string> {
  const codes = new Set<string>();
  for (const folder of folders)
    for (const entry of readdirSync(join(source, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      for (const [, code] of text.matchAll(/new Problem\(\s*'([a-z-]+)'/g)) if (code !== undefined) codes.add(code);
    }
  return codes;
}

/** Never shown here: `resync` is an event, these of the exchange belong to devices, these of the store and the cluster to the start, to commands and to other nodes. */
const ELSEWHERE = new Set([
  'resync',
  'failure',
  'too-many-devices',
  'too-many-calls',
  'store-too-new',
  'store-unsupported',
  'store-in-use',
  'store-changed',
  'lonely-node',
  'peer-down',
  'peer-unknown-request',
  'no-such-database',
  'target-exists',
  'no-tieline-database',
  'store-damaged',
]);

test('every problem of the core, of delivery and of this surface has its place in the table', () => {
  const codes = codesIn('core', 'delivery', 'protocols/chat-api', 'adapters/store-sql');
  expect(codes.size).toBeGreaterThan(30);
  expect([...codes].filter((code) => TRANSLATIONS[code] === undefined && !ELSEWHERE.has(code))).toEqual([]);
});

test.each([
  ['forbidden', 403, 'NotAllowedException', null],
  ['bad-credentials', 401, 'NotAllowedException', null],
  ['too-many-attempts', 429, 'NotAllowedException', 1],
  ['too-many-sessions', 429, 'NotAllowedException', 1],
  ['unknown-recipient', 404, 'UserNotFoundException', null],
  ['recipient-unavailable', 400, 'IllegalArgumentException', null],
  ['too-large', 413, 'IllegalArgumentException', null],
  ['outcome-unknown', 504, 'ServiceUnavailableException', null],
  ['idempotency-conflict', 409, 'AlreadyExistsException', null],
  ['no-stream', 400, 'IllegalArgumentException', null],
  ['login-refused', 400, 'IllegalArgumentException', null],
  ['unknown-contact', 404, 'RosterItemNotFound', null],
  ['not-supported', 501, 'IllegalArgumentException', null],
  ['store-unavailable', 503, 'ServiceUnavailableException', 1],
  ['never-heard-of', 400, 'IllegalArgumentException', null],
])('%s → %i %s', (code, status, exception, retryAfter) => {
  const answer = errorAnswer(new Problem(code, 'Words.', { subject: 'it' }));
  expect(answer).toMatchObject({ status, retryAfter, entity: { resource: 'it', ressource: 'it', exception } });
});

test("the words are the problem's own, except where they tell of our inside", () => {
  expect(errorAnswer(new Problem('forbidden', 'Not yours.')).entity.message).toBe('Not yours.');
  expect(errorAnswer(new Problem('store-unavailable', 'disk /secret is full')).entity.message).not.toContain('secret');
});

test('Retry-After is whole seconds, rounded up', () => {
  const problem = new Problem('too-many-requests', 'Wait.', { retryAfterMs: 2_001 });
  expect(errorAnswer(problem).retryAfter).toBe(3);
});
