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

test('login: whose, how, and what it gives', async () => {
  const bob = new ChatApiClient(world.url, 'bob');
  const first = await bob.login();
  const second = await bob.login('demo');
  expect(first.text).toMatch(/^ofchat-[\w-]{20,}$/);
  expect(second.text).toBe(first.text);
  expect((await bob.login('{"body":"demo"}')).text).toBe(first.text);
  expect(first.headers.get('content-type')).toContain('text/plain');

  const wrong = await bob.login('nonsense');
  expect(wrong.status).toBe(400);
  expect(wrong.json).toEqual({
    resource: 'bob',
    ressource: 'bob',
    message: 'xmpp connection error',
    exception: 'IllegalArgumentException',
  });
  expect((await bob.ask('POST', '/chat/bob/login?totp=123456')).status).toBe(400);
  expect((await bob.ask('POST', '/chat/alice/login')).status).toBe(403);
  expect((await bob.ask('POST', '/chat/alice/login', 'demo')).status).toBe(403);
  expect((await new ChatApiClient(world.url, 'bob', { password: 'x' }).login()).status).toBe(401);

  // An administrator and the shared secret need no password.
  const admin = new ChatApiClient(world.url, 'admin');
  expect((await admin.ask('POST', '/chat/bob/login')).text).toBe(first.text);
  const server = new ChatApiClient(world.url, '', { authorization: 'demo-secret' });
  expect((await server.ask('POST', '/chat/bob/login')).text).toBe(first.text);
  expect((await server.ask('POST', '/chat/nobody/login')).status).toBe(400);
  expect((await server.ask('GET', '/chat/contacts')).status).toBe(400);
  expect((await server.ask('GET', '/chat/contacts', undefined, { 'x-chat-user': 'bob' })).status).toBe(200);

  expect((await bob.ask('POST', `/chat/${bob.stream}/logoff/`)).status).toBe(200);
  const after = await bob.ask('POST', `/chat/${bob.stream}/logoff`);
  expect([after.status, after.json.message]).toEqual([400, 'xmpp connection not found']);
  expect((await bob.ask('POST', '/chat/messages/alice', 'x')).status).toBe(400);
});

test('a session token does what the password does, until the stream ends', async () => {
  const alice = await signIn('alice');
  const page = new ChatApiClient(world.url, 'alice', { authorization: `Bearer ${alice.token}` });
  expect((await page.ask('GET', '/chat/contacts')).status).toBe(200);
  await page.say('bob', 'by token');
  expect(
    (await page.ask('GET', `/chat/messages?keywords=${encodeURIComponent('by token')}`)).json.conversation,
  ).toHaveLength(1);
  const forged = new ChatApiClient(world.url, 'alice', { authorization: `Bearer ${alice.token.slice(0, -2)}xx` });
  expect((await forged.ask('GET', '/chat/contacts')).status).toBe(401);
  await alice.ask('DELETE', `/chat/${alice.stream}`);
  expect((await page.ask('GET', '/chat/contacts')).status).toBe(401);
});

test('another user, and another stream, are out of reach', async () => {
  const alice = await signIn('alice');
  const bob = await signIn('bob');
  const tries: readonly [string, string, unknown?][] = [
    ['POST', '/messages/carol', 'forged'],
    ['POST', '/presence?show=dnd'],
    ['POST', '/chatstate/composing/carol'],
    ['POST', '/logoff'],
    ['POST', '/ticket'],
    ['GET', '/contacts'],
    ['POST', '/contacts/carol'],
    ['GET', '/messages'],
    ['GET', '/calls'],
    ['POST', '/calls', { to: '203' }],
    ['GET', '/calls/history'],
  ];
  for (const [method, path, body] of tries) {
    const foreign = await bob.ask(method, `/chat/${alice.stream}${path}`, body);
    expect([path, foreign.status, foreign.json.exception]).toEqual([path, 403, 'NotAllowedException']);
    expect(foreign.text).not.toContain(alice.stream);
    const asAnother = await bob.ask(method, `/chat${path}`, body, { 'x-chat-user': 'alice' });
    if (path !== '/messages' || method === 'POST') expect([path, asAnother.status]).toEqual([path, 403]);
  }
  expect((await bob.ask('DELETE', `/chat/${alice.stream}`)).status).toBe(403);
  expect((await alice.ask('GET', '/chat/presence')).json).toMatchObject({ show: 'available' });
});

