import { expect, test } from 'vitest';
import { DrainWaiters } from './drain-waiters.ts';

test('one who waits again and again asks the connection once, and is told once', async () => {
  const asked: (() => void)[] = [];
  const waiters = new DrainWaiters(() => new Promise((resolve) => asked.push(resolve)));
  const told: string[] = [];
  const one = (): void => void told.push('one');
  for (let i = 0; i < 1_000; i++) waiters.add(one);
  expect(asked.length).toBe(1);
  waiters.add(() => {
    told.push('two');
    waiters.add(one);
  });
  asked[0]?.();
  await expect.poll(() => told).toEqual(['one', 'two']);
  // Who waits anew waits for what was written since.
  expect(asked.length).toBe(2);
  waiters.close();
  asked[1]?.();
  await Promise.resolve();
  expect(told).toEqual(['one', 'two']);
});
