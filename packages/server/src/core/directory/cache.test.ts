import { expect, test } from 'vitest';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import type { UserId } from '../journal/index.ts';
import { createLoginGuard } from './login-guard.ts';
import type { User } from './model.ts';
import type { Passwords } from './passwords.ts';
import { createDirectory, type Directory } from './service.ts';
import { createVault } from './vault.ts';

const id = 'a1' as UserId;
const bob: User = {
  id,
  name: 'bob',
  displayName: 'Bob',
  cn: 'Bob',
  number: '202',
  email: null,
  isAdmin: false,
  hasStorage: true,
  isLocked: false,
  apps: [],
};

function directoryWith(read: (kind: string) => Promise<unknown>, passwords: Passwords): Directory {
  const clock = new ManualClock();
  const store = { write: () => Promise.reject(new Error('not here')), read: read as () => Promise<never> };
  const vault = createVault([new Uint8Array(32)]);
  return createDirectory({ store, vault, passwords, guard: createLoginGuard(clock), clock, ids: randomIds });
}

const noPasswords: Passwords = {
  hash: () => Promise.reject(new Error('not here')),
  verify: () => Promise.resolve(true),
};

test('a user who was read while he was changed is read again', async () => {
  const first = Promise.withResolvers<User>();
  const answers = [first.promise, Promise.resolve({ ...bob, isLocked: true })];
  const directory = directoryWith(() => answers.shift() ?? Promise.reject(new Error('read too often')), noPasswords);
  const before = directory.userById(id);
  directory.changed({ kind: 'directory', what: 'user', id });
  first.resolve(bob);
  expect((await before)?.isLocked).toBe(false);
  expect((await directory.userById(id))?.isLocked).toBe(true);
  expect((await directory.userById(id))?.isLocked).toBe(true);
});

test('guesses at once are no more than guesses one after the other; right logins at once are one', async () => {
  let isRight = false;
  let count = 0;
  const verify = async (): Promise<boolean> => {
    count++;
    await Promise.resolve();
    return isRight;
  };
  const read = (kind: string): Promise<unknown> =>
    Promise.resolve(kind === 'directory.user' ? bob : { passwordHash: 'h', sealedMyApps: null });
  const directory = directoryWith(read, { ...noPasswords, verify });
  const codes = (passwords: readonly string[], address: string): Promise<unknown[]> =>
    Promise.all(
      passwords.map((password) =>
        directory.authenticate({ name: 'bob', password, address }).then(
          () => 'ok',
          (error: unknown) => (error instanceof Problem ? error.code : error),
        ),
      ),
    );
  const guesses = await codes(
    Array.from({ length: 50 }, (_, i) => `guess ${i}`),
    '192.0.2.1',
  );
  expect(guesses.filter((code) => code === 'bad-credentials')).toHaveLength(10);
  expect(guesses.filter((code) => code === 'too-many-attempts')).toHaveLength(40);
  expect(count).toBe(10);
  isRight = true;
  expect(new Set(await codes(Array<string>(50).fill('right'), '192.0.2.2'))).toEqual(new Set(['ok']));
  expect(count).toBe(11);
  const others = await codes(
    Array.from({ length: 10 }, (_, i) => `right too ${i}`),
    '192.0.2.2',
  );
  expect(new Set(others)).toEqual(new Set(['ok']));
});

test('a password that was checked while the account was changed is not trusted afterwards', async () => {
  const checking = Promise.withResolvers<boolean>();
  const verdicts = [checking.promise, Promise.resolve(false)];
  const read = (kind: string): Promise<unknown> =>
    Promise.resolve(kind === 'directory.user' ? bob : { passwordHash: 'h', sealedMyApps: null });
  const verify = (): Promise<boolean> => verdicts.shift() ?? Promise.reject(new Error('checked too often'));
  const directory = directoryWith(read, { ...noPasswords, verify });
  const login = { name: 'bob', password: 'old', address: '127.0.0.1' };
  const before = directory.authenticate(login);
  await directory.userById(id);
  directory.changed({ kind: 'directory', what: 'user', id });
  checking.resolve(true);
  await before;
  const after = await directory.authenticate(login).catch((error: unknown) => error);
  expect(after instanceof Problem ? after.code : after).toBe('bad-credentials');
});

test('a user at hand is there without waiting, once those who waited have gone on; not after a change', async () => {
  const directory = directoryWith(() => Promise.resolve(bob), noPasswords);
  const order: string[] = [];
  const look = async (who: string): Promise<void> => {
    if (directory.atHand(id) === undefined) await directory.party({ by: 'id', value: id });
    order.push(who);
  };
  const first = look('first');
  // Each microtask in which the lookup may have ended and the first has not gone on yet.
  for (let i = 0; i < 10; i++) await look(`later ${i}`);
  await first;
  expect(order[0]).toBe('first');
  await expect.poll(() => directory.atHand(id)).toEqual(bob);
  directory.changed({ kind: 'directory', what: 'user', id });
  expect(directory.atHand(id)).toBeUndefined();
});
