import { afterEach, describe, expect, test } from 'vitest';
import type { NodeId } from '../../packages/server/src/core/index.ts';
import { until } from '../kit/wait.ts';
import { type Bench, benches, type MakePlace } from './store-place.ts';
import { guid } from './store-samples.ts';

const [one, two, three] = [1, 2, 3].map((n) => guid(n) as string as NodeId) as [NodeId, NodeId, NodeId];
const LONG_MS = 600_000;
const SHORT_MS = 50;

interface Renewing {
  readonly roles?: readonly string[];
  readonly leaseMs?: number;
  readonly isAlone?: boolean;
}

function renew({ store }: Bench, node: NodeId, { roles = [], leaseMs = LONG_MS, isAlone = false }: Renewing = {}) {
  return store.write('cluster.renew', { node, bus: 'test', leaseMs, roles, isAlone });
}

export function clusterContract(makePlace: MakePlace): void {
  describe('cluster', () => {
    const at = benches(makePlace);
    afterEach(() => at.closeAll());

    test('nodes see each other; a role belongs to the first, until it resigns or leaves', async () => {
      const bench = await at.open();
      expect(await renew(bench, one, { roles: ['phone'] })).toEqual({ roles: { phone: one }, others: [] });
      expect(await renew(bench, two, { roles: ['phone', 'sweep'] })).toEqual({
        roles: { phone: one, sweep: two },
        others: [{ node: one, bus: 'test' }],
      });
      await bench.store.write('cluster.resign', { node: two, role: 'phone' });
      expect((await renew(bench, two, { roles: ['phone'] })).roles).toEqual({ phone: one });
      await bench.store.write('cluster.resign', { node: one, role: 'phone' });
      expect((await renew(bench, two, { roles: ['phone'] })).roles).toEqual({ phone: two });
      await bench.store.write('cluster.leave', { node: two });
      expect(await renew(bench, one, { roles: ['phone', 'sweep'] })).toEqual({
        roles: { phone: one, sweep: one },
        others: [],
      });
    });

    test('of nodes that ask at once one gets the role', async () => {
      const bench = await at.open();
      const found = await Promise.all([one, two, three].map((node) => renew(bench, node, { roles: ['phone'] })));
      expect(new Set(found.map(({ roles }) => roles['phone'])).size).toBe(1);
    });

    test("a lease runs out by the store's time, and the roles fall free", async () => {
      const bench = await at.open();
      await renew(bench, one, { roles: ['phone'], leaseMs: SHORT_MS });
      await until(async () => {
        bench.clock.advance(SHORT_MS);
        return (await renew(bench, two, { roles: ['phone'] })).roles['phone'] === two;
      });
      expect((await renew(bench, two)).others).toEqual([]);
      expect((await renew(bench, one, { roles: ['phone'] })).roles).toEqual({ phone: two });
    });

    test('the one owner of its store forgets all others', async () => {
      const bench = await at.open();
      await renew(bench, one, { roles: ['phone'] });
      expect(await renew(bench, two, { roles: ['phone'], isAlone: true })).toEqual({
        roles: { phone: two },
        others: [],
      });
    });
  });
}
