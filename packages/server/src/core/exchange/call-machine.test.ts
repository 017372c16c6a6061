import { describe, expect, test } from 'vitest';
import { bestCause, type CallEffect, type CallInput, type CallState, newCall, stepCall } from './call-machine.ts';
import { CAUSE, type LegId } from './model.ts';

const a = 'a' as LegId;
const b = 'b' as LegId;
const c = 'c' as LegId;

function play(...inputs: readonly CallInput[]): { state: CallState; effects: readonly CallEffect[] } {
  let state = newCall;
  let effects: readonly CallEffect[] = [];
  for (const input of inputs) [state, effects] = stepCall(state, input);
  return { state, effects };
}

const start = (...forks: LegId[]): CallInput => ({ type: 'start', forks, isTaken: false });
const taken = (...forks: LegId[]): CallInput => ({ type: 'start', forks, isTaken: true });
const refuse = (leg: LegId, cause: number): CallInput => ({ type: 'refuse', leg, cause });
const connect = (leg: LegId): CallInput => ({ type: 'connect', leg });
const alert = (leg: LegId): CallInput => ({ type: 'alert', leg });

const short = (effects: readonly CallEffect[]): string[] =>
  effects.map((effect) => {
    if (effect.do === 'tell-caller') return effect.what;
    if (effect.do === 'release-caller') return `caller:${effect.cause}`;
    if (effect.do === 'release') return `${effect.leg}:${effect.cause}`;
    if (effect.do === 'end') return `end:${effect.cause}`;
    return 'leg' in effect ? `${effect.do}:${effect.leg}` : effect.do;
  });

describe('PBX §3.3, §3.4: one call with its forks', () => {
  const rows: readonly [string, readonly CallInput[], CallState['phase'], readonly string[]][] = [
    ['no device', [start()], 'ended', ['proceeding', 'caller:20', 'end:20']],
    ['no device, but the store takes it', [taken()], 'connected', ['proceeding', 'connected']],
    ['two devices', [start(a, b)], 'offering', ['proceeding', 'offer:a', 'offer:b', 'start-timer']],
    ['devices and the store', [taken(a)], 'offering', ['proceeding', 'connected', 'offer:a', 'start-timer']],
    ['the first alert is told', [start(a, b), alert(a)], 'offering', ['alerting']],
    ['the second is not', [start(a, b), alert(a), alert(b)], 'offering', []],
    ['no alert after an answer', [taken(a), alert(a)], 'offering', []],
    [
      'first connect wins',
      [start(a, b, c), connect(b)],
      'connected',
      ['stop-timer', 'won:b', 'a:26', 'c:26', 'connected'],
    ],
    ['a second connect is late', [start(a, b), connect(a), connect(b)], 'connected', []],
    ['an answered call is not answered twice', [taken(a), connect(a)], 'connected', ['stop-timer', 'won:a']],
    ['one refusal of two', [start(a, b), refuse(a, 21)], 'offering', []],
    [
      'all refuse: 21 before 17',
      [start(a, b), refuse(a, 17), refuse(b, 21)],
      'ended',
      ['stop-timer', 'caller:21', 'end:21'],
    ],
    [
      'all refuse: 17 before others',
      [start(a, b), refuse(a, 17), refuse(b, 41)],
      'ended',
      ['stop-timer', 'caller:17', 'end:17'],
    ],
    ['all refuse, but the store has it', [taken(a), refuse(a, 21)], 'connected', ['stop-timer']],
    ['the winner ends it', [start(a), connect(a), refuse(a, 16)], 'ended', ['stop-timer', 'caller:16', 'end:16']],
    [
      'the caller ends it',
      [start(a), alert(a), { type: 'hang-up', cause: 16 }],
      'ended',
      ['stop-timer', 'a:16', 'caller:16', 'end:16'],
    ],
    ['a device comes late', [start(a), { type: 'join', leg: b }], 'offering', ['offer:b']],
    ['a device comes too late', [start(a), connect(a), { type: 'join', leg: b }], 'connected', []],
    ['nobody reacts', [start(a), { type: 'timeout' }], 'ended', ['stop-timer', 'a:18', 'caller:18', 'end:18']],
    [
      'nobody answers',
      [start(a), alert(a), { type: 'timeout' }],
      'ended',
      ['stop-timer', 'a:19', 'caller:19', 'end:19'],
    ],
    ['nobody accepts what the store has', [taken(a), { type: 'timeout' }], 'connected', ['a:102']],
    ['nothing after the end', [start(), connect(a)], 'ended', []],
    ['an unknown leg', [start(a), connect(b)], 'offering', []],
  ];
  test.each(rows)('%s', (_name, inputs, phase, effects) => {
    const played = play(...inputs);
    expect(played.state.phase).toBe(phase);
    expect(short(played.effects)).toEqual(effects);
  });
});

test('the best cause', () => {
  expect(bestCause([])).toBe(CAUSE.absent);
  expect(bestCause([CAUSE.failure, CAUSE.lost])).toBe(CAUSE.lost);
});
