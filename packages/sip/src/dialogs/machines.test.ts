import { describe, expect, test } from 'vitest';
import { stepCallee, type CalleeInput, type CalleeState } from './callee.ts';
import { stepCaller, type CallerInput, type CallerState } from './caller.ts';
import { scopeOfFailure } from './failure.ts';
import { glareDelayMs, judgeInvite, judgeUpdate, lateRetryAfterS } from './glare.ts';
import { acknowledged, judgeReliable, nextReliable, parseRAck, reliableServer } from './reliable.ts';
import { afterTooSmall, negotiateTimer, planTimer, settleTimer } from './session-timer.ts';

describe('the caller (RFC 3261 9.1, 13.2, 15)', () => {
  const rows: [CallerState, CallerInput, CallerState, string][] = [
    ['calling', 'provisional', 'proceeding', 'progress'],
    ['calling', 'success', 'answered', 'answered'],
    ['calling', 'failure', 'ended', 'end'],
    ['calling', 'lost', 'cancel-wanted', ''],
    ['proceeding', 'lost', 'cancelling', 'cancel'],
    ['calling', 'hangup', 'cancel-wanted', ''],
    ['calling', 'acknowledged', 'calling', ''],
    ['proceeding', 'provisional', 'proceeding', 'progress'],
    ['proceeding', 'success', 'answered', 'answered'],
    ['proceeding', 'failure', 'ended', 'end'],
    ['proceeding', 'hangup', 'cancelling', 'cancel'],
    ['proceeding', 'bye', 'proceeding', ''],
    ['proceeding', 'cancel-timeout', 'proceeding', ''],
    ['cancel-wanted', 'provisional', 'cancelling', 'cancel'],
    ['cancel-wanted', 'success', 'ended', 'ack-bye end'],
    ['cancel-wanted', 'failure', 'ended', 'end'],
    ['cancel-wanted', 'hangup', 'cancel-wanted', ''],
    ['cancelling', 'provisional', 'cancelling', ''],
    ['cancelling', 'success', 'ended', 'ack-bye end'],
    ['cancelling', 'failure', 'ended', 'end'],
    ['cancelling', 'cancel-timeout', 'ended', 'end'],
    ['answered', 'acknowledged', 'confirmed', ''],
    ['answered', 'hangup', 'ended', 'ack-bye end'],
    ['answered', 'bye', 'ended', 'end'],
    ['answered', 'success', 'answered', ''],
    ['confirmed', 'hangup', 'ended', 'bye end'],
    ['confirmed', 'bye', 'ended', 'end'],
    ['confirmed', 'lost', 'ended', 'bye end'],
    ['confirmed', 'provisional', 'confirmed', ''],
    ['ended', 'success', 'ended', 'ack-bye'],
    ['ended', 'hangup', 'ended', ''],
  ];
  test.each(rows)('%s | %s → %s [%s]', (state, input, next, effects) => {
    const step = stepCaller(state, input);
    expect([step.state, step.effects.join(' ')]).toEqual([next, effects]);
  });
});

describe('the callee (RFC 3261 9.2, 13.3, 15)', () => {
  const rows: [CalleeState, CalleeInput, CalleeState, string][] = [
    ['ringing', 'accept', 'accepted', 'accept'],
    ['ringing', 'reject', 'ended', 'reject end'],
    ['ringing', 'cancel', 'ended', 'terminate end'],
    ['ringing', 'bye', 'ended', 'terminate end'],
    ['ringing', 'hangup', 'ended', 'decline end'],
    ['ringing', 'lost', 'ended', 'end'],
    ['ringing', 'ack', 'ringing', ''],
    ['accepted', 'ack', 'confirmed', 'stop-2xx confirmed'],
    ['accepted', 'ack-timeout', 'ended', 'stop-2xx bye end'],
    ['accepted', 'hangup', 'closing', ''],
    ['accepted', 'cancel', 'accepted', ''],
    ['accepted', 'bye', 'ended', 'stop-2xx end'],
    ['closing', 'ack', 'ended', 'stop-2xx bye end'],
    ['closing', 'ack-timeout', 'ended', 'stop-2xx bye end'],
    ['closing', 'bye', 'ended', 'stop-2xx end'],
    ['closing', 'hangup', 'closing', ''],
    ['confirmed', 'hangup', 'ended', 'bye end'],
    ['confirmed', 'bye', 'ended', 'end'],
    ['confirmed', 'lost', 'ended', 'bye end'],
    ['confirmed', 'ack', 'confirmed', ''],
    ['ended', 'accept', 'ended', ''],
  ];
  test.each(rows)('%s | %s → %s [%s]', (state, input, next, effects) => {
    const step = stepCallee(state, input);
    expect([step.state, step.effects.join(' ')]).toEqual([next, effects]);
  });
});

