import { describe, expect, test } from 'vitest';
import {
  backoffMs,
  DEFAULT_BACKOFF,
  refreshMs,
  registrationStart,
  stepRegistration,
  type RegistrationEffect,
  type RegistrationInput,
} from './machine.ts';

const context = { backoff: DEFAULT_BACKOFF, random: () => 1 };

const inputs: Readonly<Record<string, RegistrationInput>> = {
  start: { on: 'start' },
  ok: { on: 'granted', expires: 600 },
  '423': { on: 'too-brief', minExpires: 3_600 },
  '423-silly': { on: 'too-brief', minExpires: 10 },
  fail: { on: 'failed', retryAfter: undefined },
  '503': { on: 'failed', retryAfter: 120 },
  refused: { on: 'refused' },
  timer: { on: 'timer' },
  lost: { on: 'flow-lost' },
  stop: { on: 'stop' },
  left: { on: 'left' },
};

function written(effect: RegistrationEffect): string {
  if (effect.do === 'register') return `register:${effect.expires}`;
  if (effect.do === 'schedule') return `in:${effect.ms}`;
  return effect.do === 'tell-failed' ? `failed:${effect.retryMs ?? '-'}` : effect.do;
}

const rows: [path: string, input: string, state: string, effects: string][] = [
  ['', 'start', 'registering', 'register:600'],
  ['start', 'ok', 'registered', 'in:540000 tell-registered'],
  ['start', '423', 'registering', 'register:3600'],
  ['start', '423-silly', 'waiting', 'in:30000 failed:30000'],
  ['start', 'fail', 'waiting', 'in:30000 failed:30000'],
  ['start fail timer', 'fail', 'waiting', 'in:60000 failed:60000'],
  [
    'start fail timer fail timer fail timer fail timer fail timer fail timer',
    'fail',
    'waiting',
    'in:1800000 failed:1800000',
  ],
  ['start', '503', 'waiting', 'in:120000 failed:120000'],
  ['start', 'refused', 'ended', 'failed:- end'],
  ['start ok', 'timer', 'registering', 'register:600'],
  ['start fail timer ok timer', 'fail', 'waiting', 'in:30000 failed:30000'],
  ['start ok', 'lost', 'registering', 'cancel-timer register:600'],
  ['start', 'lost', 'registering', ''],
  ['start ok', 'stop', 'leaving', 'cancel-timer register:0'],
  ['start fail', 'stop', 'ended', 'cancel-timer end'],
  ['', 'stop', 'ended', 'cancel-timer end'],
  ['start ok stop', 'left', 'ended', 'end'],
  ['start ok stop', 'fail', 'ended', 'end'],
  ['start ok stop', 'timer', 'leaving', ''],
  ['start ok stop', 'stop', 'leaving', ''],
  ['start refused', 'timer', 'ended', ''],
];

test.each(rows)('%s | %s → %s [%s]', (path, input, state, effects) => {
  let at = registrationStart(600);
  for (const word of path.split(' ').filter(Boolean)) at = stepRegistration(at, inputs[word]!, context).state;
  const step = stepRegistration(at, inputs[input]!, context);
  expect([step.state.name, step.effects.map(written).join(' ')]).toEqual([state, effects]);
});

describe('times', () => {
  test('waits are between half and the whole of the ceiling (RFC 5626 4.5)', () => {
    expect([backoffMs(0, DEFAULT_BACKOFF, () => 0), backoffMs(0, DEFAULT_BACKOFF, () => 1)]).toEqual([15_000, 30_000]);
    expect(backoffMs(1_000, DEFAULT_BACKOFF, () => 1)).toBe(1_800_000);
  });

  test('refresh before the end', () => {
    expect([refreshMs(600, () => 0), refreshMs(600, () => 1), refreshMs(30, () => 0)]).toEqual([
      480_000, 540_000, 15_000,
    ]);
  });
});
