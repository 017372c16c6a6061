import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { device, setUp, signalsOf, textsOf } from '../kit/chat-devices.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { type Json, PbxApp } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';

// What no store takes, between devices on two nodes: dora has no storage right, an App object neither.

let cluster: Nodes;
let [one, two] = [0, 0];
beforeAll(async () => {
  cluster = await startNodes(2);
  [one, two] = cluster.nodes.map(({ port }) => port) as [number, number];
});
afterEach(() => until(() => cluster.nodes.every(({ core }) => core.exchange.size === 0), 'all calls to end'));
afterAll(() => cluster[Symbol.asyncDispose]());

async function robot(port: number): Promise<PbxApp> {
  const app = await PbxApp.signIn(port, { app: 'chat' });
  expect((await app.register())['err']).toBeUndefined();
  return app;
}

const typingOf = (app: PbxApp): unknown[] =>
  signalsOf(app, 'facility')
    .flatMap((sig) => sig['fty'] as Json[])
    .filter((fty) => 'typing' in fty)
    .map((fty) => fty['typing']);

/**
 * Types until the other sees it. A node that has just heard of a session may lose chat states to it, and refuses volatile texts;
 * after this it knows.
 */
async function typeUntilSeen(app: PbxApp, call: number, other: PbxApp): Promise<void> {
  await until(() => {
    app.signal(call, { type: 'facility', fty: [{ type: 'im_message', typing: true }] });
    return typingOf(other).includes(true);
  }, 'typing to be seen');
}

/** A call that `taker` accepts, until the caller's node knows of its session; its id at both ends. */
async function meet(app: PbxApp, to: string, taker: PbxApp): Promise<readonly [number, number]> {
  setUp(app, 1, to);
  const { call } = await taker.takeSignal('setup');
  taker.signal(call, { type: 'conn' });
  await app.takeSignal('conn', 1);
  await typeUntilSeen(app, 1, taker);
  return [1, call];
}

test('typing goes both ways', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  const [, call] = await meet(alice, 'bob', bob);
  await typeUntilSeen(bob, call, alice);
});

test('texts before the answer wait for the device, and the winner alone gets them', async () => {
  await using alice = await device(one, 'alice');
  await using near = await device(one, 'dora');
  await using far = await device(two, 'dora');
  await meet(alice, 'dora', far);
  alice.signal(1, { type: 'rel' });
  await far.takeSignal('rel');
  setUp(alice, 2, 'dora');
  await alice.takeSignal('call_proc', 2);
  const words = ['one', 'two', 'three'];
  for (const text of words) alice.say(2, text);
  const { call } = await far.takeSignal('setup');
  far.signal(call, { type: 'conn' });
  await until(() => far.texts.length === 3);
  expect([textsOf(near), textsOf(far)]).toEqual([[], words]);
});

test('volatile chat: in order, with one id at both ends', async () => {
  await using dora = await device(one, 'dora', { resume: '' });
  await using bot = await robot(two);
  const [, call] = await meet(dora, 'chat', bot);
  await typeUntilSeen(bot, call, dora);
  for (let i = 0; i < 20; i++) {
    dora.say(1, `d${i}`, { idem: `d${i}` });
    bot.say(call, `b${i}`);
  }
  await until(() => bot.texts.length === 20 && dora.texts.length === 20);
  expect(textsOf(bot)).toEqual(Array.from({ length: 20 }, (_, i) => `d${i}`));
  expect(textsOf(dora)).toEqual(Array.from({ length: 20 }, (_, i) => `b${i}`));
  const results = (): Json[] =>
    signalsOf(dora, 'facility').flatMap((sig) =>
      (sig['fty'] as Json[]).filter((f) => f['type'] === 'im_message_result'),
    );
  await until(() => results().length === 20);
  expect(new Set(results().map((result) => result['id']))).toEqual(new Set(bot.texts.map((text) => text['id'])));
});

test('a volatile text goes to the device that has the call, and rings at no other', async () => {
  await using bot = await robot(one);
  await using near = await device(one, 'dora');
  await using far = await device(two, 'dora');
  await meet(bot, 'dora', far);
  bot.say(1, 'first');
  await until(() => far.texts.length === 1);
  expect([near, far].map((app) => signalsOf(app, 'setup').length)).toEqual([1, 1]);
  expect(near.texts).toEqual([]);
});
