import { expect, test } from 'vitest';
import type { CallId, UserId } from '../journal/index.ts';
import { beginCall, type CallInput, stepCall } from './machine.ts';
import type { Call, CallEnd, CallState } from './model.ts';

const seed = {
  id: 'c' as CallId,
  number: '201',
  user: 'u' as UserId,
  direction: 'inbound',
  state: 'ringing',
  peer: '0606',
  peerName: null,
  end: null,
} as const;
const at = (state: CallState, fields: Partial<Call> = {}): Call => ({
  ...beginCall({ ...seed, state }, 1).call,
  ...fields,
});
const reported = (state: CallState, end: CallEnd | null = null, peer = '0606'): CallInput => ({
  kind: 'reported',
  state,
  end,
  peer,
  peerName: null,
});

test.each([
  ['ringing', ['announce'], null],
  ['connected', ['announce', 'presence'], null],
  ['held', ['announce', 'presence'], null],
  ['ended', ['announce', 'record'], 'unknown'],
] as const)('a call that is first heard of as %s', (state, effects, end) => {
  const begun = beginCall({ ...seed, state }, 5);
  expect(begun.effects).toEqual(effects);
  expect(begun.call).toMatchObject({ state, previous: null, startedAt: 5, end });
});

const rows: readonly [string, Call, CallInput, CallState, readonly string[], CallEnd | null][] = [
  ['answered', at('ringing'), reported('connected'), 'connected', ['announce', 'presence'], null],
  ['missed', at('ringing'), reported('ended'), 'ended', ['announce', 'record'], 'missed'],
  ['refused', at('ringing'), reported('ended', 'rejected'), 'ended', ['announce', 'record'], 'rejected'],
  [
    'an own call that nobody took',
    at('ringing', { direction: 'outbound' }),
    reported('ended'),
    'ended',
    ['announce', 'record'],
    'unknown',
  ],
  ['held', at('connected'), reported('held'), 'held', ['announce'], null],
  ['taken back', at('held'), reported('connected'), 'connected', ['announce'], null],
  ['ended', at('connected'), reported('ended'), 'ended', ['announce', 'record', 'presence'], 'completed'],
  ['ended while held', at('held'), reported('ended', 'lost'), 'ended', ['announce', 'record', 'presence'], 'lost'],
  ['nothing rings again', at('connected'), reported('ringing'), 'connected', [], null],
  ['the same twice', at('connected'), reported('connected'), 'connected', [], null],
  ['somebody else is there now', at('connected'), reported('connected', null, '0707'), 'connected', ['announce'], null],
  ['nothing comes back', at('ended', { end: 'missed' }), reported('connected'), 'ended', [], 'missed'],
  [
    'an announcement that nobody ends',
    at('ringing'),
    { kind: 'silent', end: 'unknown' },
    'ended',
    ['announce', 'record'],
    'unknown',
  ],
  [
    'a call of which nothing is heard',
    at('connected'),
    { kind: 'silent', end: 'lost' },
    'ended',
    ['announce', 'record', 'presence'],
    'lost',
  ],
];
test.each(rows)('%s', (_name, call, input, state, effects, end) => {
  const next = stepCall(call, input, 9);
  expect([...next.effects].sort()).toEqual([...effects].sort());
  expect(next.call).toMatchObject({ state, end });
  if (effects.length === 0) expect(next.call).toBe(call);
  if (state === 'ended' && effects.length > 0) expect(next.call.endedAt).toBe(9);
});
