import { expect, test } from 'vitest';
import { seeded, seedOf } from '../../../../test/kit/scale.ts';
import { FakeClock } from '../../test/fake-clock.ts';
import { TimerWheel } from './timer-wheel.ts';

test('fires in order of time, and within a moment in order of setting', () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const fired: string[] = [];
  wheel.after(500, () => fired.push('b'));
  wheel.after(100, () => fired.push('a'));
  wheel.after(500, () => fired.push('c'));
  wheel.after(50_000, () => fired.push('late'));
  clock.advance(499);
  expect(fired).toEqual(['a']);
  clock.advance(1);
  expect(fired).toEqual(['a', 'b', 'c']);
  clock.advance(49_499);
  expect(fired).toEqual(['a', 'b', 'c']);
  clock.advance(1);
  expect(fired).toEqual(['a', 'b', 'c', 'late']);
  expect([wheel.size, clock.size]).toEqual([0, 0]);
});

test('a timer may set and cancel others while it fires', () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const fired: number[] = [];
  const victim = wheel.after(100, () => fired.push(-1));
  wheel.after(90, () => {
    fired.push(1);
    victim.cancel();
    victim.cancel();
    wheel.after(0, () => fired.push(2));
  });
  clock.advance(200);
  expect(fired).toEqual([1, 2]);
  expect(clock.size).toBe(0);
});

test('random timers fire once, never early and at most one tick late; cancelled ones never', () => {
  const random = seeded(seedOf('timer-wheel'));
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  let wrong = 0;
  let live = 0;
  for (let i = 0; i < 2_000; i += 1) {
    const due = clock.now() + random() * 100_000;
    const timer = wheel.after(due - clock.now(), () => {
      live -= 1;
      if (clock.now() < due - 0.001 || clock.now() > due + 10.001) wrong += 1;
    });
    live += 1;
    if (random() < 0.3) {
      timer.cancel();
      live -= 1;
    }
    if (random() < 0.5) clock.advance(Math.floor(random() * 50));
  }
  clock.advance(200_000);
  expect([wrong, live, wheel.size, clock.size]).toEqual([0, 0, 0, 0]);
});

test('clear drops everything', () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  for (let ms = 0; ms < 90_000; ms += 700) wheel.after(ms, () => expect.unreachable());
  wheel.clear();
  expect([wheel.size, clock.size]).toEqual([0, 0]);
  clock.advance(100_000);
});

test('a callback that throws keeps the others of its moment waiting for a moment, not for a turn of the wheel', () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  let fired = 0;
  wheel.after(100, () => {
    throw new Error('ours');
  });
  wheel.after(100, () => (fired += 1));
  expect(() => clock.advance(100)).toThrow('ours');
  clock.advance(20);
  expect([fired, wheel.size]).toEqual([1, 0]);
});
