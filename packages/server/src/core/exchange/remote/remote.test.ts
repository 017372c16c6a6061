import { expect, test } from 'vitest';
import { FlakyNetwork } from '../../../../../../test/kit/flaky-peers.ts';
import { scaled, seeded, seedOf } from '../../../../../../test/kit/scale.ts';
import { ManualClock, randomIds, type Stop } from '../../../kit/index.ts';
import type { Draft } from '../../conversations/index.ts';
import type { User } from '../../directory/index.ts';
import type { UserId } from '../../journal/index.ts';
import type { CallKind, Cause, ConferenceId, EndpointId } from '../model.ts';
import type { Endpoint, Leg, LegUser } from '../ports.ts';
import { createExchange, type Exchange, partyOf } from '../service.ts';
import type { StandingCall } from '../standing-call.ts';

const users = ['alice', 'bob', 'carol'].map((name): User => ({
  id: name as UserId,
  ...{ name, displayName: name, cn: name, number: null, email: null },
  ...{ isAdmin: false, hasStorage: true, isLocked: false, apps: [] },
}));

/** One end of a call as its device knows it. */
interface End {
  readonly device: Device;
  readonly conference: ConferenceId;
  readonly isCaller: boolean;
  leg: Leg | null;
  phase: 'ringing' | 'connecting' | 'connected' | 'over';
  cause: Cause | null;
}

class Device implements Endpoint {
  readonly id = randomIds.guid() as EndpointId;
  readonly owner: UserId;
  readonly actor = { kind: 'server' } as const;
  readonly resource = this.id;
  readonly user: User;
  readonly node: Node;
  readonly ends: End[] = [];
  unregister: Stop = () => undefined;

  constructor(user: User, node: Node) {
    this.user = user;
    this.owner = user.id;
    this.node = node;
  }

  takes(): boolean {
    return true;
  }

  offer(leg: Leg): LegUser {
    const end = this.#end(leg.setup.conference, false);
    end.leg = leg;
    return this.#userOf(end);
  }

  call(to: User, isTaken: boolean): void {
    const end = this.#end('' as ConferenceId, true);
    const ask = { kind: 'chat' as CallKind, body: [], caller: partyOf(this.user), isTaken };
    const leg = this.node.exchange.call(this, to, ask, this.#userOf(end));
    Object.assign(end, { leg, conference: leg.setup.conference });
  }

  #end(conference: ConferenceId, isCaller: boolean): End {
    const end: End = { device: this, conference, isCaller, leg: null, phase: 'ringing', cause: null };
    this.ends.push(end);
    return end;
  }

  #userOf(end: End): LegUser {
    const nothing = (): void => undefined;
    return {
      ...{ proceeding: nothing, alerting: nothing, relayed: nothing, chatState: nothing },
      ...{ text: nothing, textFailed: nothing, textTaken: nothing },
      connected: () => (end.phase = 'connected'),
      released(cause) {
        expect(end.phase).not.toBe('over');
        Object.assign(end, { phase: 'over', cause });
      },
    };
  }

  close(): void {
    for (const end of this.ends) this.release(end, 16);
    this.unregister();
  }

  release(end: End, cause: Cause): void {
    if (end.phase === 'over') return;
    end.phase = 'over';
    end.leg?.release(cause, []);
  }
}

interface Node {
  readonly exchange: Exchange;
  readonly devices: Device[];
  close(): Promise<void>;
}

class World {
  readonly clock = new ManualClock();
  readonly said: { readonly from: UserId; readonly draft: Draft }[] = [];
  readonly troubles: unknown[] = [];
  readonly network: FlakyNetwork;
  readonly nodes: Node[] = [];

  constructor(random: () => number) {
    this.network = new FlakyNetwork(this.clock, random);
  }

  join(): Node {
    const peers = this.network.join(randomIds.guid());
    const exchange = createExchange({
      conversations: {
        send: (_actor, from, draft) => {
          this.said.push({ from, draft });
          return new Promise(() => undefined);
        },
        typing: () => undefined,
      },
      ...{ peers, clock: this.clock, ids: randomIds, onTrouble: (error: unknown) => void this.troubles.push(error) },
    });
    const node: Node = {
      exchange,
      devices: [],
      async close() {
        await peers.close();
        exchange.close();
        for (const device of node.devices) device.close();
      },
    };
    this.nodes.push(node);
    return node;
  }

