import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { RawEvents } from '../kit/raw-events.ts';
import { until } from '../kit/wait.ts';

let world: ChatApiWorld;
beforeAll(async () => {
  world = await ChatApiWorld.start({ limits: { retryMs: 10, keepAliveMs: 100 } });
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const signIn = (name: string): Promise<ChatApiClient> => ChatApiClient.signIn(world.url, name);

test('OF §4.2: the bytes of a stream', async () => {
  const alice = await signIn('alice');
  const bob = await signIn('bob');
  await bob.ask('POST', '/chat/contacts/alice');
  await using raw = await RawEvents.open(world.port, '/sse/bob', { authorization: bob.authorization });
  await until(() => raw.body.includes(': keep-alive\n\n'), 'keep-alive');
  expect(raw.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  const head = raw.head.toLowerCase();
  for (const line of [
    'content-type: text/event-stream;charset=utf-8',
    'cache-control: no-cache, no-transform',
    'x-accel-buffering: no',
    'transfer-encoding: chunked',
    'connection: close',
    'x-content-type-options: nosniff',
    'vary: origin',
  ])
    expect(head).toContain(line);
  expect(head).not.toContain('content-encoding');
  expect(raw.body).toMatch(/^retry: 10\n\nid: [0-9a-z]+\.\d+\nevent: chatapi\.ready\ndata: \{"type":"ready"\}\n\n/);

  await alice.say('bob', 'Grüße,\nBob');
  await until(() => raw.body.includes('chatapi.chat'));
  const frames = raw.body.split('\n\n').filter((text) => text !== '' && text !== ': keep-alive');
  const chat = frames.find((text) => text.includes('chatapi.chat'))!;
  expect(chat).toMatch(/^id: [0-9a-z]+\.\d+\nevent: chatapi\.chat\ndata: \{.*\}$/);
  expect(chat).toContain('Grüße,\\nBob');
  const presence = frames.find((text) => text.includes('chatapi.presence'))!;
  expect(presence).toMatch(/^event: chatapi\.presence\ndata: \{.*\}$/);
  expect(raw.body).not.toContain('\r');
});

test('OF §4.1: who may open a stream, and how it is refused', async () => {
  const alice = await signIn('alice');
  await signIn('bob');
  const carol = new ChatApiClient(world.url, 'carol');
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(world.url + path, { headers });
  const own = { authorization: alice.authorization };

  const stranger = await get('/sse/alice');
  expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="ofchat"']);
  expect((await stranger.json()).exception).toBe('NotAllowedException');
  const wrong = `Basic ${Buffer.from('alice:wrong').toString('base64')}`;
  expect((await get('/sse/alice', { authorization: wrong })).status).toBe(401);
  expect((await get('/sse/bob', own)).status).toBe(403);
  expect((await get('/sse/nobody', own)).status).toBe(403);
  expect((await get('/sse/carol', { authorization: carol.authorization })).status).toBe(404);
  expect((await get('/sse/alice', { ...own, accept: 'application/json' })).status).toBe(406);
  expect((await get('/sse/a/b', own)).status).toBe(404);
  expect((await fetch(`${world.url}/sse/alice`, { method: 'HEAD', headers: own })).status).toBe(200);
  const rest = await alice.ask('GET', '/chat/contacts', undefined, { authorization: wrong });
  expect([rest.status, rest.headers.get('www-authenticate')]).toEqual([401, null]);

  for (const [path, authorization] of [
    ['/sse/alice@example.test', alice.authorization],
    ['/sse/ALICE/', alice.authorization],
    ['/sse', alice.authorization],
    ['/sse/alice', 'demo-secret'],
    ['/sse/alice', `Bearer ${alice.token}`],
    ['/rest/api/restapi/v1/event/source', alice.authorization],
  ] as const) {
    await using log = await alice.events({ path, headers: { authorization } });
    expect([path, log.failure]).toEqual([path, null]);
  }
});

test('a browser: the cookie of the login, which names no other stream and ends with it', async () => {
  const alice = await signIn('alice');
  const bob = await signIn('bob');
  expect((await alice.login()).headers.get('set-cookie')).toMatch(
    /^tieline-sse-[0-9a-f]{32}=[^;]+; Path=\/sse; HttpOnly; SameSite=Strict$/,
  );
  const cookies = { cookie: `other=1; ${alice.cookie}; ${bob.cookie}` };
  {
    await using log = await alice.events({ headers: cookies });
    await bob.say('alice', 'by cookie');
    await until(() => log.bodies.includes('by cookie'));
  }
  // REST takes no cookies: no page of another site can act with them.
  expect((await fetch(`${alice.base}/chat/contacts`, { headers: cookies })).status).toBe(401);
  const [name] = alice.cookie.split('=');
  const foreign = await fetch(`${world.url}/sse/alice`, { headers: { cookie: `${name}=${bob.token}` } });
  expect([foreign.status, await foreign.json()]).toMatchObject([404, { exception: 'ResourceNotFoundException' }]);
  expect((await fetch(`${world.url}/sse/alice`, { headers: { cookie: `${name}=x.y` } })).status).toBe(401);
  expect((await alice.ask('POST', '/chat/logoff')).status).toBe(200);
  expect((await fetch(`${world.url}/sse/alice`, { headers: cookies })).status).toBe(404);
});

test('a ticket opens a stream once, and its cookie again', async () => {
  const alice = await signIn('alice');
  await signIn('bob');
  const ticket = (await alice.ask('POST', `/chat/${alice.stream}/ticket`)).text;
  expect((await fetch(`${world.url}/sse/bob?ticket=${ticket}`)).status).toBe(401);
  const second = (await alice.ask('POST', '/chat/ticket')).text;
  const stop = new AbortController();
  const first = await fetch(`${world.url}/sse?ticket=${second}`, { signal: stop.signal });
  expect(first.status).toBe(200);
  const cookie = first.headers.get('set-cookie')!.split(';')[0]!;
  expect((await fetch(`${world.url}/sse?ticket=${second}`)).status).toBe(401);
  await using again = await alice.events({ path: `/sse?ticket=${second}`, headers: { cookie } });
  expect(again.failure).toBeNull();
  expect((await fetch(`${world.url}/sse?ticket=${second}x`)).status).toBe(401);
  stop.abort();
});

test('logoff ends every stream of the user; coming back gets 404', async () => {
  const alice = await signIn('alice');
  await using one = await alice.events();
  await using two = await alice.events();
  await alice.ask('POST', `/chat/${alice.stream}/logoff`);
  for (const log of [one, two]) {
    expect((await log.take(({ event }) => event === 'end')).data).toEqual({ type: 'end', reason: 'logoff' });
    await until(() => log.failure === 404);
  }
});

test('a locked account loses its stream at once', async () => {
  const carol = await signIn('carol');
  await using log = await carol.events();
  const id = await world.idOf('carol');
  await world.core.directory.changeUser(id, { isLocked: true });
  expect((await log.take(({ event }) => event === 'end')).data.reason).toBe('locked');
  await until(() => log.failure === 401);
  expect((await carol.ask('GET', '/chat/contacts')).status).toBe(401);
  await world.core.directory.changeUser(id, { isLocked: false });
});

test('one user may have so many streams', async () => {
  const bob = await signIn('bob');
  const held = await Promise.all(
    Array.from({ length: 100 }, () => RawEvents.open(world.port, '/sse/bob', { authorization: bob.authorization })),
  );
  await until(() => held.every((raw) => raw.text.includes('retry:')));
  const refused = await fetch(`${world.url}/sse/bob`, { headers: { authorization: bob.authorization } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await refused.json()).message).toContain('too many');
  expect(world.seen).toContain('limit too-many-sessions');
  await Promise.all(held.map((raw) => raw[Symbol.asyncDispose]()));
  await until(() => world.chatApi.figures().eventStreams === 0);
  await using log = await bob.events();
  expect(log.failure).toBeNull();
});

test('nothing is left of streams that have gone', async () => {
  await using own = await ChatApiWorld.start({ limits: { keepAliveMs: 100 } });
  const idleTimers = own.timers;
  const alice = await ChatApiClient.signIn(own.url, 'alice');
  const bob = await ChatApiClient.signIn(own.url, 'bob');
  await alice.ask('POST', '/chat/contacts/bob');
  {
    await using _a = await alice.events();
    await using _b = await bob.events();
    await using _c = await bob.events();
    await until(() => own.engine.listening.size === 2);
    expect(own.chatApi.figures()).toMatchObject({ chatStreams: 2, eventStreams: 3 });
  }
  await until(() => own.delivery.size === 0 && own.engine.listening.size === 0);
  await alice.ask('POST', '/chat/logoff');
  await bob.ask('POST', '/chat/logoff');
  expect(own.chatApi.figures()).toEqual({ chatStreams: 0, eventStreams: 0, waitingBytes: 0 });
  expect((await own.core.presence.now(await own.idOf('bob'))).isOnline).toBe(false);
  await until(() => own.timers === idleTimers, 'the timers to be as before');
  expect(own.seen.filter((what) => what === 'closed')).toHaveLength(3);

  await alice.login();
  await using left = await alice.events();
  await own.stop();
  expect(left.of('end')).toEqual([]);
  expect(own.timers).toBe(0);
  expect(own.troubles).toEqual([]);
});
