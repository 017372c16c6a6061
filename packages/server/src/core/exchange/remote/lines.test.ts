import { expect, test } from 'vitest';
import { type Device, type Node, users, World } from '../../../../../../test/kit/exchange-world.ts';
import { seeded } from '../../../../../../test/kit/scale.ts';
import type { Message } from '../../conversations/index.ts';
import type { MessageId } from '../../journal/index.ts';
import { deferred } from '../../../kit/index.ts';
import { type ChatLine, createChatLine } from '../chat-line.ts';
import type { Exchange } from '../index.ts';

// Alice writes to bob, who has devices on two nodes. What is told of it is a message that the journal brings to each of them.

const [alice, bob] = users as [(typeof users)[0], (typeof users)[0]];
const message = (id: string): Message =>
  ({ id: id as MessageId, sender: alice.id, recipient: bob.id, body: id }) as Message;

function lineOf(world: World, device: Device, exchange: Exchange = device.node.exchange): ChatLine {
  const directory = {
    party: ({ value }: { value: string }) => Promise.resolve(users.find(({ id }) => id === value) ?? null),
  };
  return createChatLine({ endpoint: device, exchange, directory, clock: world.clock });
}

/** What becomes of a text at this device; null: nothing yet. */
function deliver(line: ChatLine, id: string): { result: boolean | null } {
  const outcome: { result: boolean | null } = { result: null };
  void Promise.resolve(line.deliver(message(id), null)).then((result) => (outcome.result = result));
  return outcome;
}

function accept(device: Device): void {
  const end = device.ends.findLast(({ phase }) => phase === 'ringing');
  expect(end).toBeDefined();
  end!.phase = 'connecting';
  end!.leg!.connect([]);
}

async function two(): Promise<{ world: World; near: Device; far: Device; nodes: readonly [Node, Node] }> {
  const world = new World(seeded(1));
  const nodes = [world.join(), world.join()] as const;
  const [near, far] = [world.register(nodes[0], bob), world.register(nodes[1], bob)];
  await world.pass(200);
  return { world, near, far, nodes };
}

test.each(['the node of the text', 'the node that dies'] as const)(
  'a chat of %s that another node’s device has: its texts are passed over once that node has said so, and come here when it is dead',
  async (owner) => {
    const { world, near, far, nodes } = await two();
    const phone = world.register(nodes[owner === 'the node of the text' ? 0 : 1], alice);
    await world.pass(200);
    phone.call(bob, false);
    await world.pass(200);
    accept(far);
    await world.pass(200);
    const line = lineOf(world, near);
    const passed = ['1', '2', '3'].map((id) => deliver(line, id));
    await world.pass(300);
    expect(passed).toEqual([{ result: false }, { result: false }, { result: false }]);
    // Nobody hears of the other node any more, and nobody has missed it yet.
    world.network.isCut = true;
    const late = ['4', '5'].map((id) => deliver(line, id));
    await world.pass(5_000);
    expect(late).toEqual([{ result: null }, { result: null }]);
    expect(near.ends.filter(({ phase }) => phase === 'ringing')).toEqual([]);
    await world.pass(30_000);
    accept(near);
    await world.pass(500);
    expect(late).toEqual([{ result: true }, { result: true }]);
    expect(near.texts.map(({ id }) => id)).toEqual(['4', '5']);
  },
);

test('an answer that comes with the end of its chat serves all texts before the question: none calls this device', async () => {
  const { world, near, far, nodes } = await two();
  const phone = world.register(nodes[0], alice);
  await world.pass(200);
  phone.call(bob, false);
  await world.pass(200);
  accept(far);
  await world.pass(200);
  const answer = deferred<boolean>();
  const line = lineOf(world, near, { ...nodes[0].exchange, hasIt: () => answer.promise });
  const passed = ['1', '2', '3'].map((id) => deliver(line, id));
  await world.pass(200);
  const before = near.ends.length;
  answer.resolve(true);
  phone.release(phone.ends[0]!, 16);
  await world.pass(200);
  expect(passed).toEqual([{ result: false }, { result: false }, { result: false }]);
  expect(near.ends.length).toBe(before);
});

test('the other node goes while its device is called: the text is for the device that is left', async () => {
  const { world, near, far, nodes } = await two();
  const phone = world.register(nodes[1], alice);
  await world.pass(200);
  phone.call(bob, false);
  await world.pass(200);
  const line = lineOf(world, near);
  const waiting = deliver(line, '1');
  await world.pass(200);
  await nodes[1].close();
  await world.pass(200);
  expect(waiting).toEqual({ result: null });
  accept(near);
  await world.pass(200);
  expect([waiting.result, near.texts.length, far.texts.length]).toEqual([true, 1, 0]);
});

test('who calls and hangs up has not read for the other; who refuses, or lets it ring, has', async () => {
  const world = new World(seeded(1));
  const node = world.join();
  const [phone, device] = [world.register(node, alice), world.register(node, bob)];
  const line = lineOf(world, device);
  phone.call(bob, false);
  const first = deliver(line, '1');
  await world.pass(100);
  phone.release(phone.ends[0]!, 16);
  await world.pass(100);
  accept(device);
  await world.pass(100);
  expect([first.result, device.ends.length]).toEqual([true, 2]);
  device.release(device.ends[1]!, 16);
  const second = deliver(line, '2');
  await world.pass(100);
  device.release(device.ends[2]!, 16);
  await world.pass(100);
  expect([second.result, device.ends.length]).toEqual([false, 3]);
  const third = deliver(line, '3');
  await world.pass(40_000);
  expect([third.result, device.ends.length]).toEqual([false, 4]);
  expect(device.texts.map(({ id }) => id)).toEqual(['1']);
});

test('a call of the owner’s own that the other refuses says nothing about texts of the other: the PBX calls', async () => {
  const world = new World(seeded(1));
  const node = world.join();
  const [phone, device] = [world.register(node, alice), world.register(node, bob)];
  const line = lineOf(world, device);
  device.call(alice, false);
  const waiting = deliver(line, '1');
  await world.pass(100);
  phone.release(phone.ends[0]!, 21);
  await world.pass(100);
  expect(waiting.result).toBeNull();
  accept(device);
  await world.pass(100);
  expect([waiting.result, device.texts.length]).toEqual([true, 1]);
});

test('a chat that the store has answered, and that is over for this device, waits for nothing', async () => {
  const { world, near, nodes } = await two();
  const phone = world.register(nodes[1], alice);
  await world.pass(200);
  phone.call(bob, true);
  await world.pass(200);
  const line = lineOf(world, near);
  const waiting = deliver(line, '1');
  await world.pass(35_000);
  // It rang for half a minute, and stands without anybody.
  expect([waiting.result, nodes[0].exchange.size]).toEqual([false, 1]);
  const again = deliver(line, '2');
  await world.pass(1_000);
  expect(again.result).toBe(false);
});

test('a device that is gone waits for nothing and calls nobody', async () => {
  const { world, near, far } = await two();
  const line = lineOf(world, near);
  const waiting = deliver(line, '1');
  await world.pass(200);
  near.close();
  far.close();
  await world.pass(200);
  expect([waiting.result, near.node.exchange.size]).toEqual([false, 0]);
});
