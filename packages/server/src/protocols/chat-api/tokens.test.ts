import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/index.ts';
import { MAX_SPENT_TICKETS } from './limits.ts';
import { createTokens, isSecret, type Tokens } from './tokens.ts';

function tokens(key = 'k', clock = new ManualClock()): Tokens {
  let next = 0;
  return createTokens({ key, clock, ticketMs: 1_000, nonce: () => `n${next++}`, spent: () => undefined });
}

test('a session token is known by every node of the same key, and by no other', () => {
  const token = tokens().session('ofchat-x_-1');
  expect(tokens().openSession(token)).toBe('ofchat-x_-1');
  expect(tokens('other').openSession(token)).toBeNull();
});

test.each(['', '.', 'ofchat-x', 'ofchat-x.', 'ofchat-x.AAAA', 'a.b.c', `${'x'.repeat(600)}.y`])(
  'no token: %j',
  (text) => {
    expect(tokens().openSession(text)).toBeNull();
    expect(tokens().spend(text)).toBeNull();
  },
);

test('kinds are not taken for one another', () => {
  const made = tokens();
  expect(made.spend(made.session('s'))).toBeNull();
  expect(made.openSession(made.ticket('s'))).toBeNull();
});

test('a ticket is good once, and for a while', () => {
  const clock = new ManualClock();
  const made = tokens('k', clock);
  const [first, second] = [made.ticket('s'), made.ticket('s')];
  expect([made.spend(first), made.spend(first)]).toEqual(['s', null]);
  expect(made.streamOf(first)).toBe('s');
  clock.advance(1_000);
  expect(made.spend(second)).toBeNull();
});

test('spent tickets are a bounded memory', () => {
  const made = tokens();
  const first = made.ticket('s');
  made.spend(first);
  for (let i = 0; i < MAX_SPENT_TICKETS; i++) made.spend(made.ticket('s'));
  // Documented in limits.ts: the oldest is forgotten.
  expect(made.spend(first)).toBe('s');
});

test('secrets are compared whole', () => {
  expect([isSecret('abc', 'abc'), isSecret('ab', 'abc'), isSecret('', 'abc')]).toEqual([true, false, false]);
});
