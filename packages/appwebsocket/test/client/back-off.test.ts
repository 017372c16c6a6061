import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BROWSER_BACK_OFF, CLIENT_BACK_OFF, PBX_BACK_OFF, backOffDelayMs } from '../../src/client/back-off.ts';

const sequence = (backOff: typeof PBX_BACK_OFF, random: number): number[] =>
  Array.from({ length: 9 }, (_, attempt) => backOffDelayMs(backOff, attempt, random));

describe('back-off sequences (AW §11)', () => {
  test('browser library: 500 ms doubling to 32 s', () => {
    expect(sequence(BROWSER_BACK_OFF, 0.9)).toEqual([500, 1000, 2000, 4000, 8000, 16000, 32000, 32000, 32000]);
  });

  test('connection A: 1 s doubling to 60 s with 20 % jitter both ways', () => {
    expect(sequence(PBX_BACK_OFF, 0.5)).toEqual([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
    expect(sequence(PBX_BACK_OFF, 0)).toEqual([800, 1600, 3200, 6400, 12800, 25600, 48000, 48000, 48000]);
    expect(backOffDelayMs(PBX_BACK_OFF, 6, 0.999999)).toBeLessThanOrEqual(72_000);
    expect(PBX_BACK_OFF.resetAfterMs).toBe(60_000);
  });

  test('no attempt waits longer than the maximum and its jitter, or less than nothing', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const delayMs = backOffDelayMs(CLIENT_BACK_OFF, attempt, random);
        expect(delayMs).toBeGreaterThanOrEqual(400);
        expect(delayMs).toBeLessThanOrEqual(38_400);
      }),
    );
  });
});
