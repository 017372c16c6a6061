import { expect, test } from 'vitest';
import { ManualClock } from '../kit/index.ts';
import { silentObserver } from './limits.ts';
import { createLobby } from './lobby.ts';

function lobby(): {
  clock: ManualClock;
  limits: string[];
  enter: (a: string) => { leave(): void } | undefined;
  size: () => number;
  expired: string[];
} {
  const clock = new ManualClock();
  const limits: string[] = [];
  const expired: string[] = [];
  const made = createLobby({
    clock,
    max: 3,
    maxPerAddress: 2,
    maxMs: 1_000,
    observer: { ...silentObserver, limitHit: (name, address) => limits.push(`${name} ${address}`) },
  });
  return { clock, limits, expired, enter: (a) => made.enter(a, () => expired.push(a)), size: () => made.size };
}

test('places are bounded per address and in total', () => {
  const { enter, limits, size } = lobby();
  const first = enter('a');
  expect(first).toBeDefined();
  expect(enter('a')).toBeDefined();
  expect(enter('a')).toBeUndefined();
  expect(enter('b')).toBeDefined();
  expect(enter('c')).toBeUndefined();
  expect(limits).toEqual(['http.lobby-per-address a', 'http.lobby c']);
  first?.leave();
  first?.leave();
  expect(size()).toBe(2);
  expect(enter('c')).toBeDefined();
  expect(enter('c')).toBeUndefined();
});

test('the time to log in ends a place, leaving ends its timer', () => {
  const { clock, enter, expired, limits, size } = lobby();
  enter('a');
  const quick = enter('b');
  quick?.leave();
  clock.advance(999);
  expect(expired).toEqual([]);
  clock.advance(1);
  expect(expired).toEqual(['a']);
  expect(limits).toEqual(['http.login-timeout a']);
  expect([size(), clock.pending]).toEqual([0, 0]);
});
