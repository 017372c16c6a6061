import { expect, test } from 'vitest';
import { type Json, Listeners, Problem } from '../../kit/index.ts';
import { MAX_NODE_ADDRESSES, openNodeAddresses } from './addresses.ts';
import type { NodeId, Peers } from './peers.ts';
import { ownerOf } from './rendezvous.ts';

const nodes = Array.from(
  { length: MAX_NODE_ADDRESSES + 1 },
  (_, i) => `n${i}`,
) as readonly string[] as readonly NodeId[];

/** The others of a node, as a test has them speak. */
class Others implements Peers {
  readonly self = 'self' as NodeId;
  readonly others = new Set<NodeId>();
  readonly up = new Listeners<NodeId>();
  readonly down = new Listeners<NodeId>();
  readonly asked: NodeId[] = [];
  readonly told: Json[] = [];
  answers: Json | Problem = null;
  hearer: (input: Json, from: NodeId) => void = () => undefined;
  answerer: (input: Json, from: NodeId) => Promise<Json> = async () => null;
  ask = async (node: NodeId): Promise<Json> => {
    this.asked.push(node);
    if (this.answers instanceof Problem) throw this.answers;
    return this.answers;
  };
  answer = (_kind: string, handler: Others['answerer']) => ((this.answerer = handler), () => undefined);
  tell = (_kind: string, input: Json) => void this.told.push(input);
  hear = (_kind: string, handler: Others['hearer']) => ((this.hearer = handler), () => undefined);
  close = async () => undefined;
}

test('nodes tell where they are: when they listen, to each that comes, when asked, and when they take no more', async () => {
  const others = new Others();
  const addresses = openNodeAddresses(others);
  expect(await others.answerer(null, nodes[0]!)).toBe(null);
  addresses.announce('http://here');
  others.up.emit(nodes[0]!);
  addresses.announce(null);
  expect(others.told).toEqual(['http://here', 'http://here', null]);
  others.hearer('http://there', nodes[0]!);
  expect(await addresses.addressOf(nodes[0]!)).toBe('http://there');
  expect(others.asked).toEqual([]);
  others.hearer(null, nodes[0]!);
  expect(await addresses.addressOf(nodes[0]!)).toBe(null);
  others.answers = 'http://late';
  expect(await addresses.addressOf(nodes[0]!)).toBe('http://late');
  others.answers = new Problem('peer-down', 'gone');
  expect(await addresses.addressOf(nodes[1]!)).toBe(null);
  expect(others.asked).toEqual([nodes[0], nodes[0], nodes[1]]);
});

test('no more addresses are kept than any cluster has nodes', async () => {
  const others = new Others();
  const addresses = openNodeAddresses(others);
  for (const node of nodes) others.hearer(`http://${node}`, node);
  expect(await addresses.addressOf(nodes[1]!)).toBe('http://n1');
  expect(await addresses.addressOf(nodes[0]!)).toBe(null);
  expect(others.asked).toEqual([nodes[0]]);
});

test('rendezvous: all agree, the load is even, and only what a node had moves when it goes', () => {
  const [a, b, c] = nodes as readonly [NodeId, NodeId, NodeId];
  const keys = Array.from({ length: 3_000 }, (_, i) => `key ${i}`);
  const before = keys.map((key) => ownerOf(key, [a, b, c]));
  expect(keys.map((key) => ownerOf(key, [c, a, b]))).toEqual(before);
  for (const node of [a, b, c]) expect(before.filter((owner) => owner === node).length).toBeGreaterThan(850);
  const after = keys.map((key) => ownerOf(key, [a, c]));
  expect(after.filter((owner, i) => before[i] !== b && owner !== before[i])).toEqual([]);
  expect(ownerOf('key', [])).toBe(null);
});
