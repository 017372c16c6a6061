import { expect, test } from 'vitest';
import { type BoardMessage, type Following, stepFollowing } from './follow.ts';

const changes = (number: number): BoardMessage => ({ kind: 'changes', number });
const beat = (number: number): BoardMessage => ({ kind: 'beat', number });
const all = (number: number, part: '' | 'first' | 'last' | 'only'): BoardMessage => ({
  kind: 'all',
  number,
  isFirst: part === 'first' || part === 'only',
  isLast: part === 'last' || part === 'only',
});

const rows: readonly [string, Following['phase'], BoardMessage, Following['phase'], string][] = [
  ['the next changes', 'current', changes(8), 'current', 'apply'],
  ['changes after a loss', 'current', changes(9), 'behind', 'ask'],
  ['changes again', 'current', changes(7), 'behind', 'ask'],
  ['a beat that knows nothing more', 'current', beat(7), 'current', ''],
  ['a beat after a loss', 'current', beat(8), 'behind', 'ask'],
  ['all of it, which somebody else has asked for', 'current', all(8, 'only'), 'current', ''],
  ['a part of all of it, likewise', 'current', all(8, ''), 'current', ''],
  ['all of it after a loss', 'current', all(9, 'only'), 'current', 'begin apply finish'],
  ['a part of all of it whose beginning was lost', 'current', all(9, 'last'), 'behind', 'ask'],
  ['changes, when something is missing', 'behind', changes(8), 'behind', 'ask'],
  ['a beat, when something is missing', 'behind', beat(7), 'behind', 'ask'],
  ['all of it, when something is missing', 'behind', all(12, 'only'), 'current', 'begin apply finish'],
  ['the first part', 'behind', all(12, 'first'), 'loading', 'begin apply'],
  ['a later part without the first', 'behind', all(12, 'last'), 'behind', 'ask'],
  ['the next part', 'loading', all(8, ''), 'loading', 'apply'],
  ['the last part', 'loading', all(8, 'last'), 'current', 'apply finish'],
  ['a part after a loss', 'loading', all(9, 'last'), 'behind', 'ask'],
  ['a beat before the last part', 'loading', beat(8), 'behind', 'ask'],
  ['it begins anew', 'loading', all(11, 'first'), 'loading', 'begin apply'],
];
test.each(rows)('%s: %s', (_name, phase, message, next, effects) => {
  const { state, effects: done } = stepFollowing({ last: 7, phase }, message);
  expect([state, done.join(' ')]).toEqual([{ last: message.number, phase: next }, effects]);
});
