import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.close();
});

test('alice on AppWebsocket and bob on SSE: one chat, one history', async () => {
  await using alice = await PbxApp.signIn(world.port, { sip: 'alice' });
  expect((await alice.register({ hw: 'chat-alice' }))['err']).toBeUndefined();
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using bobSees = await bob.events();

  alice.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'bob' },
    fty: [{ type: 'im_setup' }],
  });
  await alice.takeSignal('conn', 1);
  alice.say(1, '<i>Hi</i> Bob');
  const told = await bobSees.take(({ event }) => event === 'chat');
  expect(told.data).toMatchObject({ body: expect.stringContaining('Bob'), seq: 1 });
  expect(told.data.from).toMatch(/^alice@example\.test\//);

  await bob.say('alice', 'Hello Alice');
  await until(() => alice.texts.length === 1);
  expect(alice.texts[0]).toMatchObject({ sender: 'bob' });
  const history = await new ChatApiClient(world.url, 'alice').history('/chat/messages?to=bob');
  expect(history.map(({ from }) => from.split('@')[0])).toEqual(['alice', 'bob']);
  expect(history[0].id).toBe(told.data.id);
});

test('a call within the exchange shows on the streams of both', async () => {
  const carol = await ChatApiClient.signIn(world.url, 'carol');
  await using carolSees = await carol.events();
  expect(carolSees.failure).toBeNull();
  // The demo world has a telephone system; without a registered device a dial is refused or ends, and says so.
  const answer = await carol.ask('POST', '/chat/calls', { to: '202' });
  expect([201, 409, 503]).toContain(answer.status);
});

test('the health and the figures stand beside it', async () => {
  expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  const metrics = await (await fetch(`${world.url}/metrics`)).text();
  expect(metrics).toContain('surface="chat-api"');
});
