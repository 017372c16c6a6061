import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../packages/server/src/main.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { type Json, PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

let cluster: Nodes;
beforeAll(async () => {
  // Longer than any of these tests waits for something.
  cluster = await startNodes(2, { TIELINE_PRESENCE_LINGER_MS: '60000' });
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** What a PBX app that has subscribed sees: the item of the PBX itself. */
async function watchOnPbx(app: PbxApp, call: number, whom: string): Promise<() => Json | undefined> {
  const setup = { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: whom } };
  app.signal(call, { ...setup, fty: [{ type: 'presence_subscribe' }] });
  await app.takeSignal('conn', call);
  return () =>
    app.received
      .filter((m) => m['call'] === call && (m['sig'] as Json)['type'] === 'facility')
      .flatMap((m) => ((m['sig'] as Json)['fty'] as Json[]).filter((item) => item['contact'] === 'im:'))
      .at(-1);
}

/** Everything that watchers of one user are told on one node. */
async function watchOn(node: Server, name: string): Promise<string[]> {
  const told: string[] = [];
  const user = await node.core.directory.requireUser({ by: 'name', value: name });
  await node.core.presence.watch({ kind: 'server' }, user.id, ({ show, status }) =>
    told.push(`${show} ${status}`.trim()),
  );
  return told;
}

const both = ({ nodes }: Nodes): readonly [Server, Server] => {
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new Error('two nodes are needed');
  return [one, two];
};

test('presence crosses nodes and surfaces: said on one, seen on all, also on a node that comes later', async () => {
  const [one, two] = both(cluster);
  await using alice = await PbxApp.signIn(one.port, { sip: 'alice' });
  await alice.register({ hw: 'chat-alice' });
  const seenByAlice = await watchOnPbx(alice, 5, 'bob');
  await using carol = await StompApp.signIn(two.port, 'carol');
  carol.subscribe('/topic/presence.bob');
  const dora = await ChatApiClient.signIn(one.url, 'dora');
  await dora.ask('POST', '/chat/contacts/bob');
  await using seenByDora = await dora.events();
  await carol.take((frame) => frame.json?.['show'] === 'offline');

  const bob = await ChatApiClient.signIn(two.url, 'bob');
  await until(() => seenByAlice()?.['status'] === 'open', 'alice sees bob');
  expect((await bob.ask('POST', '/chat/presence?show=away&status=Lunch')).status).toBe(200);
  await until(() => seenByAlice()?.['note'] === 'Lunch', 'alice sees away');
  await carol.take((frame) => frame.json?.['show'] === 'away' && frame.json['status'] === 'Lunch');
  await seenByDora.take(({ event, data }) => event === 'presence' && data.show === 'away' && data.status === 'Lunch');

  await using bobsApp = await PbxApp.signIn(one.port, { sip: 'bob' });
  await bobsApp.register({ hw: 'chat-bob' });
  const publish = { type: 'presence_publish', contact: 'tel:', status: 'open', activity: 'busy', note: 'In a meeting' };
  bobsApp.signal(1, { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: 'bob' }, fty: [publish] });
  await carol.take((frame) => frame.json?.['show'] === 'dnd' && frame.json['status'] === 'In a meeting');

  const three = await cluster.start();
  await using late = await StompApp.signIn(three.port, 'carol');
  late.subscribe('/topic/presence.bob');
  await late.take((frame) => frame.json?.['online'] === true && frame.json['status'] === 'In a meeting');
});

test.each([
  ['stomp', stompSession, 'carol'],
  ['pbx', pbxSession, 'alice'],
] as const)(
  '%s: a farewell is told at once; a connection that breaks and is back, on whatever node, says nothing',
  async (_name, open, user) => {
    const [one, two] = both(cluster);
    const told = [await watchOn(one, user), await watchOn(two, user)];
    const isSeen = (show: string) => () => told.every((all) => all.at(-1) === show);
    const first = await open(one.port, user);
    await until(isSeen('available'), 'first to be seen');
    await first.leaves();
    await until(isSeen('offline'), 'the farewell to be seen');
    const second = await open(one.port, user);
    await until(isSeen('available'), 'second to be seen');
    const before = [one.delivery.size, two.delivery.size];
    await second.breaks();
    await until(() => one.delivery.size === before[0]! - 1, 'the connection to be gone');
    const third = await open(two.port, user);
    await until(() => two.delivery.size === before[1]! + 1, 'third to be live');
    await third.leaves();
    await until(() => two.delivery.size === before[1], 'third to be gone');
    expect(told).toEqual(Array(2).fill(['offline', 'available', 'offline', 'available']));
  },
);

interface Session {
  breaks(): Promise<void>;
  leaves(): Promise<void>;
}

async function stompSession(port: number, user: string): Promise<Session> {
  const app = await StompApp.signIn(port, user);
  app.subscribe('/user/queue/messages');
  return { breaks: async () => app.drop(), leaves: () => app.close() };
}

async function pbxSession(port: number, user: string): Promise<Session> {
  const app = await PbxApp.signIn(port, { sip: user });
  await app.register({ hw: `chat-${user}` });
  return { breaks: async () => app.socket.terminate(), leaves: () => app.close() };
}

test('a node dies: who comes back on another is never seen to go, who does not is; what was said on it stays said', async () => {
  await using mortal = await startNodes(2, { TIELINE_PRESENCE_LINGER_MS: '1500' });
  const [one, two] = both(mortal);
  const [bobs, carols, doras] = [await watchOn(one, 'bob'), await watchOn(one, 'carol'), await watchOn(one, 'dora')];
  const bob = await StompApp.signIn(two.port, 'bob');
  bob.subscribe('/user/queue/messages');
  const carol = await StompApp.signIn(two.port, 'carol');
  carol.subscribe('/user/queue/messages');
  const dora = await ChatApiClient.signIn(two.url, 'dora');
  await using _events = await new ChatApiClient(one.url, 'dora').events();
  await dora.ask('POST', '/chat/presence?show=dnd&status=Exam');
  await until(() => bobs.at(-1) === 'available' && carols.at(-1) === 'available' && doras.at(-1) === 'dnd Exam');
  await mortal.kill(two);
  await using again = await StompApp.signIn(one.port, 'bob');
  again.subscribe('/user/queue/messages');
  await until(() => carols.at(-1) === 'offline', 'carol to be gone');
  expect([bobs, carols, doras]).toEqual([
    ['offline', 'available'],
    ['offline', 'available', 'offline'],
    ['offline', 'available', 'dnd Exam'],
  ]);
  await again.close();
  await until(() => bobs.at(-1) === 'offline', 'bob to be gone');
});
