import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { device, setUp } from '../kit/chat-devices.ts';
import type { PbxApp } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';

// A node goes without a word, in each phase of calls that it has a part in.

let cluster: Nodes;
beforeAll(async () => {
  cluster = await startNodes(2);
});
afterEach(async () => {
  await until(() => cluster.nodes.every(({ core }) => core.exchange.size === 0), 'all calls to end');
  while (cluster.nodes.length < 2) await cluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

test('the callee’s node dies: offered, alerting, connected', async () => {
  const [one] = cluster.nodes;
  await using alice = await device(one!.port, 'alice');
  for (const phase of ['offered', 'alerting', 'connected']) {
    const two = cluster.nodes[1]!;
    const dora = await device(two.port, 'dora');
    setUp(alice, 1, 'dora');
    const { call } = await dora.takeSignal('setup');
    if (phase !== 'offered') dora.signal(call, { type: 'alert' });
    if (phase === 'alerting') await alice.takeSignal('alert', 1);
    if (phase === 'connected') {
      dora.signal(call, { type: 'conn' });
      await alice.takeSignal('conn', 1);
    }
    await cluster.kill(two);
    expect([phase, (await alice.takeSignal('rel', 1)).sig['cau']]).toEqual([phase, { num: 27 }]);
    await cluster.start();
  }
});

test('the node of one of several devices dies while they are offered: the others go on', async () => {
  const [one, two] = cluster.nodes;
  const three = await cluster.start();
  await using alice = await device(one!.port, 'alice');
  await device(two!.port, 'dora');
  await using far = await device(three.port, 'dora');
  setUp(alice, 1, 'dora');
  const { call } = await far.takeSignal('setup');
  await cluster.kill(two!);
  await until(() => cluster.nodes.every(({ core }) => core.cluster.peers.others.size === 1));
  far.signal(call, { type: 'conn' });
  await alice.takeSignal('conn', 1);
  far.signal(call, { type: 'rel', cau: { num: 16 } });
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 16 });
});

test('the caller’s node dies: its calls end at the devices of the others', async () => {
  const [, two] = cluster.nodes;
  await using offered = await device(two!.port, 'dora');
  await using connected = await device(two!.port, 'bob');
  connected.acceptChats();
  const alice = await device(cluster.nodes[0]!.port, 'alice');
  setUp(alice, 1, 'dora');
  await alice.callChat(2, 'bob');
  await Promise.all([offered.takeSignal('setup'), connected.takeSignal('setup')]);
  await until(() => two!.core.exchange.size === 2);
  await cluster.kill(cluster.nodes[0]!);
  for (const app of [offered, connected]) expect((await app.takeSignal('rel')).sig['cau']).toEqual({ num: 27 });
});

test('the node that the PBX called from dies: the next text comes on a call of another node', async () => {
  const [one, two] = cluster.nodes;
  const apps = await Promise.all([device(one!.port, 'bob'), device(two!.port, 'bob')]);
  const carol = await ChatApiClient.signIn(two!.url, 'carol');
  await carol.say('bob', 'first');
  const offers = await Promise.all(apps.map((app) => app.takeSignal('setup')));
  apps[1].signal(offers[1]!.call, { type: 'conn' });
  await until(() => apps[1].texts.length === 1);
  await cluster.kill(one!);
  await carol.say('bob', 'second');
  await until(() => {
    for (const { call } of offersOf(apps[1]).slice(1)) apps[1].signal(call, { type: 'conn' });
    return apps[1].texts.some((text) => text['data'] === 'second');
  });
  await apps[1].close();
});

function offersOf(app: PbxApp): { call: number }[] {
  return app.received
    .filter((m) => (m['sig'] as { type?: string } | undefined)?.type === 'setup')
    .map((m) => ({ call: Number(m['call']) }));
}
