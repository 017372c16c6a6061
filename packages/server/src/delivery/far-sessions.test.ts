import { expect, test } from 'vitest';
import { MemoryNetwork } from '../adapters/bus-memory/index.ts';
import type { Message } from '../core/conversations/index.ts';
import type { UserId } from '../core/journal/index.ts';
import { ManualClock, randomIds } from '../kit/index.ts';
import { type FarSessions, HAND_MS, type Near, openFarSessions } from './far-sessions.ts';

const [alice, bob] = ['alice', 'bob'] as string[] as [UserId, UserId];
const text = (body: string): Message => ({ id: body, body, sender: alice, recipient: bob }) as Message;

/** A node with or without a session of bob, and what that was told. */
class Node {
  readonly seen: string[] = [];
  readonly troubles: unknown[] = [];
  readonly peers: ReturnType<MemoryNetwork['join']>;
  readonly far: FarSessions;
  /** What bob's session answers; null: there is none. */
  takes: boolean | Promise<boolean> | null = null;
  isAttended = true;

  constructor(network: MemoryNetwork, clock: ManualClock) {
    this.peers = network.join();
    const note = (what: string): boolean | Promise<boolean> => {
      this.seen.push(what);
      return this.takes ?? false;
    };
    const near: Near = {
      reach: (_user, from) => note(`reach ${from}`),
      hand: (_user, message) => note(message.body),
      echo: (_user, message) => void note(`echo ${message.body}`),
      state: (_user, { state }) => void note(state),
      isAttended: (user) => (user === bob && this.takes !== null ? this.isAttended : null),
      users: () => (this.takes === null ? [] : [bob]),
    };
    const onTrouble = (error: unknown): void => void this.troubles.push(error);
    this.far = openFarSessions({ peers: this.peers, clock, near, onTrouble });
  }

  sets(takes: Node['takes']): void {
    this.takes = takes;
    this.far.changed(bob);
  }
}

async function nodes(count: number) {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock, randomIds);
  const all = Array.from({ length: count }, () => new Node(network, clock));
  const settle = async (ms = 100): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  return { all, clock, settle };
}

test('only nodes where the user has sessions are asked, each in the order of the calls', async () => {
  const { all, settle } = await nodes(3);
  const [one, two, three] = all as [Node, Node, Node];
  expect(one.far.hand(bob, text('nobody'))).toEqual([]);
  two.sets(true);
  await settle();
  const taken = Array.from({ length: 50 }, (_, i) => one.far.hand(bob, text(`t${i}`))).flat();
  expect(await Promise.all(taken)).toEqual(Array(50).fill(true));
  expect(two.seen).toEqual(Array.from({ length: 50 }, (_, i) => `t${i}`));
  expect(await Promise.all(one.far.reach(bob, alice))).toEqual([true]);
  one.far.echo(bob, text('own'));
  one.far.state(bob, { from: alice, resource: 'r', state: 'composing' });
  await settle();
  expect(two.seen.slice(50)).toEqual(['reach alice', 'echo own', 'composing']);
  expect(three.seen).toEqual(['echo own', 'composing'].slice(0, three.seen.length));
  two.sets(null);
  await settle();
  expect(one.far.hand(bob, text('gone'))).toEqual([]);
});

test('a session that shows texts at once is known everywhere', async () => {
  const { all, settle } = await nodes(2);
  const [one, two] = all as [Node, Node];
  two.isAttended = false;
  two.sets(true);
  await settle();
  expect(one.far.isAttended(bob)).toBe(false);
  two.isAttended = true;
  two.sets(true);
  await settle();
  expect(one.far.isAttended(bob)).toBe(true);
});

test('a node that goes while it is asked has not taken it; nor has one that does not answer, or fails', async () => {
  const { all, clock, settle } = await nodes(3);
  const [one, two, three] = all as [Node, Node, Node];
  two.sets(new Promise(() => undefined));
  await settle();
  const slow = one.far.hand(bob, text('slow'));
  await settle();
  clock.advance(HAND_MS);
  expect(await Promise.all(slow)).toEqual([false]);
  expect(one.troubles).toMatchObject([{ code: 'peer-timeout' }]);
  const dying = one.far.hand(bob, text('dying'));
  await settle();
  await two.peers.close();
  expect(await Promise.all(dying)).toEqual([false]);
  expect(one.far.hand(bob, text('dead'))).toEqual([]);
  const { promise, reject } = Promise.withResolvers<boolean>();
  three.sets(promise);
  await settle();
  const broken = one.far.hand(bob, text('broken'));
  reject(new Error('a defect'));
  expect(await Promise.all(broken)).toEqual([false]);
  for (const { far } of all) far.close();
  expect(clock.pending).toBe(0);
});
