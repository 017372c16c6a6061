import { expect, test } from 'vitest';
import { LossyPeers } from '../../../../../test/kit/lossy-peers.ts';
import { scaled, seeded, seedOf } from '../../../../../test/kit/scale.ts';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { ManualClock, randomIds } from '../../kit/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import { decodeSessions, MAX_TOLD_SESSIONS } from './contribution.ts';
import { MAX_LINGERING, type PresenceLease } from './lease.ts';
import type { Presence, Show, StatedPresence } from './model.ts';
import type { PresenceQueries, PresenceUnits } from './ports.ts';
import { createPresence, LINGER_MS, type PresenceService, TELL_AGAIN_MS } from './service.ts';

const bob = 'bob' as UserId;
const server: Actor = { kind: 'server' };

/** Nodes on one store, and time that a test moves. */
class Cluster {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock, randomIds);
  readonly stated = new Map<UserId, StatedPresence[]>();
  readonly nodes: { readonly presence: PresenceService; readonly peers: LossyPeers }[] = [];

  join(): PresenceService {
    const peers = new LossyPeers(this.network.join());
    const presence = createPresence({ store: this.#store(), peers, clock: this.clock });
    this.nodes.push({ presence, peers });
    return presence;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      this.clock.advance(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #store() {
    const { stated } = this;
    return {
      async write<K extends keyof PresenceUnits>(_kind: K, { user, stated: item }: PresenceUnits[K]['input']) {
        const others = (stated.get(user) ?? []).filter(({ contact }) => contact !== item.contact);
        stated.set(user, [item, ...others]);
        return null;
      },
      read: async <K extends keyof PresenceQueries>(_kind: K, { user }: PresenceQueries[K]['input']) =>
        stated.get(user) ?? [],
    };
  }
}

async function watch(presence: PresenceService, user = bob): Promise<string[]> {
  const told: string[] = [];
  await presence.watch(server, user, ({ show, status }) => told.push(status === '' ? show : `${show} ${status}`));
  return told;
}

const shown = ({ show, status }: Presence): string => `${show} ${status}`;

test('a session on one node is seen on another; on a third that comes later too; a node that goes takes it along, later', async () => {
  const cluster = new Cluster();
  const [one, two] = [cluster.join(), cluster.join()];
  const told = await watch(two);
  const lease = one.lease(bob, 'r');
  lease.set('away', 'Lunch');
  await cluster.pass(100);
  expect(told).toEqual(['offline', 'away Lunch']);
  const third = await watch(cluster.join());
  await cluster.pass(TELL_AGAIN_MS);
  expect(third.at(-1)).toBe('away Lunch');
  one.close();
  await cluster.nodes[0]!.peers.close();
  await cluster.pass(LINGER_MS - 1_000);
  expect([told.at(-1), third.at(-1)]).toEqual(['away Lunch', 'away Lunch']);
  await cluster.pass(2_000);
  expect([told, third.at(-1)]).toEqual([['offline', 'away Lunch', 'offline'], 'offline']);
});

test('who comes back within the time is never seen to go: on the same node, on another, whatever breaks', async () => {
  const cluster = new Cluster();
  const [one, two] = [cluster.join(), cluster.join()];
  const told = [await watch(one), await watch(two)];
  const first = one.lease(bob, 'a');
  first.set('available', '');
  await cluster.pass(1_000);
  first.end('broken');
  await cluster.pass(3_000);
  const second = one.lease(bob, 'b');
  second.set('available', '');
  await cluster.pass(LINGER_MS);
  second.end('broken');
  await cluster.pass(3_000);
  const third = two.lease(bob, 'c');
  third.set('available', '');
  await cluster.pass(2 * LINGER_MS);
  expect(told).toEqual([
    ['offline', 'available'],
    ['offline', 'available'],
  ]);
  third.end('over');
  await cluster.pass(100);
  expect(told.map((all) => all.at(-1))).toEqual(['offline', 'offline']);
});

test('who does not come back is seen to go after a while; a node that stops leaves no timer', async () => {
  const cluster = new Cluster();
  const one = cluster.join();
  const told = await watch(one);
  const lease = one.lease(bob, 'a');
  lease.set('available', '');
  await cluster.pass(1_000);
  lease.end('broken');
  await cluster.pass(LINGER_MS - 500);
  expect(told).toEqual(['offline', 'available']);
  await cluster.pass(1_000);
  expect(told).toEqual(['offline', 'available', 'offline']);
  const again = one.lease(bob, 'b');
  again.set('available', '');
  again.end('broken');
  one.close();
  expect(cluster.clock.pending).toBe(0);
});

test('of very many broken sessions the oldest go at once', async () => {
  const cluster = new Cluster();
  const one = cluster.join();
  for (let i = 0; i <= 5 * MAX_LINGERING; i++) {
    const lease = one.lease(bob, `r-${i}`);
    lease.set('available', i === 0 ? 'the first' : '');
    lease.end('broken');
  }
  // The beat of the board, and those that linger.
  expect(cluster.clock.pending).toBe(1 + MAX_LINGERING);
});

test('changes of one user that come fast are told together, the newest last', async () => {
  const cluster = new Cluster();
  const one = cluster.join();
  const told = await watch(one);
  const lease = one.lease(bob, 'a');
  for (let i = 0; i < 100; i++) lease.set('available', `note ${i}`);
  const late = await watch(one);
  await cluster.pass(2 * TELL_AGAIN_MS);
  expect(told).toEqual(['offline', 'available note 0', 'available note 99']);
  expect(late.at(-1)).toBe('available note 99');
});

test('what is stated on one node is read anew on the others; what is seen meanwhile is what was known', async () => {
  const cluster = new Cluster();
  const [one, two] = [cluster.join(), cluster.join()];
  one.lease(bob, 'a').set('available', '');
  await cluster.pass(100);
  const told = await watch(two);
  await one.state(server, bob, { contact: 'tel:', activity: 'busy', note: 'In a meeting' });
  two.restated(bob);
  await cluster.pass(2 * TELL_AGAIN_MS);
  expect(told).toEqual(['available', 'dnd In a meeting']);
  expect(shown(await one.now(bob))).toBe('dnd In a meeting');
});

test('one session that two nodes know: the newer word counts, either’s being there, and a node that goes takes no word along', async () => {
  const cluster = new Cluster();
  const [one, two, three] = [cluster.join(), cluster.join(), cluster.join()];
  const since = cluster.clock.now();
  await cluster.pass(1_000);
  const here = one.lease(bob, 'stream', since);
  here.resume();
  const there = two.lease(bob, 'stream', since);
  there.resume();
  const told = await watch(three);
  here.set('away', 'Lunch');
  await cluster.pass(1_000);
  expect(told.at(-1)).toBe('away Lunch');
  here.suspend();
  await cluster.pass(1_000);
  expect(told.at(-1)).toBe('away Lunch');
  there.suspend();
  await cluster.pass(1_000);
  expect(told.at(-1)).toBe('offline');
  one.close();
  await cluster.nodes[0]!.peers.close();
  await cluster.pass(2 * LINGER_MS);
  there.resume();
  await cluster.pass(1_000);
  expect(told.at(-1)).toBe('away Lunch');
});

test('one session that two nodes know: the last word counts, also where the clock of the node of the word before is ahead', async () => {
  const cluster = new Cluster();
  const [one, two, three] = [cluster.join(), cluster.join(), cluster.join()];
  const told = await watch(three);
  one.lease(bob, 'stream', cluster.clock.now() + 60_000).resume();
  await cluster.pass(1_000);
  const there = two.lease(bob, 'stream', cluster.clock.now());
  there.set('dnd', 'Not now');
  await cluster.pass(1_000);
  expect([shown(await one.now(bob)), shown(await two.now(bob)), told.at(-1)]).toEqual(
    Array.from({ length: 3 }, () => 'dnd Not now'),
  );
});

test('one session that two nodes know: a node that has learned a word says it too, so that all keep it when its node goes', async () => {
  const cluster = new Cluster();
  const [one, two, three] = [cluster.join(), cluster.join(), cluster.join()];
  const since = cluster.clock.now();
  two.lease(bob, 'stream', since).resume();
  const here = one.lease(bob, 'stream', since);
  await cluster.pass(1_000);
  here.set('away', 'Lunch');
  await cluster.pass(1_000);
  one.close();
  await cluster.nodes[0]!.peers.close();
  await cluster.pass(2 * LINGER_MS);
  expect([shown(await two.now(bob)), shown(await three.now(bob))]).toEqual(['away Lunch', 'away Lunch']);
});

test('however many sessions with however long notes: they fit into a message, and the best decides', async () => {
  const cluster = new Cluster();
  const [one, two] = [cluster.join(), cluster.join()];
  for (let i = 0; i < 5 * MAX_TOLD_SESSIONS; i++) one.lease(bob, `r-${i}`).set('away', '\u0001'.repeat(2_000));
  one.lease(bob, 'best').set('chat', 'ask me');
  await cluster.pass(100);
  expect(shown(await two.now(bob))).toBe('chat ask me');
});

test('whatever news is lost, all nodes see everybody alike in the end', async () => {
  const random = seeded(seedOf('presence'));
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const cluster = new Cluster();
  const users = ['bob', 'carol', 'dora'] as string[] as UserId[];
  const shows: readonly Show[] = ['available', 'away', 'dnd', 'chat', 'xa'];
  const leases: PresenceLease[] = [];
  for (let i = 0; i < 3; i++) cluster.join();
  for (const { peers } of cluster.nodes) peers.isLost = () => random() < 0.3;
  for (let step = 0; step < scaled({ verify: 1_000, soak: 50_000 }); step++) {
    const { presence } = pick(cluster.nodes);
    const dice = random();
    if (dice < 0.3) leases.push(presence.lease(pick(users), pick(['stream', `r-${step}`]), cluster.clock.now()));
    else if (leases.length > 0 && dice < 0.7) pick(leases).set(pick(shows), `note ${step}`);
    else if (leases.length > 0 && dice < 0.8) pick(leases)[pick(['suspend', 'resume'] as const)]();
    else if (leases.length > 20)
      leases.splice(Math.floor(random() * leases.length), 1)[0]?.end(pick(['over', 'broken']));
    if (random() < 0.3) await cluster.pass(20 * Math.ceil(random() * 20));
  }
  for (const { peers } of cluster.nodes) peers.isLost = () => false;
  await cluster.pass(2 * LINGER_MS);
  for (const user of users) {
    const seen = await Promise.all(cluster.nodes.map(({ presence }) => presence.now(user)));
    expect(new Set(seen.map((presence) => JSON.stringify(presence))).size).toBe(1);
  }
});

test('what another version says of a session is read as far as it is known; what is no session is not read at all', () => {
  const read = decodeSessions([['r', 'pondering', 'Hm', 1, true]]);
  expect(read?.get('r')).toEqual({ show: 'available', status: 'Hm', at: 1, isThere: true });
  for (const json of [null, 'r', [null], [['r', 'away', '', 'now', true]]]) expect(decodeSessions(json)).toBeNull();
});
