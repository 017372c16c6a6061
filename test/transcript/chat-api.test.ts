import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { until } from '../kit/wait.ts';

let world: ChatApiWorld;
beforeAll(async () => {
  world = await ChatApiWorld.start();
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const signIn = (name: string): Promise<ChatApiClient> => ChatApiClient.signIn(world.url, name);

test('alice and bob chat', async () => {
  const alice = await signIn('alice');
  const bob = await signIn('bob');
  await using aliceSees = await alice.events();
  await using bobSees = await bob.events();

  const id = await alice.say('bob@example.test', 'Hello "Bob",\r\nhow are you? 🙂');
  const told = await bobSees.take(({ event }) => event === 'chat');
  expect(told.data).toMatchObject({
    type: 'chat',
    to: 'bob@example.test',
    from: expect.stringMatching(/^alice@example\.test\/alice-[0-9a-z]{8}$/),
    body: 'Hello "Bob",\r\nhow are you? 🙂',
    data: {},
    id,
  });
  expect(told.id).toMatch(/^[0-9a-z]+\.\d+$/);
  const echo = await aliceSees.take(({ event }) => event === 'sent');
  expect(echo.data).toMatchObject({ type: 'sent', id, to: 'bob@example.test' });
  expect(aliceSees.of('chat')).toEqual([]);

  // The other spelling, with data; the answer goes to a full address.
  const answer = await bob.ask('POST', `/chat/${bob.stream}/messages/${told.data.from.replace('/', '%2F')}`, {
    body: 'Fine',
    mood: { level: 3 },
  });
  expect(answer.status).toBe(200);
  const back = await aliceSees.take(({ event }) => event === 'chat');
  expect(back.data).toMatchObject({ body: 'Fine', data: { body: 'Fine', mood: { level: 3 } } });

  await bob.say('alice', { poke: true });
  expect((await aliceSees.take(({ event }) => event === 'notify')).data).toMatchObject({
    type: 'notify',
    data: { poke: true },
  });

  await bob.ask('POST', '/chat/chatstate/composing/alice');
  expect((await aliceSees.take(({ data }) => data.state === 'composing')).data).toEqual({
    type: 'chat',
    to: 'alice@example.test',
    from: back.data.from,
    state: 'composing',
  });
  expect(aliceSees.unnamed + bobSees.unnamed).toBe(0);
});

test('two tabs are told the same', async () => {
  const carol = await signIn('carol');
  const alice = await signIn('alice');
  await using one = await carol.events();
  await using two = await carol.events();
  const id = await alice.say('carol', 'to both');
  await until(() => one.all.some(({ data }) => data.id === id) && two.all.some(({ data }) => data.id === id));
});

test('what came between login and the first event stream is told, and told once', async () => {
  const dora = await signIn('admin');
  const alice = await signIn('alice');
  await alice.say('admin', 'early');
  {
    await using first = await dora.events();
    await until(() => first.bodies.includes('early'));
  }
  await until(() => world.chatApi.figures().eventStreams === 0);
  await alice.say('admin', 'late');
  await using second = await dora.events();
  await until(() => second.bodies.includes('late'));
  expect(second.bodies).not.toContain('early');
});

test('an idempotency key sends once', async () => {
  const alice = await signIn('alice');
  const key = { 'idempotency-key': 'k-1' };
  const id = await alice.say('bob', 'once', key);
  const again = await alice.ask('POST', '/chat/messages/bob', 'once', key);
  expect(again.headers.get('x-message-id')).toBe(id);
  expect(again.headers.get('x-idempotent-repeat')).toBe('true');
  expect((await alice.ask('POST', '/chat/messages/bob', 'other', key)).status).toBe(409);
  expect(await alice.history('/chat/messages?to=bob&keywords=once')).toHaveLength(1);
});

test('history: of both, oldest first, by peer and by words, in pages', async () => {
  const alice = await signIn('alice');
  const carol = await signIn('carol');
  for (let i = 1; i <= 5; i++) await (i % 2 === 1 ? alice : carol).say(i % 2 === 1 ? 'carol' : 'alice', `paging ${i}`);
  const bodies = async (client: ChatApiClient, path: string): Promise<readonly string[]> =>
    (await client.history(path)).map(({ body }) => body);
  expect(await bodies(alice, '/chat/messages?to=carol&keywords=paging')).toEqual(
    [1, 2, 3, 4, 5].map((i) => `paging ${i}`),
  );
  expect(await bodies(carol, '/chat/carol/messages?to=alice@example.test&max=2')).toEqual(['paging 4', 'paging 5']);
  const [talk] = (await alice.ask('GET', '/chat/messages?to=carol&max=2')).json.conversation;
  expect(talk.messages.message[0]).toMatchObject({ conversationID: talk.conversationID, roomEvent: false });
  const before = talk.messages.message[0].id;
  expect(await bodies(alice, `/chat/messages?to=carol&max=2&before=${before}`)).toEqual(['paging 2', 'paging 3']);
  expect(await bodies(alice, '/chat/messages?to=nobody')).toEqual([]);
  expect(await bodies(alice, `/chat/${alice.stream}/messages?to=carol&max=1`)).toEqual(['paging 5']);
  expect((await alice.ask('GET', '/chat/carol/messages')).status).toBe(403);
  expect((await alice.ask('GET', '/chat/nobody/messages')).status).toBe(403);
  expect((await new ChatApiClient(world.url, 'admin').ask('GET', '/chat/carol/messages')).status).toBe(200);
});

test('contacts see presence; those who are only seen do not', async () => {
  const alice = await signIn('alice');
  const bob = await signIn('bob');
  const carol = await signIn('carol');
  await using aliceSees = await alice.events();
  await using carolSees = await carol.events();
  expect((await alice.ask('POST', '/chat/contacts/bob')).status).toBe(201);
  expect((await alice.ask('POST', '/chat/contacts', { jid: 'bob@example.test' })).status).toBe(409);
  // 2: bob sees carol, carol does not see bob.
  expect(
    (await carol.ask('POST', '/chat/contacts', { jid: 'bob', subscriptionType: '2', groups: { group: 'desk' } }))
      .status,
  ).toBe(201);
  await aliceSees.take(({ event, data }) => event === 'presence' && data.show === 'available');

  expect((await bob.ask('POST', '/chat/presence?show=away&status=Lunch')).status).toBe(200);
  const away = await aliceSees.take(({ data }) => data.show === 'away');
  expect(away.data).toMatchObject({ type: 'presence', to: 'alice@example.test', status: 'Lunch', available: true });
  expect(away.data.from).toMatch(/^bob@example\.test\/bob-/);
  expect(away.id).toBe(aliceSees.all.find(({ data }) => data === away.data)?.id);

  const list = (await alice.ask('GET', '/chat/contacts')).json.rosterItem;
  expect(list).toContainEqual({
    jid: 'bob@example.test',
    nickname: 'Bob Brown',
    subscriptionType: 3,
    groups: { group: [] },
    show: 'away',
    status: 'Lunch',
  });
  expect((await carol.ask('GET', '/chat/contacts')).json.rosterItem).toMatchObject([
    { jid: 'bob@example.test', subscriptionType: 2, groups: { group: ['desk'] }, show: 'unavailable' },
  ]);
  expect((await alice.ask('GET', '/chat/presence/bob')).json).toMatchObject({ show: 'away', status: 'Lunch' });

  await bob.ask('POST', `/chat/${bob.stream}/logoff`);
  const gone = await aliceSees.take(({ data }) => data.show === 'offline');
  expect(gone.data).toMatchObject({ from: 'bob@example.test', available: false });
  expect(carolSees.of('presence')).toEqual([]);

  expect((await alice.ask('PUT', '/chat/contacts/bob', { nickname: 'Bobby', subscriptionType: 0 })).status).toBe(201);
  expect((await alice.ask('GET', '/chat/contacts')).json.rosterItem).toMatchObject([
    { nickname: 'Bobby', subscriptionType: 0 },
  ]);
  expect((await alice.ask('DELETE', '/chat/contacts/bob')).status).toBe(201);
  expect((await alice.ask('DELETE', '/chat/contacts/bob')).status).toBe(404);
});
