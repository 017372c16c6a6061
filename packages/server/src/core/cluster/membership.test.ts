import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/index.ts';
import { joinCluster, LEASE_MS, type Membership, type MembershipParts } from './membership.ts';
import type { NodeId } from './peers.ts';
import type { ClusterUnits, KnownNode, Renewal } from './ports.ts';

const [a, b] = ['a', 'b'] as [string, string] as readonly string[] as readonly [NodeId, NodeId];

/** What the store keeps of nodes, in memory; `isAway` makes it fail. */
class Nodes {
  readonly clock = new ManualClock();
  readonly known = new Map<NodeId, KnownNode & { readonly until: number }>();
  readonly roles = new Map<string, NodeId>();
  readonly troubles: unknown[] = [];
  isAway = false;

  async write<K extends keyof ClusterUnits>(kind: K, input: ClusterUnits[K]['input']): Promise<never> {
    if (this.isAway) throw new Error('away');
    return this.#apply(kind, input) as never;
  }

  join(self: NodeId, more: Partial<MembershipParts> = {}): Promise<Membership> {
    const onTrouble = (error: unknown): void => void this.troubles.push(error);
    return joinCluster({ store: this, clock: this.clock, self, bus: 'bus', isAlone: false, onTrouble, ...more });
  }

  #apply(kind: keyof ClusterUnits, input: object): Renewal | null {
    const { node } = input as { node: NodeId };
    if (kind !== 'cluster.renew') {
      for (const [role, holder] of this.roles)
        if (holder === node && (kind === 'cluster.leave' || role === (input as { role: string }).role))
          this.roles.delete(role);
      if (kind === 'cluster.leave') this.known.delete(node);
      return null;
    }
    const { bus, leaseMs, roles } = input as ClusterUnits['cluster.renew']['input'];
    for (const [id, { until }] of this.known) if (until < this.clock.now()) this.#apply('cluster.leave', { node: id });
    this.known.set(node, { node, bus, until: this.clock.now() + leaseMs });
    for (const role of roles) if (!this.roles.has(role)) this.roles.set(role, node);
    return {
      roles: Object.fromEntries(roles.map((role) => [role, this.roles.get(role)!])),
      others: [...this.known.values()]
        .filter((other) => other.node !== node)
        .map(({ node: id, bus: on }) => ({ node: id, bus: on })),
    };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function advance(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await turn();
  }
}

test('a role is held by one; it goes on when its holder resigns, ends or falls silent', async () => {
  const nodes = new Nodes();
  const [first, second] = [await nodes.join(a), await nodes.join(b)];
  const told: string[] = [];
  first.seek('phone', (holder) => void told.push(`a hears ${holder}`));
  await turn();
  second.seek('phone', (holder) => void told.push(`b hears ${holder}`));
  await turn();
  expect(told.splice(0)).toEqual(['a hears a', 'b hears a']);
  expect(second.living).toEqual(new Set([a, b]));
  await first.resign();
  await advance(nodes.clock, 3_000);
  expect(told.splice(0)).toEqual(['a hears null', 'b hears b']);
  await first.close();
  await advance(nodes.clock, 3_000);
  expect(second.living).toEqual(new Set([b]));
  await second.close();
  expect(nodes.clock.pending).toBe(0);
  expect(nodes.troubles).toEqual([]);
});

test('a role that falls to a node while it resigns goes on at once', async () => {
  const nodes = new Nodes();
  const [first, second] = [await nodes.join(a), await nodes.join(b)];
  first.seek('phone', () => undefined);
  // The renewal that asks for the role is under way.
  await first.resign();
  expect(nodes.roles.size).toBe(0);
  second.seek('phone', () => undefined);
  await turn();
  expect(second.held).toEqual(new Set(['phone']));
  for (const node of [first, second]) await node.close();
});

