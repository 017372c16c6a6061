import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';

let world: ChatApiWorld;
let alice: ChatApiClient;
beforeAll(async () => {
  world = await ChatApiWorld.start({ allowedOrigins: ['https://listed.example'] });
  alice = await ChatApiClient.signIn(world.url, 'alice');
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const ENTITY = ['resource', 'ressource', 'message', 'exception'];

test.each([
  ['/restapi/v1/chat/%ZZ/messages'],
  ['/restapi/v1/chat/messages/%FF'],
  ['/rest/api/restapi/v1/chat/%/login'],
  [`/plugins/restapi/v1/chat/${'x'.repeat(3_000)}/messages`],
  ['/sse/%ZZ'],
  [`/sse/${'x'.repeat(3_000)}`],
])('a path that cannot be read is answered like everything else: %.40s', async (path) => {
  const answer = await fetch(world.url + path, {
    headers: { authorization: alice.authorization, origin: 'https://listed.example' },
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/json; charset=utf-8']);
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://listed.example');
  expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
  const entity: unknown = await answer.json();
  expect(Object.keys(Object(entity))).toEqual(ENTITY);
  expect(entity).toMatchObject({ exception: 'IllegalArgumentException' });
});

test('a path that cannot be read outside of the surface is a plain 400', async () => {
  expect((await fetch(`${world.url}/%ZZ`)).status).toBe(400);
});

test('a page of an origin that is not allowed gets the error entity', async () => {
  const answer = await alice.ask('POST', '/chat/presence?show=dnd', '', { origin: 'https://other.example' });
  expect([answer.status, Object.keys(answer.json), answer.json.exception]).toEqual([
    403,
    ENTITY,
    'NotAllowedException',
  ]);
  expect((await alice.ask('GET', '/chat/presence')).json.show).toBe('available');
});

test.each(['T', 'text', 'application/', '/', 'text/plain;charset=', 'application/octet-stream'])(
  'a body is text whatever its Content-Type says: %s',
  async (type) => {
    expect((await alice.ask('POST', '/chat/alice/login', 'demo', { 'content-type': type })).status).toBe(200);
    expect((await alice.ask('DELETE', '/chat/contacts/bob', undefined, { 'content-type': type })).status).toBe(404);
  },
);

test('a preflight for the address without a user', async () => {
  const preflight = await fetch(`${world.url}/sse?ticket=x`, {
    method: 'OPTIONS',
    headers: { origin: 'https://listed.example', 'access-control-request-method': 'GET' },
  });
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'https://listed.example',
  ]);
});

test('parameters that were left empty count as absent', async () => {
  await alice.login();
  await alice.say('bob', 'with empty filters');
  const found = await alice.ask('GET', '/chat/messages?to=&keywords=&start=&end=&room=&service=&max=&before=&user=');
  expect(found.status).toBe(200);
  expect(found.text).toContain('with empty filters');
});

test('contacts that are not listed: the exceptions of the originals', async () => {
  const wrong = async (method: string, jid: string): Promise<readonly unknown[]> => {
    const { status, json } = await alice.ask(method, `/chat/contacts/${jid}`, method === 'PUT' ? '{}' : undefined);
    return [status, json.exception, json.message];
  };
  expect((await wrong('PUT', 'carol')).slice(0, 2)).toEqual([404, 'UserNotFoundException']);
  expect((await wrong('PUT', 'nobody')).slice(0, 2)).toEqual([404, 'UserNotFoundException']);
  const deleted = [404, 'RosterItemNotFound', 'Roster Item could not deleted'];
  expect(await wrong('DELETE', 'carol')).toEqual(deleted);
  expect(await wrong('DELETE', 'nobody')).toEqual(deleted);
});
