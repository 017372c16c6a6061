import { expect, test } from 'vitest';
import { BoundedQueue, createRandomIds, every, Listeners, Lru, ManualClock, Roster, TokenBuckets } from './index.ts';

test('ids grow, also within a millisecond and while the clock goes back', () => {
  const ids = createRandomIds();
  const made = [5, 5, 5, 4, 3, 6, 6, 1_700_000_000_000, 1_700_000_000_000].map((now) => ids.sortable(now));
  expect(made.toSorted()).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
  for (const id of made) expect(id).toMatch(/^[0-9a-z]{26}$/);
  const many = Array.from({ length: 100_000 }, () => ids.sortable(1_700_000_000_000));
  expect(many.toSorted()).toEqual(many);
});

test('a manual clock fires timers in order and counts those that wait', () => {
  const clock = new ManualClock(0);
  const fired: string[] = [];
  clock.after(20, () => fired.push('b'));
  clock.after(10, () => {
    fired.push('a');
    clock.after(5, () => fired.push('a2'));
  });
  const repeat = every(clock, 10, () => fired.push('tick'));
  const late = clock.after(100, () => fired.push('never'));
  clock.advance(25);
  expect(fired).toEqual(['a', 'tick', 'a2', 'b', 'tick']);
  repeat.cancel();
  late.cancel();
  late.cancel();
  expect(clock.pending).toBe(0);
});

test('token buckets refill with time', () => {
  const clock = new ManualClock(0);
  const buckets = new TokenBuckets(clock, { burst: 2, refillMs: 100 });
  buckets.take('a');
  buckets.take('a');
  expect(buckets.waitMs('a')).toBe(100);
  expect(buckets.waitMs('b')).toBe(0);
  clock.advance(60);
  expect(buckets.waitMs('a')).toBe(40);
  clock.advance(40);
  expect(buckets.waitMs('a')).toBe(0);
  const few = new TokenBuckets(clock, { burst: 1, refillMs: 100 }, 1);
  few.take('a');
  few.take('b');
  expect([few.waitMs('b'), few.waitMs('a')]).toEqual([100, 0]);
});

test('an LRU forgets what was used longest ago', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  lru.get('a');
  lru.set('c', 3);
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
});

test('a bounded queue refuses what is too much', () => {
  const queue = new BoundedQueue<number>(2);
  expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 2, undefined]);
});

test('listeners that come and go while one is called take effect with the next', () => {
  const listeners = new Listeners<number>();
  const heard: string[] = [];
  const stop = listeners.add((value) => {
    heard.push(`a${value}`);
    stop();
    listeners.add((again) => heard.push(`b${again}`));
  });
  listeners.emit(1);
  listeners.emit(2);
  expect(heard).toEqual(['a1', 'b2']);
  expect(listeners.size).toBe(1);
});

test('a roster: who leaves frees a seat, twice is once, and the same member may be in it twice', () => {
  const roster = new Roster<string>();
  const [, leaveB] = ['a', 'b', 'c', 'c'].map((member) => roster.add(member));
  const before = roster.all();
  leaveB?.();
  leaveB?.();
  expect([...roster.all()].sort()).toEqual(['a', 'c', 'c']);
  expect(before).toEqual(['a', 'b', 'c', 'c']);
  const leaveD = roster.add('d');
  expect([roster.size, [...roster.all()].sort()]).toEqual([4, ['a', 'c', 'c', 'd']]);
  leaveD();
  expect(roster.size).toBe(3);
});
