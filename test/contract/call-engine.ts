import { afterEach, describe, expect, test } from 'vitest';
import type { CallEngine, EngineEvent } from '../../packages/server/src/core/calls/index.ts';
import { until } from '../kit/wait.ts';

export interface EngineUnderTest {
  readonly engine: CallEngine;
  /** A call comes in for `to`. */
  readonly ring: (from: string, to: string) => void | Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every engine of calls does, whatever telephone system is behind it. Numbers 201 and 202 are there. */
export function callEngineContract(name: string, open: () => Promise<EngineUnderTest>): void {
  describe(`call engine: ${name}`, () => {
    const opened: EngineUnderTest[] = [];
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });
    async function start(): Promise<EngineUnderTest & { readonly events: EngineEvent[] }> {
      const one = await open();
      opened.push(one);
      const events: EngineEvent[] = [];
      one.engine.onEvent((event) => events.push(event));
      await until(() => one.engine.isConnected, 'the engine is connected');
      return { ...one, events };
    }

    test('reports a call of a number that is listened to', async () => {
      const { engine, ring, events } = await start();
      engine.listen('202');
      engine.listen('202');
      await ring('201', '202');
      const event = await until(() => events.find((e) => e.direction === 'inbound'), 'the call');
      expect(event).toMatchObject({ number: '202', state: 'ringing', peer: '201', end: null });
      expect(event.ref).not.toBe('');
    });

    test('two calls have two names', async () => {
      const { engine, ring, events } = await start();
      engine.listen('202');
      await ring('201', '202');
      await until(() => events.length > 0);
      await ring('201', '202');
      await until(() => new Set(events.filter((e) => e.direction === 'inbound').map((e) => e.ref)).size === 2);
    });

    test('dials from a number that is listened to', async () => {
      const { engine } = await start();
      engine.listen('201');
      const ref = await engine.dial({ from: '201', to: '202' });
      expect(ref === null || ref.length > 0).toBe(true);
    });

    test('commands on calls that are not there are refused with a reason', async () => {
      const { engine } = await start();
      const { answer, hangup, hold, transfer } = engine.abilities;
      const attempts = [
        [answer, () => engine.answer('nothing')],
        [hangup, () => engine.hangup('nothing')],
        [hold, () => engine.hold('nothing', true)],
        [transfer, () => engine.transfer('nothing', { number: '202' })],
      ] as const;
      for (const [can, attempt] of attempts)
        await expect(attempt()).rejects.toMatchObject({ code: can ? 'no-such-call' : 'not-supported' });
    });

    test('closing ends everything, once and again; nothing is dialled then', async () => {
      const { engine } = await start();
      engine.listen('201');
      await engine.close();
      await engine.close();
      expect(engine.isConnected).toBe(false);
      await expect(engine.dial({ from: '201', to: '202' })).rejects.toMatchObject({ code: 'engine-unavailable' });
    });
  });
}