describe('glare (RFC 3261 14, RFC 3311 5.2)', () => {
  test('the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms', () => {
    const highest = (): number => 0.999_999;
    expect([glareDelayMs(true, () => 0), glareDelayMs(true, highest)]).toEqual([2_100, 4_000]);
    expect([glareDelayMs(false, () => 0), glareDelayMs(false, highest)]).toEqual([0, 2_000]);
    expect([lateRetryAfterS(() => 0), lateRetryAfterS(highest)]).toEqual([0, 10]);
  });

  const calm = { hasOwnInvite: false, hasPeerInvite: false, hasOwnOffer: false, hasPeerOffer: false };
  test.each([
    [{}, 'ok', 'ok'],
    [{ hasOwnInvite: true }, 'pending', 'ok'],
    [{ hasOwnOffer: true }, 'pending', 'pending'],
    [{ hasPeerInvite: true }, 'late', 'ok'],
    [{ hasPeerOffer: true }, 'late', 'late'],
  ])('%j: INVITE %s, UPDATE %s', (work, invite, update) => {
    expect([judgeInvite({ ...calm, ...work }), judgeUpdate({ ...calm, ...work }, true)]).toEqual([invite, update]);
    expect(judgeUpdate({ ...calm, ...work }, false)).toBe('ok');
  });
});

describe('reliable provisional responses (RFC 3262)', () => {
  test('one at a time; only the right PRACK acknowledges', () => {
    const first = nextReliable(reliableServer(100))!;
    expect(first).toEqual({ rseq: 100, isPending: true });
    expect(nextReliable(first)).toBeUndefined();
    for (const wrong of ['99 1 INVITE', '100 2 INVITE', '100 1 UPDATE'])
      expect(acknowledged(first, parseRAck(wrong)!, 1)).toBeUndefined();
    const done = acknowledged(first, parseRAck('100 1 INVITE')!, 1)!;
    expect(acknowledged(done, parseRAck('100 1 INVITE')!, 1)).toBeUndefined();
    expect(nextReliable(done)?.rseq).toBe(101);
    for (const bad of ['', '1 INVITE', 'x 1 INVITE', '1 2']) expect(parseRAck(bad)).toBeUndefined();
  });

  test.each([
    [undefined, 7, 'take'],
    [7, 8, 'take'],
    [7, 7, 'repeat'],
    [7, 3, 'repeat'],
    [7, 9, 'gap'],
  ] as const)('after %s comes %s: %s', (last, rseq, verdict) => {
    expect(judgeReliable(last, rseq)).toBe(verdict);
  });
});

describe('session timers (RFC 4028)', () => {
  const own = { expires: 1_800, minSE: 90 };
  const none = { expires: undefined, refresher: undefined, minSE: undefined, isSupported: true };
  const agreed = (interval: number, refresher: string, requires: boolean): object => ({
    is: 'agreed',
    timer: { interval, refresher },
    requires,
  });
  test.each([
    ['asked for less than we bear', { ...none, expires: 60 }, own, { is: 'too-small', minSE: 90 }],
    [
      'asked for less by one that knows no 422',
      { ...none, expires: 60, isSupported: false },
      own,
      agreed(90, 'uas', false),
    ],
    ['asked, no preference', { ...none, expires: 600 }, own, agreed(600, 'uac', true)],
    ['asked, wants us to refresh', { ...none, expires: 600, refresher: 'uas' }, own, agreed(600, 'uas', false)],
    ['asked for more than we like', { ...none, expires: 7_200 }, own, agreed(1_800, 'uac', true)],
    [
      'asked for more, with a Min-SE above ours',
      { ...none, expires: 7_200, minSE: 3_600 },
      own,
      agreed(3_600, 'uac', true),
    ],
    ['not asked', none, own, agreed(1_800, 'uac', true)],
    ['not asked, no support', { ...none, isSupported: false }, own, agreed(1_800, 'uas', false)],
    ['not asked, and we want none', none, { expires: 0, minSE: 90 }, { is: 'none' }],
    ['asked, and we want none', { ...none, expires: 600 }, { expires: 0, minSE: 90 }, agreed(600, 'uac', true)],
  ])('%s', (_name, request, policy, verdict) => {
    expect(negotiateTimer(request, policy)).toEqual(verdict);
  });

  test('the client reads the answer', () => {
    expect(settleTimer(1_800, { expires: 600, refresher: 'uas' })).toEqual({ interval: 600, refresher: 'uas' });
    expect(settleTimer(1_800, { expires: undefined, refresher: undefined })).toEqual({
      interval: 1_800,
      refresher: 'uac',
    });
    expect(settleTimer(0, { expires: undefined, refresher: undefined })).toBeUndefined();
    expect([afterTooSmall(60, 90), afterTooSmall(90, 90), afterTooSmall(60, undefined)]).toEqual([
      90,
      undefined,
      undefined,
    ]);
  });

  test('refresh at half time, give up a third or 32 s before the end', () => {
    expect(planTimer({ interval: 1_800, refresher: 'uac' }, 'uac')).toEqual({ do: 'refresh', afterMs: 900_000 });
    expect(planTimer({ interval: 1_800, refresher: 'uac' }, 'uas')).toEqual({ do: 'give-up', afterMs: 1_768_000 });
    expect(planTimer({ interval: 90, refresher: 'uas' }, 'uac')).toEqual({ do: 'give-up', afterMs: 60_000 });
  });
});

test.each([
  [481, true, 'usage'],
  [481, false, 'transaction'],
  [408, true, 'usage'],
  [404, true, 'dialog'],
  [486, true, 'transaction'],
  [488, true, 'transaction'],
  [489, false, 'usage'],
  [500, true, 'transaction'],
])('RFC 5057: %s (of the call: %s) ends the %s', (status, isInviteUsage, scope) => {
  expect(scopeOfFailure(status, isInviteUsage)).toBe(scope);
});
