import { afterEach, describe, expect, test } from 'vitest';
import type { NodeId } from '../../packages/server/src/core/index.ts';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { type Bench, benches, type MakePlace } from './store-place.ts';
import { alice, bob, callOf, guid } from './store-samples.ts';

const [one, two, three] = [1, 2, 3].map((n) => guid(n) as string as NodeId) as [NodeId, NodeId, NodeId];
const LONG_MS = 600_000;
/** A lease that has run out. */
const OVER_MS = -1;

function renew({ store }: Bench, node: NodeId, more: { leaseMs?: number; isAlone?: boolean } = {}) {
  return store.write('cluster.renew', { node, bus: 'test', leaseMs: LONG_MS, roles: [], isAlone: false, ...more });
}

const ringing = { state: 'ringing', previous: null, endedAt: null, end: null } as const;

export function callContract(makePlace: MakePlace): void {
  describe('call records', () => records(makePlace));
  describe('live calls', () => liveCalls(makePlace));
  describe('idempotency keys of commands on calls', () => keys(makePlace));
}

function records(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('history, newest first, page by page', async () => {
    const { store } = await at.open();
    const calls = [1, 2, 3, 4].map((n) => callOf(alice, { startedAt: n < 3 ? n : 3, peerName: 'Bob', connectedAt: 9 }));
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
}

function liveCalls(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());
  const historyOf = ({ store }: Bench) => store.read('calls.history', { user: alice, before: null, limit: 9 });

  test("a dead node's calls are recorded as lost and told, as they last stood; a living one's go on", async () => {
    const bench = await at.open();
    const { store, journal } = bench;
    await renew(bench, one);
    await renew(bench, two);
    const [early, late, other] = [callOf(alice, ringing), callOf(alice, ringing), callOf(alice, ringing)];
    await store.write('calls.live', { owner: one, calls: [early, late] });
    await store.write('calls.live', { owner: two, calls: [other] });
    const answered = { ...late, state: 'connected', previous: 'ringing', connectedAt: 5, peerName: 'Bob' } as const;
    await store.write('calls.live', { owner: one, calls: [answered] });
    await renew(bench, one, { leaseMs: OVER_MS });
    // A node that has just come is none of the dead, and finds one.
    await renew(bench, three);
    const [newest, oldest] = await historyOf(bench);
    expect(newest).toEqual({
      ...answered,
      state: 'ended',
      previous: 'connected',
      end: 'lost',
      endedAt: newest?.endedAt ?? 0,
    });
    expect(oldest).toMatchObject({ id: early.id, previous: 'ringing', connectedAt: null, end: 'lost' });
    const told = await journal.tail({ after: 0, limit: 9 });
    expect(told.map(({ stream, event }) => [stream, event.kind])).toEqual(
      [1, 2].map(() => [userStream(alice), 'call-record']),
    );
    await renew(bench, three);
    expect(await historyOf(bench)).toHaveLength(2);
  });

  test('what has its record lives no more; the first record stands', async () => {
    const bench = await at.open();
    const { store } = bench;
    await renew(bench, one);
    const [done, late] = [callOf(alice), callOf(alice)];
    await store.write('calls.live', { owner: one, calls: [{ ...done, ...ringing }] });
    await store.write('calls.record', { call: done });
    await store.write('calls.record', { call: late });
    await store.write('calls.live', { owner: one, calls: [{ ...late, ...ringing }] });
    await store.write('cluster.leave', { node: one });
    expect(await historyOf(bench)).toEqual([late, done]);
  });

  test('a node that leaves, and all others where the store has one owner, leave nothing live behind', async () => {
    const bench = await at.open();
    const { store } = bench;
    await renew(bench, one);
    await renew(bench, two);
    for (const owner of [one, two, three]) await store.write('calls.live', { owner, calls: [callOf(alice, ringing)] });
    await store.write('cluster.leave', { node: one });
    expect(await historyOf(bench)).toHaveLength(1);
    await renew(bench, three, { isAlone: true });
    // The third had no lease when it wrote: it had no calls.
    expect(await historyOf(bench)).toHaveLength(2);
    const many = Array.from({ length: 200 }, () => callOf(alice, ringing));
    await store.write('calls.live', { owner: three, calls: many });
    await renew(bench, three, { isAlone: true });
    expect(await historyOf(bench)).toHaveLength(2);
    await store.write('cluster.leave', { node: three });
    expect(await store.read('calls.history', { user: alice, before: null, limit: 500 })).toHaveLength(202);
  });
}

function keys(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());
  const claim = ({ store }: Bench, node: NodeId, more: { key?: string; hash?: string } = {}) =>
    store.write('calls.claim', { key: 'dial k', hash: 'h', node, ...more });

  test('one claims a key; the others learn what came of it', async () => {
    const bench = await at.open();
    await renew(bench, one);
    await renew(bench, two);
    const claims = await Promise.all([claim(bench, one), claim(bench, two)]);
    expect(claims.filter((known) => known === null)).toHaveLength(1);
    const winner = claims[0] === null ? one : two;
    expect(await claim(bench, one)).toEqual({ outcome: null, isUnderWay: true });
    await expect(claim(bench, two, { hash: 'i' })).rejects.toMatchObject({ code: 'idempotency-conflict' });
    expect(await claim(bench, two, { key: 'dial l', hash: 'i' })).toBeNull();
    const loser = winner === one ? two : one;
    await bench.store.write('calls.settle', { key: 'dial k', node: loser, outcome: null });
    await bench.store.write('calls.settle', { key: 'dial k', node: loser, outcome: 'mine' });
    await bench.store.write('calls.settle', { key: 'dial k', node: winner, outcome: '{}' });
    expect(await claim(bench, loser)).toEqual({ outcome: '{}', isUnderWay: false });
  });

  test('what had no effect frees its key; what a dead node had begun stays claimed', async () => {
    const bench = await at.open();
    await renew(bench, one);
    await claim(bench, one);
    await bench.store.write('calls.settle', { key: 'dial k', node: one, outcome: null });
    expect(await claim(bench, one)).toBeNull();
    await bench.store.write('cluster.leave', { node: one });
    expect(await claim(bench, two)).toEqual({ outcome: null, isUnderWay: false });
  });
}
