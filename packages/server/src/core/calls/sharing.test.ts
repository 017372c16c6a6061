import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultyPeers } from '../../../../../test/kit/faulty-peers.ts';
import { loneCluster } from '../../../../../test/kit/lone-cluster.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { FakeEngine } from '../../adapters/engine-fake/index.ts';
import { type Json, Listeners, ManualClock, randomIds } from '../../kit/index.ts';
import type { Membership, NodeId } from '../cluster/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import { type Call, type Calls, createCalls } from './index.ts';
import { CALLS_BEAT_MS, CALLS_PER_PAGE, MAX_EARLY_NEWS } from './limits.ts';

const asServer: Actor = { kind: 'server' };
const alice = 'a'.repeat(32) as UserId;

/** Calls of one node, what it shows and what it records. */
class Node {
  readonly engine = new FakeEngine();
  readonly records: Call[] = [];
  readonly gone = new Listeners<NodeId>();
  /** Nodes whose leases stand. */
  readonly living = new Set<NodeId>();
  readonly peers: FaultyPeers;
  readonly calls: Calls;

  constructor(membership: Membership) {
    this.peers = new FaultyPeers(network.join());
    this.calls = createCalls({
      store: {
        write: (_kind, input) => {
          if ('call' in input) this.records.push(input.call);
          return Promise.resolve(null);
        },
        read: () => Promise.resolve([]),
      },
      directory: {
        ownerOf: (number) => Promise.resolve(number === '201' ? { user: alice, displayName: 'Alice Adams' } : null),
        numberOf: () => Promise.resolve('201'),
      },
      cluster: { peers: this.peers, membership: { ...membership, gone: this.gone, living: this.living } },
      clock,
      ids: randomIds,
      engines: [this.engine],
      engineFor: () => this.engine,
    });
    nodes.push(this);
  }

  report(ref: string, state: Call['state'] = 'ringing', number = '201'): void {
    this.engine.report({ ref, number, peer: '1', state });
  }

  async live(number = '201'): Promise<readonly string[]> {
    return (await this.calls.liveCalls(asServer, { number })).map(({ id, state }) => `${id} ${state}`);
  }
}

let clock: ManualClock;
let network: MemoryNetwork;
let nodes: Node[];
let membership: Membership;
let a: Node;
let b: Node;

/** Both show the same, and that is `states`. */
async function agree(...states: readonly Call['state'][]): Promise<void> {
  await until(async () => {
    const [here, there] = [await a.live(), await b.live()];
    return here.join() === there.join() && here.map((text) => text.split(' ')[1]).join() === states.join();
  }, `both to show: ${states.join()}`);
}

beforeEach(async () => {
  clock = new ManualClock();
  network = new MemoryNetwork(clock, randomIds);
  nodes = [];
  ({ membership } = await loneCluster(clock));
  a = new Node(membership);
  b = new Node(membership);
});
afterEach(async () => {
  for (const { calls } of nodes) await calls.close();
  expect(clock.pending).toBe(0);
});

test('a call shows on all nodes under one id, and is recorded by its own', async () => {
  const heard: string[] = [];
  const phone: boolean[] = [];
  b.calls.onPhone.add(({ isOnPhone }) => phone.push(isOnPhone));
  await b.calls.listen(asServer, '201', ({ state }, how) => heard.push(`${how} ${state}`));
  a.report('r');
  await agree('ringing');
  a.report('r', 'connected');
  await agree('connected');
  expect(b.calls.isOnPhone(alice)).toBe(true);
  a.report('r', 'ended');
  await agree();
  expect(heard).toEqual(['change ringing', 'change connected', 'change ended']);
  expect(phone).toEqual([true, false]);
  await until(() => a.records.length === 1);
  expect(b.records).toEqual([]);
});

