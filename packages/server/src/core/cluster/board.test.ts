import { expect, test } from 'vitest';
import { LossyPeers } from '../../../../../test/kit/lossy-peers.ts';
import { scaled, seeded, seedOf } from '../../../../../test/kit/scale.ts';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { ManualClock, randomIds } from '../../kit/index.ts';
import { BEAT_MS, type Board, createBoard, GATHER_MS } from './board.ts';
import { MAX_PEER_BYTES } from './peers.ts';

const GRACE_MS = 10_000;

class Cluster {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock, randomIds);
  readonly nodes: Node[] = [];

  join(): Node {
    const node = new Node(this);
    this.nodes.push(node);
    return node;
  }

  /** Time passes, and what is told meanwhile arrives. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += GATHER_MS) {
      this.clock.advance(GATHER_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A node that posts texts. */
class Node {
  readonly posted = new Map<string, string>();
  readonly peers: LossyPeers;
  readonly board: Board<string, string>;
  readonly changes: string[] = [];

  constructor({ network, clock }: Cluster) {
    this.peers = new LossyPeers(network.join());
    this.board = createBoard({
      peers: this.peers,
      clock,
      name: 'test',
      own: { get: (key) => this.posted.get(key) ?? null, keys: () => this.posted.keys() },
      encode: (text) => text,
      decode: (json) => (typeof json === 'string' ? json : null),
      graceMs: GRACE_MS,
    });
    this.board.changes.add((key) => this.changes.push(key));
  }

  post(key: string, text: string | null): void {
    if (text === null) this.posted.delete(key);
    else this.posted.set(key, text);
    this.board.changed(key);
  }

  /** What it sees of another. */
  sees({ peers }: Node, keys: Iterable<string>): Record<string, string> {
    return Object.fromEntries(
      [...keys].flatMap((key) => {
        const text = this.board.of(key).get(peers.self);
        return text === undefined ? [] : [[key, text]];
      }),
    );
  }

  async leave(): Promise<void> {
    this.board.close();
    await this.peers.close();
  }
}

test('what one posts the others see; however often it changes meanwhile, they hear of it once', async () => {
  const cluster = new Cluster();
  const [a, b] = [cluster.join(), cluster.join()];
  await cluster.pass(100);
  const before = a.peers.told;
  for (let i = 0; i < 1_000; i++) a.post(`key ${i % 10}`, `text ${i}`);
  await cluster.pass(100);
  expect(b.sees(a, ['key 3'])).toEqual({ 'key 3': 'text 993' });
  expect([a.peers.told - before, b.changes.length]).toEqual([1, 10]);
  a.post('key 3', null);
  await cluster.pass(100);
  expect(b.sees(a, ['key 3'])).toEqual({});
});

test('a node that is alone says nothing and holds nothing back', async () => {
  const cluster = new Cluster();
  const a = cluster.join();
  for (let i = 0; i < 100; i++) a.post(`key ${i}`, 'text');
  await cluster.pass(2 * BEAT_MS);
  expect([a.peers.told, cluster.clock.pending]).toEqual([0, 1]);
  await a.leave();
  expect(cluster.clock.pending).toBe(0);
});

test('a node that comes is told all there is, in messages that are not too long', async () => {
  const cluster = new Cluster();
  const [a, b] = [cluster.join(), cluster.join()];
  const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`);
  for (const key of keys) a.post(key, key + 'ü'.repeat(MAX_PEER_BYTES / 40));
  await cluster.pass(100);
  const c = cluster.join();
  await cluster.pass(100);
  const all = Object.fromEntries(a.posted);
  expect(c.sees(a, keys)).toEqual(all);
  expect(b.sees(a, keys)).toEqual(all);
  expect(b.changes.length).toBe(keys.length);
});

test('what changes while somebody is told all there is comes to everybody', async () => {
  const cluster = new Cluster();
  const [a, b] = [cluster.join(), cluster.join()];
  await cluster.pass(100);
  const c = cluster.join();
  await new Promise((resolve) => setImmediate(resolve));
  a.post('key', 'text');
  await cluster.pass(100);
  expect([b.sees(a, ['key']), c.sees(a, ['key'])]).toEqual([{ key: 'text' }, { key: 'text' }]);
});

test('the notices of a node that went are seen for a while, then end; one that is back in time keeps them', async () => {
  const cluster = new Cluster();
  const [a, b] = [cluster.join(), cluster.join()];
  a.post('key', 'text');
  await cluster.pass(100);
  await a.leave();
  await cluster.pass(GRACE_MS - 100);
  expect(b.sees(a, ['key'])).toEqual({ key: 'text' });
  await cluster.pass(200);
  expect(b.sees(a, ['key'])).toEqual({});
  expect(b.changes).toEqual(['key', 'key']);
});

test('whatever news is lost, all nodes see the same in the end', async () => {
  const random = seeded(seedOf('board'));
  const cluster = new Cluster();
  const keys = Array.from({ length: 12 }, (_, i) => `key ${i}`);
  for (let i = 0; i < 3; i++) cluster.join().peers.isLost = () => random() < 0.4;
  const steps = scaled({ verify: 1_000, soak: 50_000 });
  for (let step = 0; step < steps; step++) {
    const node = cluster.nodes[Math.floor(random() * cluster.nodes.length)]!;
    const key = keys[Math.floor(random() * keys.length)]!;
    node.post(key, random() < 0.3 ? null : `text ${step}`);
    if (random() < 0.3) await cluster.pass(GATHER_MS * Math.ceil(random() * 20));
    if (step === steps / 2) cluster.join().peers.isLost = () => random() < 0.4;
  }
  for (const { peers } of cluster.nodes) peers.isLost = () => false;
  await cluster.pass(3 * BEAT_MS);
  for (const node of cluster.nodes)
    for (const other of cluster.nodes)
      if (node !== other) expect(node.sees(other, keys)).toEqual(Object.fromEntries(other.posted));
});
