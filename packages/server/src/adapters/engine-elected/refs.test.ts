import { expect, test } from 'vitest';
import { ManualClock, randomIds } from '../../kit/index.ts';
import { Refs } from './refs.ts';

test('a name is kept until its call is over, and never given again', () => {
  const refs = new Refs(new ManualClock(), randomIds);
  const one = refs.outer('1');
  expect([refs.outer('1'), refs.inner(one)]).toEqual([one, '1']);
  refs.forget('1');
  expect(refs.inner(one)).toBeUndefined();
  expect(refs.outer('1')).not.toBe(one);
});

test('names that are held are bounded: the oldest go', () => {
  const refs = new Refs(new ManualClock(), randomIds, 2);
  const [one, two, three] = ['1', '2', '3'].map((inner) => refs.outer(inner));
  expect([one, two, three].map((outer) => refs.inner(outer!))).toEqual([undefined, '2', '3']);
});