test('a node that comes gets every call, page by page; what happens meanwhile is not lost', async () => {
  for (let i = 0; i < 2.5 * CALLS_PER_PAGE; i++) a.report(`m${i}`, 'ringing', String(300 + i));
  a.report('r');
  await until(() => a.calls.figures().live === 2.5 * CALLS_PER_PAGE + 1);
  const c = new Node(membership);
  a.report('r', 'connected');
  a.report('m0', 'ended', '300');
  await until(() => c.calls.figures().live === 2.5 * CALLS_PER_PAGE);
  await until(async () => (await c.live()).join().endsWith('connected'));
  expect(await c.live('300')).toEqual([]);
});

test('news that is lost is missed with the next one, or with the next beat', async () => {
  a.report('r');
  await agree('ringing');
  a.peers.losesNews = true;
  a.report('r', 'connected');
  a.report('r', 'held');
  a.peers.losesNews = false;
  a.report('s');
  await agree('held', 'ringing');
  a.peers.losesNews = true;
  a.report('r', 'ended');
  await until(async () => (await a.live()).length === 1);
  a.peers.losesNews = false;
  clock.advance(CALLS_BEAT_MS);
  await agree('ringing');
});

test('news that waits for a snapshot is bounded: then another one is asked for', async () => {
  const held = Promise.withResolvers<void>();
  const snapshots = (): number => b.peers.asked.filter((kind) => kind === 'calls.snapshot').length;
  a.report('r');
  await agree('ringing');
  b.peers.held = held.promise;
  a.peers.losesNews = true;
  a.report('r', 'connected');
  a.peers.losesNews = false;
  const before = snapshots();
  a.report('r', 'held');
  await until(() => snapshots() === before + 1);
  for (let i = 0; i <= MAX_EARLY_NEWS; i++) a.report('r', i % 2 === 0 ? 'connected' : 'held');
  a.report('r', 'ended');
  b.peers.held = null;
  held.resolve();
  a.report('s');
  await agree('ringing');
  expect(snapshots()).toBe(before + 2);
});

test('calls of a node that the store has given up end as lost; while it is only out of reach they stay', async () => {
  const ends: unknown[] = [];
  await b.calls.listen(asServer, '201', ({ end }) => ends.push(end));
  a.report('r', 'connected');
  await agree('connected');
  b.living.add(a.peers.self);
  await a.peers.close();
  expect(await b.live()).toHaveLength(1);
  b.gone.emit(a.peers.self);
  expect(await b.live()).toEqual([]);
  expect(ends).toEqual([null, 'lost']);
  expect(b.records).toEqual([]);
});

test('a node that the store has given up leaves nothing behind when it goes, whatever it has told since', async () => {
  a.report('r', 'connected');
  await agree('connected');
  b.gone.emit(a.peers.self);
  expect(await b.live()).toEqual([]);
  a.report('r', 'held');
  await agree('held');
  await a.peers.close();
  expect(await b.live()).toEqual([]);
  expect(b.calls.isOnPhone(alice)).toBe(false);
});

test('a node that ends takes its calls from the screens of all', async () => {
  a.report('r', 'connected');
  await agree('connected');
  await a.calls.close();
  await until(async () => (await b.live()).length === 0);
  expect(a.records).toMatchObject([{ end: 'lost' }]);
});

test('what another version says of its calls is passed over, and harms nobody', async () => {
  const told: unknown[] = [
    null,
    7,
    [],
    { seq: 0 },
    { seq: 1, told: {} },
    { seq: 1, told: { ref: 'r', call: { id: 'x' } } },
  ];
  const c = new FaultyPeers(network.join());
  const pages: unknown[] = [
    null,
    {},
    { seq: 1, told: [null], isLast: true },
    { seq: 1, told: [{ call: {} }], isLast: true },
  ];
  let at = 0;
  c.answer('calls.snapshot', () => Promise.resolve(pages[at++ % pages.length] as Json));
  for (const one of [...told, ...told]) {
    c.tell('calls.news', one as Json);
    c.tell('calls.news', { seq: 0, told: null });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => at >= pages.length, 'all pages to be asked for');
  a.report('r');
  await agree('ringing');
  await c.close();
});
