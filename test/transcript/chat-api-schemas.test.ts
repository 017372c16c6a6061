import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient, type EventLog } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { until } from '../kit/wait.ts';

let world: ChatApiWorld;
let document: ReturnType<typeof JSON.parse>;
beforeAll(async () => {
  world = await ChatApiWorld.start({ limits: { retryMs: 10 } });
  document = await (await fetch(`${world.url}/restapi/v1/openapi.json`)).json();
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

/** Members that the schema doesn't name are mistakes here. */
function closed(schema: ReturnType<typeof JSON.parse>): typeof schema {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return schema.type === 'object' && schema.properties !== undefined
    ? { ...inner, additionalProperties: false }
    : inner;
}

test('every event is as the catalogue says', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await bob.ask('POST', '/chat/contacts/alice');
  await using log = await bob.events({ lastEventId: 'nonsense' });
  await until(() => world.engine.listening.has('202'));
  await log.take(({ event }) => event === 'reset');
  await alice.say('bob', 'text');
  await alice.say('bob', { data: 'only' });
  await bob.say('alice', { body: 'own', more: [1] });
  await alice.ask('POST', '/chat/chatstate/paused/bob');
  const aliceId = await world.idOf('alice');
  const bobId = await world.idOf('bob');
  await world.core.conversations.send({ kind: 'user', user: aliceId, admin: false }, aliceId, {
    to: bobId,
    type: 'text/html',
    body: '<b>bold</b>',
    attach: ['https://example.test/f'],
    data: null,
    resource: 'other-12345678',
    idempotencyKey: null,
  });
  world.engine.report({ ref: 'r', number: '202', peer: '' });
  world.engine.report({ ref: 'r', number: '202', peer: '', state: 'ended', end: 'missed' });
  await log.take(({ event }) => event === 'callrecord');
  await log.take(({ data }) => data.html === '<b>bold</b>' && data.body === 'bold');
  await log.take(({ data }) => data.state === 'paused');
  await bob.ask('POST', '/chat/logoff');
  await log.take(({ event }) => event === 'end');
  expectConforming(log);
  expect([...new Set(log.all.map(({ event }) => event))].toSorted()).toEqual(
    ['call', 'callrecord', 'chat', 'end', 'notify', 'presence', 'ready', 'reset', 'sent'].toSorted(),
  );
});

function expectConforming(log: EventLog): void {
  for (const { event, data, id } of log.all) {
    const entry = document['x-sse-events'].find((item: { event: string }) => item.event === `chatapi.${event}`);
    const fits = entry.schemas.some((schema: object) => Compile(closed(schema)).Check(data));
    expect([event, data, fits]).toEqual([event, data, true]);
    if (entry.isReplayed && data.state === undefined) expect(id).not.toBe('');
  }
}

test('every answer is as the document says', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  await alice.ask('POST', '/chat/contacts/bob');
  await alice.say('bob', { body: 'text', x: 1 });
  world.engine.report({ ref: 'd', number: '201', peer: '202' });
  const calls: readonly [string, string, string, unknown?][] = [
    ['get', '/chat/users', '/chat/users?search=*'],
    ['get', '/chat/contacts', '/chat/contacts'],
    ['get', '/chat/{stream}/contacts', `/chat/${alice.stream}/contacts`],
    ['get', '/chat/presence', '/chat/presence'],
    ['get', '/chat/presence/{of}', '/chat/presence/bob'],
    ['get', '/chat/messages', '/chat/messages'],
    ['get', '/chat/{stream}/messages', '/chat/alice/messages'],
    ['get', '/chat/calls', '/chat/calls'],
    ['get', '/chat/calls/history', '/chat/calls/history'],
    ['post', '/chat/calls', '/chat/calls', { to: '203' }],
  ];
  for (const [method, path, url, body] of calls) {
    const answer = await alice.ask(method.toUpperCase(), url, body);
    const operation = document.paths[path][method];
    const schema = operation.responses[answer.status]?.content['application/json'].schema;
    expect([path, answer.json, Compile(closed(schema)).Check(answer.json)]).toEqual([path, answer.json, true]);
  }
  const wrong = await alice.ask('POST', '/chat/calls', {});
  expect(Compile(closed(document.components.schemas.Error)).Check(wrong.json)).toBe(true);
});

test('every operation says what it needs, and has a path for each of its parameters', () => {
  for (const [path, operations] of Object.entries<Record<string, ReturnType<typeof JSON.parse>>>(document.paths))
    for (const operation of Object.values(operations).filter((item) => item.responses !== undefined)) {
      expect(operation.summary.length).toBeGreaterThan(5);
      const inPath = operation.parameters.filter((item: { in: string }) => item.in === 'path');
      expect(inPath.map((item: { name: string }) => `{${item.name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
    }
});
