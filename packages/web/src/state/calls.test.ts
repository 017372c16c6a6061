import { expect, test } from 'vitest';
import {
  callMarked,
  callsListed,
  callTold,
  endingOf,
  MAX_RECENT,
  recordsAdded,
  shownCalls,
  type Calls,
} from './calls.ts';
import type { Call, CallState } from './model.ts';

function call(id: string, state: CallState, more: Partial<Call> = {}): Call {
  const times = { startedAt: Number(id), answeredAt: null, endedAt: null };
  return { id, state, isInbound: true, number: '202', name: null, ...times, reason: '', ...more };
}

const states = (calls: Calls): readonly string[] => Object.values(calls).map(({ id, state }) => `${id} ${state}`);

test.each<{ what: string; told: readonly Call[]; shown: readonly string[] }>([
  { what: 'rings', told: [call('1', 'RINGING')], shown: ['1 RINGING'] },
  { what: 'is answered', told: [call('1', 'RINGING'), call('1', 'ACTIVE')], shown: ['1 ACTIVE'] },
  { what: 'ends', told: [call('1', 'RINGING'), call('1', 'HANGUP')], shown: ['1 HANGUP'] },
  { what: 'ended before anybody saw it', told: [call('1', 'HANGUP')], shown: [] },
  { what: 'of ours fails at once', told: [call('1', 'HANGUP', { isInbound: false })], shown: ['1 HANGUP'] },
])('a call $what', ({ told, shown }) => {
  expect(states(told.reduce<Calls>((calls, news) => callTold(calls, news, 1), {}))).toEqual(shown);
});

test('a command is over when the state changes', () => {
  const ringing = callMarked(callTold({}, call('1', 'RINGING'), 1), '1', { isBusy: true, problem: 'late' });
  expect(callTold(ringing, call('1', 'RINGING'), 1)['1']).toMatchObject({ isBusy: true, problem: 'late' });
  expect(callTold(ringing, call('1', 'ACTIVE'), 1)['1']).toMatchObject({ isBusy: false, problem: null });
});

test.each<{ what: string; before: Calls; listed: readonly Call[]; after: readonly string[] }>([
  {
    what: 'what ended while the connection was lost goes',
    before: callTold({}, call('1', 'ACTIVE'), 1),
    listed: [],
    after: [],
  },
  { what: 'what is new comes', before: {}, listed: [call('2', 'RINGING')], after: ['2 RINGING'] },
  {
    what: 'what an event told since is newer',
    before: callTold({}, call('1', 'ACTIVE'), 2),
    listed: [call('1', 'RINGING')],
    after: ['1 ACTIVE'],
  },
  {
    what: 'a call that an event told since stays, listed or not',
    before: callTold({}, call('1', 'RINGING'), 2),
    listed: [],
    after: ['1 RINGING'],
  },
  {
    what: 'what was known is brought up to date',
    before: callTold({}, call('1', 'RINGING'), 1),
    listed: [call('1', 'ACTIVE')],
    after: ['1 ACTIVE'],
  },
])('the list of live calls after the second opening: $what', ({ before, listed, after }) => {
  expect(states(callsListed(before, listed, 2))).toEqual(after);
});

test('what rings for the user comes first, what has ended last', () => {
  const all = [
    call('1', 'HANGUP'),
    call('2', 'ACTIVE'),
    call('3', 'RINGING', { isInbound: false }),
    call('4', 'RINGING'),
  ];
  const calls = all.reduce<Calls>(
    (known, news) => callTold(callTold(known, { ...news, state: 'RINGING' }, 1), news, 1),
    {},
  );
  expect(shownCalls(calls).map(({ id }) => id)).toEqual(['4', '2', '3', '1']);
});

test('records are kept newest first, each once, and no more than their bound', () => {
  const many = Array.from({ length: MAX_RECENT + 3 }, (_, i) => call(String(i), 'HANGUP'));
  const recent = recordsAdded(recordsAdded([], many), many);
  expect(recent).toHaveLength(MAX_RECENT);
  expect(recent[0]?.id).toBe(String(MAX_RECENT + 2));
});

test.each([
  ['missed', true, 'Missed call'],
  ['missed', false, 'No answer'],
  ['elsewhere', true, 'Answered elsewhere'],
  ['something new', true, 'Ended'],
])('%s in words', (reason, isInbound, words) => {
  expect(endingOf({ reason, isInbound })).toBe(words);
});
