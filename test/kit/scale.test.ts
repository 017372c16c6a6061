import { expect, test } from 'vitest';
import { seeded } from './scale.ts';

test('the seeded generator repeats itself', () => {
  const a = seeded(7);
  const b = seeded(7);
  expect([a(), a(), a()]).toEqual([b(), b(), b()]);
});
