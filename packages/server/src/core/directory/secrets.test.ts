import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { ManualClock, Problem } from '../../kit/index.ts';
import { createLoginGuard } from './login-guard.ts';
import { createPasswords } from './passwords.ts';
import { createVault } from './vault.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
  return 'none';
};

test('a password is verified, a wrong one and an unknown account are not', async () => {
  const passwords = createPasswords();
  const hash = await passwords.hash('geheim-ä');
  expect(hash).toMatch(/^argon2id\$m=19456,t=2,p=1\$/);
  expect(await passwords.verify('geheim-ä', hash)).toBe(true);
  expect(await passwords.verify('geheim-a', hash)).toBe(false);
  expect(await passwords.verify('geheim-ä', null)).toBe(false);
  expect(await passwords.verify('geheim-ä', 'nonsense')).toBe(false);
});

test('hashes wait in a bounded queue', async () => {
  const passwords = createPasswords(3);
  const runs = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verify('x', null)));
  expect(runs.map((run) => run.status)).toEqual([...Array<string>(5).fill('fulfilled'), 'rejected']);
  expect(runs[5]).toMatchObject({ reason: { code: 'busy' } });
});

test('the vault opens what it sealed, also after a rotation, and nothing else', () => {
  const old = randomBytes(32);
  const before = createVault([old]);
  const sealed = before.seal('geheim-ä');
  const after = createVault([randomBytes(32), old]);
  expect(sealed).not.toContain('geheim');
  expect(after.open(sealed)).toBe('geheim-ä');
  expect(before.seal('geheim-ä')).not.toBe(sealed);
  expect(codeOf(() => createVault([randomBytes(32)]).open(sealed))).toBe('unsealable');
  const changed = sealed.slice(0, -6) + (sealed.at(-6) === 'A' ? 'B' : 'A') + sealed.slice(-5);
  expect(codeOf(() => before.open(changed))).toBe('unsealable');
  expect(codeOf(() => before.open(''))).toBe('unsealable');
  expect(before.derive('x')).toBe(createVault([old]).derive('x'));
  expect(before.derive('x')).not.toBe(before.derive('y'));
});

test('failed logins are counted by account and address; another address is not locked out', () => {
  const clock = new ManualClock();
  const guard = createLoginGuard(clock);
  for (let i = 0; i < 10; i++) guard.failed('192.0.2.1', 'alice');
  expect(codeOf(() => guard.admit('192.0.2.1', 'alice'))).toBe('too-many-attempts');
  guard.admit('192.0.2.1', 'bob');
  guard.admit('192.0.2.2', 'alice');
  clock.advance(5_000);
  guard.admit('192.0.2.1', 'alice');
  for (let i = 0; i < 100; i++) guard.failed('192.0.2.3', `u${i}`);
  expect(codeOf(() => guard.admit('192.0.2.3', 'fresh'))).toBe('too-many-attempts');
});
