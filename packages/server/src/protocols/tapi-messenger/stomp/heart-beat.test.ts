import { expect, test } from 'vitest';
import { agreeHeartBeat, judgeHeartBeat } from './heart-beat.ts';

test.each([
  [undefined, 1_000, { sendMs: 0, expectMs: 0 }],
  ['0,0', 1_000, { sendMs: 0, expectMs: 0 }],
  ['10000,10000', 1_000, { sendMs: 10_000, expectMs: 10_000 }],
  ['10000,0', 1_000, { sendMs: 0, expectMs: 10_000 }],
  ['0,20', 1_000, { sendMs: 1_000, expectMs: 0 }],
  ['10000,10000', 0, { sendMs: 0, expectMs: 0 }],
  ['', 1_000, undefined],
  ['1,2,3', 1_000, undefined],
  ['a,b', 1_000, undefined],
  ['1.5,2', 1_000, undefined],
])('heart-beat:%s with at least %d ms', (header, minMs, agreed) => {
  expect(agreeHeartBeat(header, minMs)).toEqual(agreed);
});

const BEAT = { sendMs: 10_000, expectMs: 10_000 };

test.each([
  // now, sent at, heard at, due, lost, next
  [0, 0, 0, false, false, 8_000],
  [7_999, 0, 0, false, false, 8_000],
  [8_000, 0, 0, true, false, 16_000],
  [8_000, 5_000, 0, false, false, 13_000],
  [20_999, 20_000, 0, false, false, 21_000],
  [21_000, 20_000, 0, false, true, 21_000],
  [21_000, 20_000, 5_000, false, false, 26_000],
])('at %d, sent at %d, heard at %d', (now, sentAt, heardAt, isBeatDue, isLost, nextAt) => {
  expect(judgeHeartBeat(BEAT, { sentAt, heardAt }, now)).toEqual({ isBeatDue, isLost, nextAt });
});

test('who promised nothing is never lost, and who wants nothing gets nothing', () => {
  const verdict = judgeHeartBeat({ sendMs: 0, expectMs: 0 }, { sentAt: 0, heardAt: 0 }, 1e9);
  expect(verdict).toEqual({ isBeatDue: false, isLost: false, nextAt: Infinity });
});