test('errors: the entity, its status and its words', async () => {
  const alice = await signIn('alice');
  const cases: readonly [string, string, unknown, number, string][] = [
    ['POST', '/chat/messages/nobody', 'x', 404, 'UserNotFoundException'],
    ['POST', '/chat/messages/bob@elsewhere.test', 'x', 404, 'UserNotFoundException'],
    ['POST', '/chat/messages/@@', 'x', 400, 'IllegalArgumentException'],
    ['POST', '/chat/messages/alice', 'x', 400, 'IllegalArgumentException'],
    ['POST', '/chat/messages/bob', '', 400, 'IllegalArgumentException'],
    ['POST', '/chat/messages/dora', 'x', 200, ''],
    ['POST', '/chat/messages/bob', 'x'.repeat(30_001), 413, 'IllegalArgumentException'],
    ['POST', '/chat/messages/bob', { body: 'x', big: 'y'.repeat(17_000) }, 413, 'IllegalArgumentException'],
    ['POST', '/chat/messages/bob', { body: 'z'.repeat(29_000) }, 200, ''],
    ['POST', '/chat/messages/bob', 'x'.repeat(300_000), 413, 'IllegalArgumentException'],
    [
      'POST',
      '/chat/messages/bob',
      `{"body":"x","deep":${'['.repeat(40)}${']'.repeat(40)}}`,
      400,
      'IllegalArgumentException',
    ],
    [
      'POST',
      '/chat/messages/bob',
      `{"deep":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_001)}`,
      400,
      'IllegalArgumentException',
    ],
    ['POST', '/chat/chatstate/dreaming/bob', '', 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', '{"jid":', 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', '[]', 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', '{}', 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', { jid: 'bob', subscriptionType: 7 }, 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', { jid: 'bob', nickname: 4 }, 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', { jid: 'bob', nickname: 'n'.repeat(129) }, 400, 'IllegalArgumentException'],
    ['POST', '/chat/contacts', 'x'.repeat(9_000), 413, 'IllegalArgumentException'],
    ['POST', '/chat/alice/login', 'p'.repeat(2_000), 413, 'IllegalArgumentException'],
    ['GET', '/chat/messages?max=many', undefined, 400, 'IllegalArgumentException'],
    ['GET', '/chat/messages?max=1&max=2', undefined, 400, 'IllegalArgumentException'],
    ['GET', '/chat/rooms', undefined, 404, 'ResourceNotFoundException'],
    ['GET', '/nothing/here', undefined, 404, 'ResourceNotFoundException'],
    ['POST', '/chat/calls/nonsense/answer', '', 404, 'ResourceNotFoundException'],
    ['POST', '/chat/calls', { to: 'no number' }, 400, 'IllegalArgumentException'],
    ['POST', '/chat/calls', '', 400, 'IllegalArgumentException'],
  ];
  await using _dora = await (await signIn('dora')).events();
  for (const [method, path, body, status, exception] of cases) {
    const answer = await alice.ask(method, path, body, body === undefined ? {} : { accept: 'text/html, text/plain' });
    expect([method, path, answer.status]).toEqual([method, path, status]);
    if (status >= 400) {
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(Object.keys(answer.json)).toEqual(['resource', 'ressource', 'message', 'exception']);
      expect(answer.json.exception).toBe(exception);
    }
  }
  expect((await alice.ask('POST', '/chat/messages/bob', 'x', { 'idempotency-key': 'k'.repeat(201) })).status).toBe(400);
});

test('a receiver who may not be stored and is not there', async () => {
  const alice = await signIn('alice');
  const dora = await signIn('dora');
  // Signed in, but nothing shows it: a message that nobody keeps would be lost.
  const answer = await alice.ask('POST', '/chat/messages/dora', 'anybody?');
  expect([answer.status, answer.json.resource]).toEqual([400, 'dora']);
  expect(answer.json.message).toContain('offline');
  await using doraSees = await dora.events();
  await alice.say('dora', 'there you are');
  await until(() => doraSees.bodies.includes('there you are'));
});

test('three prefixes, trailing slashes, HEAD, CORS', async () => {
  for (const base of ['/restapi/v1', '/rest/api/restapi/v1', '/plugins/restapi/v1']) {
    const alice = new ChatApiClient(world.url, 'alice', { base });
    expect((await alice.ask('GET', '/chat/users/?search=bo')).json.user).toMatchObject([{ username: 'bob' }]);
    expect((await alice.ask('HEAD', '/chat/users?search=bo')).status).toBe(200);
    expect((await alice.ask('GET', '/unknown')).json.exception).toBe('ResourceNotFoundException');
    const preflight = await fetch(`${world.url}${base}/chat/users`, {
      method: 'OPTIONS',
      headers: { origin: 'https://other.example', 'access-control-request-method': 'GET' },
    });
    expect([preflight.status, await preflight.text()]).toEqual([200, '']);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('last-event-id');
  }
  const foreign = await new ChatApiClient(world.url, 'alice').ask('POST', '/chat/presence?show=dnd', '', {
    origin: 'https://other.example',
  });
  expect(foreign.status).toBe(403);
});

test('search: nothing for nothing, everybody for a star, in pages', async () => {
  const alice = new ChatApiClient(world.url, 'alice');
  const names = async (query: string): Promise<readonly string[]> =>
    (await alice.ask('GET', `/chat/users${query}`)).json.user.map((user: { username: string }) => user.username);
  expect(await names('')).toEqual([]);
  expect(await names('?search=*')).toEqual(['admin', 'alice', 'bob', 'carol', 'dora']);
  expect(await names('?search=*&limit=2&after=alice')).toEqual(['bob', 'carol']);
  expect(await names('?search=COX')).toEqual(['carol']);
});

test('the documentation is made of the same schemas', async () => {
  const document = await (await fetch(`${world.url}/restapi/v1/openapi.json`)).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toContain('/chat/{stream}/messages/{to}');
  expect(document.paths['/chat/calls'].post.requestBody.content['application/json'].schema.required).toEqual(['to']);
  expect(document['x-sse-events'].map((item: { event: string }) => item.event)).toContain('chatapi.chat');
});
