import { afterEach, describe, expect, test } from 'vitest';
import type { Batch, TielineBell } from '../../packages/server/src/core/index.ts';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { until } from '../kit/wait.ts';
import { alice, bob, callOf, messageFrom } from './store-samples.ts';

/** The bells of some nodes that hear each other. With one node there is one. */
export interface BellRing {
  readonly bells: readonly TielineBell[];
  close(): Promise<void>;
}

function batchAt(first: number): Batch {
  const { message } = messageFrom(alice, bob, { body: 'Grüße 🎈', data: { n: first } });
  const event = { kind: 'message', message: { ...message, seq: first } } as const;
  return {
    first,
    last: first + 2,
    entries: [
      { position: first, stream: userStream(alice), event },
      { position: first + 1, stream: userStream(bob), event },
      { position: first + 2, stream: userStream(bob), event: { kind: 'call-record', call: callOf(bob) } },
    ],
  };
}

/**
 * What every bell has to keep to. A bell may lose, repeat and reorder, so the suite rings until it is heard: what it demands is
 * that batches arrive as they were rung, at every listener of every node, and that nothing is heard after a listener has gone.
 */
export function bellContract(name: string, makeRing: () => Promise<BellRing>): void {
  describe(`bell contract: ${name}`, () => {
    let ring: BellRing | null = null;
    afterEach(async () => {
      await ring?.close();
      ring = null;
    });
    const open = async (): Promise<readonly TielineBell[]> => {
      ring = await makeRing();
      return ring.bells;
    };

    test('a batch is heard by every listener of every node, as it was rung', async () => {
      const bells = await open();
      const heard = bells.flatMap((bell) =>
        [1, 2].map(() => {
          const own: Batch[] = [];
          bell.batches.add((batch) => own.push(batch));
          return own;
        }),
      );
      for (const [i, bell] of bells.entries()) {
        const batch = batchAt(1 + 3 * i);
        await until(() => {
          bell.ring(batch);
          return heard.every((own) => own.some(({ first }) => first === batch.first));
        }, 'everybody to hear the batch');
        for (const own of heard) expect(own.find(({ first }) => first === batch.first)).toEqual(batch);
      }
    });

    test('who has left hears nothing more, and leaves once only', async () => {
      const bells = await open();
      const [bell] = bells;
      const stayed: Batch[] = [];
      const left: Batch[] = [];
      bell!.batches.add((batch) => stayed.push(batch));
      const stop = bell!.batches.add((batch) => left.push(batch));
      stop();
      stop();
      await until(() => {
        bell!.ring(batchAt(1));
        return stayed.length > 0;
      }, 'the one that stayed to hear it');
      expect(left).toEqual([]);
    });

    test('a stir is heard by every listener of every node', async () => {
      const bells = await open();
      for (const bell of bells) {
        let heard = 0;
        const stops = bells.map((other) => {
          let isHeard = false;
          return other.stirs.add(() => {
            if (!isHeard) heard++;
            isHeard = true;
          });
        });
        await until(() => {
          bell.stir();
          return heard === bells.length;
        }, 'everybody to hear the stir');
        for (const stop of stops) stop();
      }
    });

    test('ringing without a listener is no error', async () => {
      for (const bell of await open()) {
        bell.ring(batchAt(1));
        bell.stir();
      }
    });
  });
}
