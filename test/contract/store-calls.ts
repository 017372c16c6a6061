import { afterEach, describe, expect, test } from 'vitest';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { benches, type MakePlace } from './store-place.ts';
import { alice, bob, callOf } from './store-samples.ts';

export function callContract(makePlace: MakePlace): void {
  describe('call records', () => {
    const at = benches(makePlace);
    afterEach(() => at.closeAll());

    test('history, newest first, page by page', async () => {
      const { store } = await at.open();
      const calls = [1, 2, 3, 4].map((n) =>
        callOf(alice, { startedAt: n < 3 ? n : 3, peerName: 'Bob', connectedAt: 9 }),
      );
      for (const call of [...calls, callOf(bob)]) await store.write('calls.record', { call });
      const newest = [...calls].reverse();
      expect(await store.read('calls.history', { user: alice, before: null, limit: 9 })).toEqual(newest);
      const page = await store.read('calls.history', { user: alice, before: newest[1]!.id, limit: 1 });
      expect(page).toEqual([newest[2]]);
      const rest = await store.read('calls.history', { user: alice, before: newest[3]!.id, limit: 9 });
      expect(rest).toEqual([]);
    });

    test('a record is told to its user once, and to nobody where it has none', async () => {
      const { store, journal, rung } = await at.open();
      const call = callOf(alice);
      await store.write('calls.record', { call });
      await store.write('calls.record', { call: { ...call, end: 'busy' } });
      await store.write('calls.record', { call: callOf(null) });
      const entry = { position: 1, stream: userStream(alice), event: { kind: 'call-record', call } };
      expect(await journal.tail({ after: 0, limit: 9 })).toEqual([entry]);
      expect(rung).toEqual([{ first: 1, last: 1, entries: [entry] }]);
      expect(await store.read('calls.history', { user: alice, before: null, limit: 9 })).toEqual([call]);
    });
  });
}
