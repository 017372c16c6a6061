import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../packages/server/src/main.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

let cluster: Nodes;
let nodes: readonly [Server, Server, Server];
beforeAll(async () => {
  cluster = await startNodes(3);
  const [one, two, three] = cluster.nodes;
  nodes = [one!, two!, three!];
  // Like dora: what the two write to each other is kept nowhere.
  const carol = await one!.core.directory.requireUser({ by: 'name', value: 'carol' });
  await one!.core.directory.changeUser(carol.id, { hasStorage: false });
  for (const { core } of nodes)
    await until(async () => (await core.directory.userById(carol.id))?.hasStorage === false, 'the change to be known');
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** What nodes know of each other's sessions comes a moment later. */
async function isReached(from: Server, name: string): Promise<void> {
  const { id } = await from.core.directory.requireUser({ by: 'name', value: name });
  await until(() => from.delivery.isAttended(id), `${name} to be known`);
}

test('volatile texts find their reader on another node, in order, and are refused where there is none', async () => {
  const [one, two, three] = nodes;
  const carol = await ChatApiClient.signIn(one.url, 'carol');
  expect((await carol.ask('POST', '/chat/messages/dora', 'nobody')).status).toBe(400);
  const dora = await ChatApiClient.signIn(two.url, 'dora');
  await using events = await dora.events();
  await using page = await StompApp.signIn(three.port, 'dora');
  page.subscribe('/user/queue/messages');
  await using own = await new ChatApiClient(three.url, 'carol').events();
  await isReached(one, 'dora');
  await isReached(one, 'carol');
  const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
  for (const text of texts) await carol.say('dora', text);
  await until(() => events.bodies.length === texts.length && page.messages.length === texts.length);
  expect(events.bodies).toEqual(texts);
  expect(page.messages.map(({ json }) => json?.['body'])).toEqual(texts);
  await until(() => own.of('sent').length === texts.length, 'her own other session');
  expect((await carol.ask('POST', '/chat/chatstate/composing/dora')).status).toBe(200);
  await events.take(({ event, data }) => event === 'notify' || data?.state === 'composing', 'the chat state');
});

test('a text that alice may keep reaches one who may not on another node; a device there accepts first', async () => {
  const [one, two] = nodes;
  const alice = await ChatApiClient.signIn(one.url, 'alice');
  await using app = await PbxApp.signIn(two.port, { sip: 'dora' });
  await app.register({ hw: 'chat-dora' });
  app.acceptChats();
  await until(
    async () => (await alice.ask('POST', '/chat/messages/dora', 'kept')).status === 200,
    'dora to be reached',
  );
  await until(() => app.texts.some((text) => text['data'] === 'kept'));
});

test('a chat stream is served by every node, and ends on all', async () => {
  const [one, two, three] = nodes;
  const bob = await ChatApiClient.signIn(one.url, 'bob');
  const bearer = `Bearer ${bob.token}`;
  const [onTwo, onThree] = [two, three].map(({ url }) => new ChatApiClient(url, 'bob', { authorization: bearer }));
  await using events = await onTwo!.events();
  await using more = await onThree!.events();
  const alice = await ChatApiClient.signIn(three.url, 'alice');
  await alice.say('bob', 'hello');
  await until(() => events.bodies.includes('hello') && more.bodies.includes('hello'));
  expect((await onThree!.ask('GET', `/chat/${bob.stream}/messages`)).status).toBe(200);
  expect((await new ChatApiClient(two.url, 'bob').login()).text).toBe(bob.stream);

  expect((await bob.ask('POST', `/chat/${bob.stream}/logoff`)).status).toBe(200);
  for (const log of [events, more]) expect((await log.take(({ event }) => event === 'end')).data.reason).toBe('logoff');
  expect((await onTwo!.ask('GET', `/chat/${bob.stream}/messages`)).status).toBe(401);
  expect((await onThree!.login()).status).toBe(401);
});

test('what was told on one node is not told again on another', async () => {
  const [one, two, three] = nodes;
  const bob = await ChatApiClient.signIn(one.url, 'bob');
  const alice = await ChatApiClient.signIn(three.url, 'alice');
  let told = 0;
  {
    await using events = await new ChatApiClient(two.url, 'bob').events();
    await alice.say('bob', 'read on two');
    await until(() => events.bodies.includes('read on two'));
    told = Number(events.lastId.split('.')[1]);
  }
  const { id } = await one.core.directory.requireUser({ by: 'name', value: 'bob' });
  await until(async () => {
    const row = await one.core.directory.stream({ by: 'user', user: id });
    return row !== null && row.cursor >= told;
  }, 'the position to be written down');
  await using events = await bob.events();
  await alice.say('bob', 'read on one');
  await until(() => events.bodies.includes('read on one'));
  expect(events.bodies).toEqual(['read on one']);
});

test('a locked account loses its stream everywhere, whoever knows it', async () => {
  const [one, two, three] = nodes;
  const bob = await ChatApiClient.signIn(one.url, 'bob');
  await using events = await new ChatApiClient(two.url, 'bob').events();
  const { id } = await three.core.directory.requireUser({ by: 'name', value: 'bob' });
  await three.core.directory.changeUser(id, { isLocked: true });
  expect((await events.take(({ event }) => event === 'end')).data.reason).toBe('locked');
  expect(await one.core.directory.stream({ by: 'user', user: id })).toBeNull();
  await three.core.directory.changeUser(id, { isLocked: false });
  await until(async () => (await bob.login()).status === 200, 'the account to be open again');
});

test('a ticket is good once, on whatever node', async () => {
  const [one, two] = nodes;
  const bob = await ChatApiClient.signIn(one.url, 'bob');
  const ticket = (await bob.ask('POST', `/chat/${bob.stream}/ticket`)).text;
  await using first = await bob.events({ path: `/sse/bob?ticket=${ticket}`, headers: {} });
  expect(first.failure).toBeNull();
  await until(async () => {
    const again = await fetch(`${two.url}/sse/bob?ticket=${ticket}`, { method: 'HEAD' });
    return again.status === 401;
  }, 'the ticket to be spent');
});

test('a reader whose node dies is refused, not waited for', async () => {
  const [one] = nodes;
  const mortal = await cluster.start();
  const carol = await ChatApiClient.signIn(one.url, 'carol');
  const dora = await StompApp.signIn(mortal.port, 'dora');
  dora.subscribe('/user/queue/messages');
  await isReached(one, 'dora');
  await carol.say('dora', 'alive');
  await until(() => dora.messages.length === 1);
  await cluster.kill(mortal);
  expect((await carol.ask('POST', '/chat/messages/dora', 'dead')).status).toBe(400);
});
