import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ChatApiClient, type EventLog } from '../kit/chat-api-client.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { device, setUp, signalsOf, textsOf } from '../kit/chat-devices.ts';
import type { PbxApp } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';

// Texts between users whose devices are on two nodes: what apps see is what they see on one.

let cluster: Nodes;
let [one, two] = [0, 0];
beforeAll(async () => {
  cluster = await startNodes(2);
  [one, two] = cluster.nodes.map(({ port }) => port) as [number, number];
});
afterEach(() => until(() => sizes().every((size) => size === 0), 'all calls to end on all nodes'));
afterAll(() => cluster[Symbol.asyncDispose]());

const sizes = (): number[] => cluster.nodes.map(({ core }) => core.exchange.size);

test('texts before the answer are kept, in order, at both ends', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  setUp(alice, 1, 'bob');
  await alice.takeSignal('call_proc', 1);
  const words = ['one', 'two', 'three', 'four'];
  for (const text of words) alice.say(1, text);
  const { call } = await bob.takeSignal('setup');
  bob.signal(call, { type: 'conn' });
  for (const text of words) bob.say(call, text);
  await until(() => bob.texts.length === 4 && alice.texts.length === 4);
  expect([textsOf(bob), textsOf(alice)]).toEqual([words, words]);
});

test('glare: both call each other at once from two nodes; texts go both ways', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  alice.acceptChats();
  bob.acceptChats();
  setUp(alice, 1, 'bob');
  setUp(bob, 1, 'alice');
  await Promise.all([alice.takeSignal('conn', 1), bob.takeSignal('conn', 1)]);
  alice.say(1, 'from alice');
  bob.say(1, 'from bob');
  await until(() => alice.texts.length === 1 && bob.texts.length === 1);
  await until(() => sizes().join() === '2,2');
  expect([textsOf(alice), textsOf(bob)]).toEqual([['from bob'], ['from alice']]);
  alice.signal(1, { type: 'rel' });
  await bob.takeSignal('rel');
  bob.say(1, 'still there');
  await until(() => alice.texts.length === 2);
});

test('one id and one order, on whatever node and surface', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  bob.acceptChats();
  const [first, second] = cluster.nodes.map(({ url }) => url);
  const [atTwo, atOne] = [await ChatApiClient.signIn(second!, 'alice'), await ChatApiClient.signIn(first!, 'bob')];
  await using alices = await atTwo.events();
  await using bobs = await atOne.events();
  await alice.callChat(1, 'bob');
  const { call } = await bob.takeSignal('setup');
  for (let i = 0; i < 30; i++) {
    alice.say(1, `a${i}`);
    bob.say(call, `b${i}`);
  }
  const order = (log: EventLog): string[] =>
    log.of('chat', 'sent').flatMap(({ data }) => (/^[ab]\d+$/.test(data.body) ? [String(data.id)] : []));
  await until(() => order(alices).length === 60 && order(bobs).length === 60);
  expect(order(alices)).toEqual(order(bobs));
  await until(() => alice.texts.length === 30 && bob.texts.length === 30);
  const idsOf = (app: PbxApp): unknown[] => app.texts.map((text) => text['id']);
  expect(idsOf(bob)).toEqual(order(bobs).filter((id) => idsOf(bob).includes(id)));
  expect(idsOf(alice)).toEqual(order(alices).filter((id) => idsOf(alice).includes(id)));
  expect(new Set([...idsOf(alice), ...idsOf(bob)])).toEqual(new Set(order(alices)));
});

test('a stored text reaches devices on two nodes by exactly one call that the PBX starts', async () => {
  await using near = await device(one, 'bob');
  await using far = await device(two, 'bob');
  const [first] = cluster.nodes.map(({ url }) => url);
  // Which node decides differs by pair.
  for (const name of ['alice', 'carol', 'admin']) {
    const sender = await ChatApiClient.signIn(first!, name);
    await using events = await sender.events();
    const before = [near, far].map((app) => signalsOf(app, 'setup').length);
    await sender.say('bob', `${name} 1`);
    await sender.say('bob', `${name} 2`);
    const offers = await Promise.all([near, far].map((app) => app.takeSignal('setup')));
    const winner = name === 'carol' ? 0 : 1;
    const [taker, other] = winner === 0 ? [near, far] : [far, near];
    taker.signal(offers[winner]!.call, { type: 'conn' });
    expect((await other.takeSignal('rel', offers[1 - winner]!.call)).sig['cau']).toEqual({ num: 26 });
    await sender.say('bob', `${name} 3`);
    await until(() => textsOf(taker).filter((text) => String(text).startsWith(name)).length === 3);
    taker.say(offers[winner]!.call, `to ${name}`);
    await until(() => events.bodies.includes(`to ${name}`));
    expect([near, far].map((app) => signalsOf(app, 'setup').length)).toEqual(before.map((count) => count + 1));
    expect(textsOf(other).filter((text) => String(text).startsWith(name))).toEqual([]);
    expect(textsOf(taker).slice(-3)).toEqual([1, 2, 3].map((i) => `${name} ${i}`));
    taker.signal(offers[winner]!.call, { type: 'rel' });
    await until(() => sizes().join() === '0,0');
  }
});

test('a text comes on the call that stands, not on another one, whichever node it is on', async () => {
  await using alice = await device(one, 'alice');
  await using near = await device(one, 'bob');
  await using far = await device(two, 'bob');
  setUp(near, 1, 'alice');
  const { call } = await alice.takeSignal('setup');
  alice.signal(call, { type: 'conn' });
  await near.takeSignal('conn', 1);
  const sender = await ChatApiClient.signIn(cluster.nodes[1]!.url, 'alice');
  await sender.say('bob', 'on the standing call');
  await until(() => near.texts.length === 1);
  await sender.say('bob', 'again');
  await until(() => near.texts.length === 2);
  expect(signalsOf(far, 'setup')).toEqual([]);
});
