import { expect, test } from 'vitest';
import { Problem } from '../../kit/index.ts';
import { parseAddress } from './jid.ts';
import { periodOf, timeOf } from './period.ts';
import { parsePosted } from './posted.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return 'none';
};

test.each([
  ['bob', { name: 'bob', foreignDomain: null }],
  ['Bob@Example.TEST', { name: 'bob', foreignDomain: null }],
  ['bob@example.test/phone/2@x', { name: 'bob', foreignDomain: null }],
  ['bob@other.test', { name: 'bob', foreignDomain: 'other.test' }],
])('address %s', (text, address) => {
  expect(parseAddress(text, 'example.test')).toEqual(address);
});

test.each(['', '@', '@example.test', 'bob@', 'a@b@c', 'a b', 'a\u0000', '/x', '<x>', 'n'.repeat(129)])(
  'no address: %j',
  (text) => {
    expect(codeOf(() => parseAddress(text, 'example.test'))).toBe('bad-request');
  },
);

test.each([
  ['Hello', { body: 'Hello', data: null }],
  ['', { body: '', data: null }],
  ['"quoted"', { body: '"quoted"', data: null }],
  ['[1]', { body: '[1]', data: null }],
  ['{broken', { body: '{broken', data: null }],
  ['{"body":"x"}', { body: 'x', data: {} }],
  [' {"body":"x","n":1}', { body: 'x', data: { n: 1 } }],
  ['{"n":1}', { body: '', data: { n: 1 } }],
  ['{"body":7}', { body: '', data: { body: 7 } }],
  ['{"body":""}', { body: '', data: { body: '' } }],
])('posted %s', (text, posted) => {
  expect(parsePosted(text)).toEqual(posted);
});

test('data is not nested deeper than it may be', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  expect(codeOf(() => parsePosted(nested(32)))).toBe('none');
  expect(codeOf(() => parsePosted(nested(33)))).toBe('bad-request');
  expect(codeOf(() => parsePosted(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).toBe('bad-request');
});

test.each([
  ['2024-03-05T09:12:00.000Z', Date.UTC(2024, 2, 5, 9, 12)],
  ['2024-03-05T09:12:00+01:00', Date.UTC(2024, 2, 5, 8, 12)],
  ['03/05/24', Date.UTC(2024, 2, 5)],
  ['3/5/2024', Date.UTC(2024, 2, 5)],
  ['02/30/24', null],
  ['13/01/24', null],
  ['yesterday', null],
  ['T', null],
  [undefined, null],
])('time %s', (text, at) => {
  expect(timeOf(text)).toBe(at);
});

test('OF §5.5: a period reaches a little further than it was asked', () => {
  expect(periodOf({ start: '2024-03-05T10:00:00Z', end: '03/05/24' })).toEqual({
    since: Date.UTC(2024, 2, 5, 9, 55),
    until: Date.UTC(2024, 2, 6) - 1,
  });
  expect(periodOf({ start: 'x' })).toEqual({});
});
