import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isSoak, scaled } from '../../../../test/kit/scale.ts';
import { FlowGate } from '../../src/client/flow-gate.ts';

vi.setConfig({ testTimeout: isSoak ? 900_000 : 30_000 });

type Step = 'take' | 'release' | 'hold' | 'release other' | 'hold other';

describe('FlowGate', () => {
  test('whatever happens: order kept, nothing lost or doubled, nothing delivered while held, reading held back exactly then', () => {
    const steps = fc.array(fc.constantFrom<Step>('take', 'take', 'release', 'hold', 'release other', 'hold other'));
    fc.assert(
      fc.property(steps, fc.array(fc.boolean()), (script, holdsAfter) => {
        const own = {};
        const other = {};
        const holders = new Set<object>();
        const delivered: number[] = [];
        let isHeldBack = false;
        const gate = new FlowGate<number>(
          (n) => {
            expect(holders.size).toBe(0);
            delivered.push(n);
            if (holdsAfter[n] === true) {
              holders.add(own);
              gate.hold(own);
            }
          },
          (isHeld) => {
            expect(isHeld).toBe(!isHeldBack);
            isHeldBack = isHeld;
          },
        );
        let next = 0;
        for (const step of script) {
          if (step === 'take') gate.take(next++, 3);
          const holder = step.endsWith('other') ? other : own;
          if (step.startsWith('hold')) {
            holders.add(holder);
            gate.hold(holder);
          }
          if (step.startsWith('release')) {
            holders.delete(holder);
            gate.release(holder);
          }
          expect(gate.queuedSize).toBe(3 * (next - delivered.length));
          if (gate.queuedSize > 0) expect(isHeldBack).toBe(true);
        }
        while (delivered.length < next) {
          holders.clear();
          gate.release(own);
          gate.release(other);
        }
        expect(delivered).toEqual(Array.from({ length: next }, (_, n) => n));
      }),
      { numRuns: scaled({ verify: 1_000, soak: 100_000 }) },
    );
  });

  test('end waits for what was taken, and comes once', () => {
    const told: string[] = [];
    const holder = {};
    const gate = new FlowGate<string>(
      (item) => {
        told.push(item);
        gate.hold(holder);
      },
      () => undefined,
    );
    gate.take('a', 1);
    gate.take('b', 1);
    gate.end(() => told.push('end'));
    expect(told).toEqual(['a']);
    gate.release(holder);
    expect(told).toEqual(['a', 'b', 'end']);
    gate.release(holder);
    gate.clear();
    expect(told).toEqual(['a', 'b', 'end']);
  });

  test('a receiver that throws does not stop the rest', async () => {
    const delivered: number[] = [];
    const holder = {};
    const gate = new FlowGate<number>(
      (n) => {
        delivered.push(n);
        if (n === 1) throw new Error('mine');
      },
      () => undefined,
    );
    gate.hold(holder);
    for (let n = 0; n < 4; n++) gate.take(n, 1);
    expect(() => gate.release(holder)).toThrow('mine');
    await Promise.resolve();
    expect(delivered).toEqual([0, 1, 2, 3]);
  });

  test('taking while delivering keeps the order', () => {
    const delivered: number[] = [];
    const gate = new FlowGate<number>(
      (n) => {
        delivered.push(n);
        if (n < 3) {
          gate.take(n + 1, 1);
          expect(delivered.at(-1)).toBe(n);
        }
      },
      () => undefined,
    );
    gate.take(0, 1);
    expect(delivered).toEqual([0, 1, 2, 3]);
  });
});