  register(node: Node, user: User): Device {
    const device = new Device(user, node);
    device.unregister = node.exchange.register(device);
    node.devices.push(device);
    return device;
  }

  async pass(ms: number): Promise<void> {
    const step = Math.max(20, ms / 300);
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(step);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  ends(): readonly End[] {
    return this.nodes
      .flatMap(({ devices }) => devices.flatMap(({ ends }) => ends))
      .filter(({ phase }) => phase !== 'over');
  }
}

const draft = (body: string): Omit<Draft, 'to' | 'resource'> => ({
  ...{ type: 'text/plain', body, attach: [], data: null, idempotencyKey: null },
});

test('what is lost on the way is said again: nobody notices', async () => {
  const world = new World(seeded(seedOf('exchange links')));
  const [one, two] = [world.join(), world.join()];
  await world.pass(100);
  const alice = world.register(one, users[0]!);
  Object.assign(world.network, { loss: 0.4, lossesAtMost: 2 });
  const bob = world.register(two, users[1]!);
  await world.pass(9_000);
  alice.call(users[1]!, false);
  await world.pass(9_000);
  const [end] = bob.ends;
  end!.leg!.connect([]);
  for (let i = 0; i < 20; i++) end!.leg!.text(draft(`${i}`));
  await world.pass(9_000);
  expect(alice.ends.map(({ phase }) => phase)).toEqual(['connected']);
  expect(world.said.map((text) => text.draft.body)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  end!.leg!.release(16, []);
  await world.pass(9_000);
  expect(alice.ends.map(({ cause }) => cause)).toEqual([16]);
  expect([one.exchange.size, two.exchange.size, world.troubles]).toEqual([0, 0, []]);
});

test('a node that nobody can reach loses what stands with it at both sides, and finds back', async () => {
  const world = new World(seeded(1));
  const [one, two] = [world.join(), world.join()];
  const [alice, bob] = [world.register(one, users[0]!), world.register(two, users[1]!)];
  await world.pass(200);
  alice.call(users[1]!, false);
  await world.pass(200);
  bob.ends[0]!.leg!.connect([]);
  await world.pass(200);
  world.network.loss = 1;
  await world.pass(15_000);
  expect([alice.ends[0], bob.ends[0]]).toMatchObject([{ cause: 27 }, { cause: 27 }]);
  world.network.loss = 0;
  await world.pass(3_000);
  alice.call(users[1]!, false);
  await world.pass(200);
  expect(bob.ends.at(-1)).toMatchObject({ phase: 'ringing' });
});

test('random plays with loss, delays and deaths: the ends of each call agree, and nothing is left', async () => {
  const random = seeded(seedOf('exchange plays'));
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  for (let round = 0; round < scaled({ verify: 5, soak: 200 }); round++) {
    const world = new World(random);
    for (let i = 0; i < 3; i++) world.join();
    for (let step = 0; step < 250; step++) {
      world.network.loss = step % 60 < 30 ? 0 : 0.25;
      await act(world, random(), pick);
      await world.pass(20 + Math.floor(random() * 60));
    }
    world.network.loss = 0;
    await world.pass(60_000);
    for (const [conference, ends] of Map.groupBy(world.ends(), (end) => end.conference)) {
      const calls = ends.map(({ device }) => callOf(device.node.exchange, conference));
      const winners = ends.filter(({ phase }) => phase === 'connecting').map(({ device }) => device.id);
      // All nodes agree: the one that has accepted has it, and who else is still there calls, or is the caller.
      for (const call of calls) expect(call?.winnerEndpoint ?? null).toBe(winners[0] ?? null);
      expect(winners.length).toBeLessThanOrEqual(1);
      if (winners.length === 1) expect(ends.filter(({ isCaller }) => !isCaller).length).toBe(1);
      if (winners.length === 0) expect(ends.map(({ isCaller }) => isCaller)).toEqual([true]);
    }
    for (const { devices } of world.nodes) for (const device of devices) device.close();
    await world.pass(10_000);
    expect(world.nodes.map(({ exchange }) => exchange.size)).toEqual(world.nodes.map(() => 0));
    expect(world.troubles).toEqual([]);
    for (const node of world.nodes) await node.close();
    await world.pass(10_000);
    expect(world.clock.pending).toBe(0);
  }
}, 600_000);

function callOf(exchange: Exchange, conference: ConferenceId): StandingCall | undefined {
  return users
    .flatMap((a) => users.flatMap((b) => exchange.callsBetween(a.id, b.id)))
    .find(({ setup }) => setup.conference === conference);
}

async function act(world: World, chance: number, pick: <T>(list: readonly T[]) => T | undefined): Promise<void> {
  const node = pick(world.nodes)!;
  const device = pick(node.devices);
  const end = pick(world.ends());
  if (chance < 0.2) void world.register(node, pick(users)!);
  else if (chance < 0.25 && device !== undefined) {
    device.close();
    node.devices.splice(node.devices.indexOf(device), 1);
  } else if (chance < 0.4 && device !== undefined) {
    const to = pick(users.filter(({ id }) => id !== device.owner))!;
    device.call(to, chance < 0.3);
  } else if (chance < 0.5 && device !== undefined) {
    const from = pick(users.filter(({ id }) => id !== device.owner))!;
    void node.exchange.callFor(partyOf(from), partyOf(device.user));
  } else if (chance < 0.52 && world.nodes.length > 2) {
    world.nodes.splice(world.nodes.indexOf(node), 1);
    await node.close();
    world.join();
  } else if (end !== undefined && end.leg !== null) {
    if (chance > 0.9) end.device.release(end, 16);
    else if (!end.isCaller && end.phase === 'ringing') {
      end.phase = 'connecting';
      end.leg.connect([]);
    } else end.leg.text(draft('x'));
  }
}

test('a node that speaks before it is known to be there is heard once it is', async () => {
  const world = new World(seeded(1));
  const [one, two] = [world.join(), world.join()];
  const [alice, bob] = [world.register(one, users[0]!), world.register(two, users[1]!)];
  await world.pass(200);
  // The second node takes the first for gone, and then for come back; the first has noticed nothing.
  const [first, second] = [...world.network.nodes.values()];
  second!.down.emit(first!.self);
  await world.pass(5_000);
  bob.call(users[0]!, false);
  await world.pass(200);
  expect(bob.ends).toMatchObject([{ phase: 'over', cause: 20 }]);
  second!.up.emit(first!.self);
  await world.pass(3_000);
  bob.call(users[0]!, false);
  await world.pass(200);
  expect(alice.ends.at(-1)).toMatchObject({ phase: 'ringing' });
  expect(one.exchange.callsBetween(users[0]!.id, users[1]!.id).length).toBe(1);
  alice.ends.at(-1)!.leg!.connect([]);
  await world.pass(200);
  expect(bob.ends.at(-1)).toMatchObject({ phase: 'connected' });
});

test('a question that the other node does not understand holds no text up for ever', async () => {
  const world = new World(seeded(1));
  const [one, two] = [world.join(), world.join()];
  const devices = [world.register(one, users[0]!), world.register(two, users[0]!)];
  await world.pass(200);
  // Longer than a name that nodes take of each other.
  const odd = { ...partyOf(users[1]!), displayName: 'x'.repeat(2_000) };
  const taken: StandingCall[] = [];
  for (const { exchange } of [one, two])
    void Promise.resolve(exchange.callFor(odd, partyOf(users[0]!))).then((call) => taken.push(call));
  await world.pass(20_000);
  expect(taken.map(({ state }) => state.phase)).toEqual(['offering', 'offering']);
  expect(devices.map(({ ends }) => ends.length)).toEqual([1, 1]);
  expect(world.troubles.length).toBeGreaterThan(0);
  for (const device of devices) device.close();
  await world.pass(10_000);
  expect([one.exchange.size, two.exchange.size]).toEqual([0, 0]);
  for (const node of [one, two]) await node.close();
  await world.pass(10_000);
  expect(world.clock.pending).toBe(0);
});
