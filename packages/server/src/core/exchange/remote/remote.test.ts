import { expect, test } from 'vitest';
import { users, World } from '../../../../../../test/kit/exchange-world.ts';
import { scaled, seeded, seedOf } from '../../../../../../test/kit/scale.ts';
import type { Draft } from '../../conversations/index.ts';
import type { ConferenceId } from '../model.ts';
import { type Exchange, partyOf } from '../service.ts';
import type { StandingCall } from '../standing-call.ts';

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
    .flatMap((a) => users.flatMap((b) => [...exchange.callsBetween(a.id, b.id)]))
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
  expect(one.exchange.callsBetween(users[0]!.id, users[1]!.id).size).toBe(1);
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
