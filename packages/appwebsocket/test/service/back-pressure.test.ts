import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BackPressure } from '../../src/service/back-pressure.ts';
import { SLOW_PEER_MS } from '../../src/service/limits.ts';
import { DRAINED_BYTES, MAX_SEND_BUFFER_BYTES } from '../../src/wire/bounds.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A socket by hand: what waits, what was taken, and when it is drained. */
function bench() {
  let drain = (): void => undefined;
  const carrier = {
    bufferedBytes: MAX_SEND_BUFFER_BYTES,
    takenBytes: 0,
    drained: () => new Promise<void>((resolve) => (drain = resolve)),
  };
  const holders = new Set<object>();
  const gate = { hold: (holder: object) => holders.add(holder), release: (holder: object) => holders.delete(holder) };
  let closings = 0;
  const pressure = new BackPressure(carrier, gate, () => closings++);
  return { carrier, holders, pressure, drain: () => drain(), closings: () => closings };
}

test('who takes nothing for a minute is closed', () => {
  const { holders, pressure, closings } = bench();
  pressure.check();
  expect(holders.size).toBe(1);
  vi.advanceTimersByTime(SLOW_PEER_MS - 1);
  expect(closings()).toBe(0);
  vi.advanceTimersByTime(1);
  expect(closings()).toBe(1);
  pressure.end();
  expect(vi.getTimerCount()).toBe(0);
});

test('who reads slowly, but reads, gets all of it; who takes drops is closed', () => {
  const { carrier, pressure, closings } = bench();
  pressure.check();
  for (let minute = 0; minute < 20; minute++) {
    carrier.takenBytes += DRAINED_BYTES;
    pressure.check();
    vi.advanceTimersByTime(SLOW_PEER_MS);
  }
  expect(closings()).toBe(0);
  carrier.takenBytes += DRAINED_BYTES - 1;
  vi.advanceTimersByTime(SLOW_PEER_MS);
  expect(closings()).toBe(1);
});

test('drained, nothing is held and no timer is left; over the bound he is closed at once', async () => {
  const { carrier, holders, pressure, drain, closings } = bench();
  pressure.check();
  drain();
  await Promise.resolve();
  await Promise.resolve();
  expect(holders.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  carrier.bufferedBytes++;
  pressure.check();
  expect(closings()).toBe(1);
});
