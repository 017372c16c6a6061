import { expect, test } from 'vitest';
import { deferred } from '../../kit/index.ts';
import { InFlight } from './in-flight.ts';
import { MAX_IN_FLIGHT, MAX_WAITING_RECEIPTS } from './limits.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('there is room for so many at once, and for one more when the first is through', async () => {
  const inFlight = new InFlight();
  const works = Array.from({ length: MAX_IN_FLIGHT }, () => deferred<void>());
  for (const work of works) {
    await inFlight.room();
    inFlight.add(work.promise);
  }
  let hasRoom = false;
  void inFlight.room().then(() => (hasRoom = true));
  await turn();
  expect(hasRoom).toBe(false);
  works[0]!.resolve();
  await turn();
  expect(hasRoom).toBe(true);
});

test('what follows keeps the order, whichever work is through first', async () => {
  const inFlight = new InFlight();
  const seen: string[] = [];
  const [one, two] = [deferred<void>(), deferred<void>()];
  const follow = (name: string) => inFlight.follow(() => Promise.resolve(void seen.push(name)));
  inFlight.add(one.promise);
  follow('one');
  inFlight.add(two.promise);
  follow('two');
  let isSettled = false;
  void inFlight.settled().then(() => (isSettled = true));
  two.resolve();
  await turn();
  expect([seen, isSettled, inFlight.isEmpty]).toEqual([[], false, false]);
  one.resolve();
  await turn();
  expect([seen, isSettled, inFlight.isEmpty]).toEqual([['one', 'two'], true, true]);
});

test('receipts that wait for a message take up room too', async () => {
  const inFlight = new InFlight();
  const work = deferred<void>();
  inFlight.add(work.promise);
  let followed = 0;
  for (; inFlight.hasRoom; followed++) inFlight.follow(() => Promise.resolve());
  expect(followed).toBe(MAX_WAITING_RECEIPTS);
  let hasRoom = false;
  void inFlight.room().then(() => (hasRoom = true));
  await turn();
  expect(hasRoom).toBe(false);
  work.resolve();
  await turn();
  expect([hasRoom, inFlight.isEmpty]).toEqual([true, true]);
});
