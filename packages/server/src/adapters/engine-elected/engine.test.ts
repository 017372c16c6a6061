import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultyPeers } from '../../../../../test/kit/faulty-peers.ts';
import { loneCluster } from '../../../../../test/kit/lone-cluster.ts';
import type { EngineEvent } from '../../core/calls/index.ts';
import type { Membership, NodeId } from '../../core/cluster/index.ts';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import { MemoryNetwork } from '../bus-memory/index.ts';
import { FakeEngine } from '../engine-fake/index.ts';
import { createElectedEngine } from './index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One node: its engine, what it has opened of the real one, and the hand that gives it the role or takes it away. */
class Node {
  readonly opened: FakeEngine[] = [];
  readonly events: EngineEvent[] = [];
  readonly peers: FaultyPeers;
  readonly engine;
  isLive = true;
  changed: (holder: NodeId | null) => void | Promise<void> = () => undefined;

  constructor(network: MemoryNetwork, membership: Membership) {
    this.peers = new FaultyPeers(network.join());
    const isLive = (): boolean => this.isLive;
    const seek: Membership['seek'] = (_role, changed) => {
      this.changed = changed;
      return () => undefined;
    };
    this.engine = createElectedEngine({
      name: 'played',
      peers: this.peers,
      membership: {
        ...membership,
        seek,
        get isLive() {
          return isLive();
        },
      },
      open: () => {
        const engine = new FakeEngine();
        this.opened.push(engine);
        return engine;
      },
      clock,
      ids: randomIds,
      log: { warn: () => undefined },
    });
    this.engine.onEvent((event) => this.events.push(event));
  }

  get real(): FakeEngine {
    return this.opened.at(-1)!;
  }
}

let clock: ManualClock;
let a: Node;
let b: Node;
let all: Node[];

async function elect(holder: Node | null): Promise<void> {
  for (const node of all) await node.changed(holder?.peers.self ?? null);
  await turn();
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

beforeEach(async () => {
  clock = new ManualClock();
  const network = new MemoryNetwork(clock, randomIds);
  const { membership } = await loneCluster(clock);
  a = new Node(network, membership);
  b = new Node(network, membership);
  all = [a, b];
  await elect(a);
});
afterEach(async () => {
  for (const node of all) await node.engine.close();
  expect(clock.pending).toBe(0);
});

test('the holder listens to what any node listens to; numbers end with their last node', async () => {
  a.engine.listen('201');
  b.engine.listen('201');
  b.engine.listen('202');
  await turn();
  a.engine.unlisten('201');
  expect(a.real.commands).toEqual(['listen 201', 'listen 202']);
  b.engine.unlisten('201');
  await turn();
  expect(a.real.commands.at(-1)).toBe('unlisten 201');
  await b.peers.close();
  expect([...a.real.listening]).toEqual([]);
  expect(b.opened).toEqual([]);
});

test('a new holder learns all numbers; the old one has let go before', async () => {
  a.engine.listen('201');
  b.engine.listen('202');
  await turn();
  await elect(null);
  expect([a.real.isConnected, a.engine.isConnected, b.engine.isConnected]).toEqual([false, false, false]);
  expect(await codeOf(b.engine.dial({ from: '202', to: '1' }))).toBe('engine-unavailable');
  await elect(b);
  await turn();
  expect([...b.real.listening].sort()).toEqual(['201', '202']);
  expect([a.engine.isConnected, b.engine.isConnected, a.opened.length]).toEqual([true, true, 1]);
});

test('what was lost on the way is told again, and how the holder stands is seen within a second', async () => {
  b.peers.isCut = true;
  b.engine.listen('201');
  await turn();
  expect([...a.real.listening]).toEqual([]);
  b.peers.isCut = false;
  clock.advance(1_000);
  await turn();
  expect([...a.real.listening]).toEqual(['201']);
  a.real.isConnected = false;
  a.real.abilities = { ...a.real.abilities, hold: false };
  clock.advance(1_000);
  await turn();
  expect([b.engine.isConnected, b.engine.abilities.hold]).toEqual([false, false]);
});

test('calls have one name on all nodes, another one with each holder; the holder alone reports them', async () => {
  b.engine.listen('201');
  const ref = await b.engine.dial({ from: '201', to: '1' });
  expect(a.events).toMatchObject([{ ref, number: '201', direction: 'outbound' }]);
  expect(b.events).toEqual([]);
  await b.engine.hold(ref!, true);
  await b.engine.transfer(ref!, { ref: ref! });
  await b.engine.hangup(ref!);
  expect(a.real.commands.slice(2)).toEqual(['hold fake-1', 'transfer to fake-1 fake-1', 'hangup fake-1']);
  await elect(b);
  expect(await codeOf(a.engine.hangup(ref!))).toBe('no-such-call');
  expect(await a.engine.dial({ from: '201', to: '1' })).not.toBe(ref);
});

test('a dial that meets a handover is made once, or not at all; where that cannot be known it is said', async () => {
  const dialled = (): string[] =>
    all.flatMap((node) => node.opened).flatMap((engine) => engine.commands.filter((c) => c.startsWith('dial')));
  b.engine.listen('201');
  await turn();
  // The holder lets go while the dial is on its way.
  const late = codeOf(b.engine.dial({ from: '201', to: '1' }));
  void a.changed(null);
  expect(await late).toMatch(/^(none|engine-unavailable)$/);
  expect(dialled()).toHaveLength((await late) === 'none' ? 1 : 0);
  const before = dialled().length;
  // It goes in the middle of it.
  await elect(a);
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const dial = a.real.dial.bind(a.real);
  a.real.dial = async (command) => {
    const ref = await dial(command);
    await answered;
    return ref;
  };
  const lost = codeOf(b.engine.dial({ from: '201', to: '2' }));
  await turn();
  await a.peers.close();
  expect(await lost).toBe('outcome-unknown');
  answer();
  await elect(b);
  expect(dialled()).toHaveLength(before + 1);
});

test('a holder whose lease is over does nothing more, even before it has heard so', async () => {
  b.engine.listen('201');
  await turn();
  a.isLive = false;
  expect(await codeOf(b.engine.dial({ from: '201', to: '1' }))).toBe('engine-unavailable');
  expect(await codeOf(a.engine.dial({ from: '201', to: '1' }))).toBe('engine-unavailable');
  expect(a.real.commands).toEqual(['listen 201']);
  expect(a.engine.isConnected).toBe(false);
});

test('a role that comes back while the connection closes never makes two', async () => {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  a.real.close = () => closed;
  void a.changed(null);
  await turn();
  void a.changed(a.peers.self);
  await turn();
  expect([a.opened.length, a.engine.isConnected]).toEqual([1, false]);
  close();
  await turn();
  expect([a.opened.length, a.engine.isConnected]).toEqual([2, true]);
});