test('a node that cannot reach the store lets go before others may take over, and comes back', async () => {
  const nodes = new Nodes();
  const own = await nodes.join(a);
  const holders: unknown[] = [];
  own.seek('phone', (holder) => void holders.push(holder));
  await turn();
  const lives: boolean[] = [];
  own.liveness.add((isLive) => lives.push(isLive));
  nodes.isAway = true;
  await advance(nodes.clock, LEASE_MS - 1_500);
  expect([holders, lives, own.isLive]).toEqual([[a], [], true]);
  await advance(nodes.clock, 1_000);
  expect([holders, lives, own.isLive, own.holderOf('phone')]).toEqual([[a, null], [false], false, null]);
  expect([...nodes.known.values()][0]!.until).toBeGreaterThan(nodes.clock.now());
  nodes.isAway = false;
  await advance(nodes.clock, 3_000);
  expect([holders, lives]).toEqual([
    [a, null, a],
    [false, true],
  ]);
  await own.close();
});

test('a node that has no bus in common with a living one does not start', async () => {
  const nodes = new Nodes();
  const own = await nodes.join(a);
  await refused(nodes, { bus: null });
  await refused(nodes, { bus: 'other' });
  expect([...nodes.known.keys()]).toEqual([a]);
  await own.close();
  await nodes.join(a, { bus: null });
  await refused(nodes, { bus: null });
});

async function refused(nodes: Nodes, parts: Partial<MembershipParts>): Promise<void> {
  const joining = expect(nodes.join(b, parts)).rejects.toMatchObject({ code: 'lonely-node' });
  await advance(nodes.clock, 2 * LEASE_MS);
  await joining;
}

test('a node on no bus that comes again after a crash waits for its own lease to run out', async () => {
  const nodes = new Nodes();
  nodes.known.set(a, { node: a, bus: null, until: nodes.clock.now() + LEASE_MS });
  const said: string[] = [];
  const log = { info: (event: string) => void said.push(event), warn: (event: string) => void said.push(event) };
  const joining = nodes.join(b, { bus: null, log });
  await advance(nodes.clock, LEASE_MS + 3_000);
  const own = await joining;
  expect([...nodes.known.keys()]).toEqual([b]);
  expect(new Set(said)).toEqual(new Set(['cluster.lease-awaited']));
  own.seek('phone', () => undefined);
  await turn();
  expect([...own.held]).toEqual(['phone']);
  nodes.isAway = true;
  await advance(nodes.clock, LEASE_MS);
  expect([said.slice(-3), own.held.size]).toEqual([
    ['cluster.role-gained', 'cluster.role-lost', 'cluster.lease-lost'],
    0,
  ]);
  await own.close();
});

test('the one owner of its store renews nothing', async () => {
  const nodes = new Nodes();
  const own = await nodes.join(a, { isAlone: true, bus: null });
  const holders: unknown[] = [];
  own.seek('phone', (holder) => void holders.push(holder));
  await turn();
  expect([holders, nodes.clock.pending]).toEqual([[a], 0]);
  await own.close();
  expect(nodes.known.size).toBe(0);
});

test('what was alone is put down before the role is given away', async () => {
  const nodes = new Nodes();
  const own = await nodes.join(a);
  const { promise: done, resolve } = Promise.withResolvers<void>();
  own.seek('phone', (holder) => (holder === null ? done : undefined));
  await turn();
  const resigned = own.resign();
  await turn();
  expect(nodes.roles.get('phone')).toBe(a);
  resolve();
  await resigned;
  expect(nodes.roles.size).toBe(0);
  await own.close();
});

test('who has left is told once; a node that lost its own lease takes nobody for dead', async () => {
  const nodes = new Nodes();
  const [first, second] = [await nodes.join(a), await nodes.join(b)];
  const gone: NodeId[] = [];
  first.gone.add((node) => gone.push(node));
  first.refresh();
  await turn();
  nodes.isAway = true;
  await advance(nodes.clock, LEASE_MS);
  expect([gone, first.isLive]).toEqual([[], false]);
  nodes.isAway = false;
  await advance(nodes.clock, 3_000);
  expect(gone).toEqual([]);
  await second.close();
  first.refresh();
  await turn();
  first.refresh();
  await turn();
  expect(gone).toEqual([b]);
  await first.close();
});

test('a lease is over by the clock, whether or not a timer has said so', async () => {
  const nodes = new Nodes();
  const stuck = { now: () => nodes.clock.now(), after: () => ({ cancel: () => undefined }) };
  const own = await nodes.join(a, { clock: stuck });
  expect(own.isLive).toBe(true);
  nodes.clock.advance(LEASE_MS);
  expect(own.isLive).toBe(false);
  await own.close();
});
