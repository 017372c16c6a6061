import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { until } from '../kit/wait.ts';

let world: ChatApiWorld;
let alice: ChatApiClient;
beforeAll(async () => {
  world = await ChatApiWorld.start({ limits: { retryMs: 10 } });
});
beforeEach(async () => {
  alice = await ChatApiClient.signIn(world.url, 'alice');
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

test('a call rings, is answered, held, transferred and ends: on the stream and in the history', async () => {
  await using log = await alice.events();
  await until(() => world.engine.listening.has('201'));
  world.engine.report({ ref: 'r1', number: '201', peer: '202' });
  const ringing = await log.take(({ event }) => event === 'call');
  expect(ringing.data).toMatchObject({
    type: 'call',
    state: 'RINGING',
    prev_state: '',
    direction: 'inbound',
    source: '202',
    destination: '201',
    other_call_id: '',
    name: 'Bob Brown',
    answer: '',
    end: '',
  });
  // Live calls are not in the journal: no id moves.
  expect(ringing.id).toBe('');
  const id = ringing.data.call_id;
  expect((await alice.ask('GET', '/chat/calls')).json.call).toMatchObject([{ call_id: id, state: 'RINGING' }]);

  expect((await alice.ask('POST', `/chat/calls/${id}/answer`)).status).toBe(200);
  world.engine.report({ ref: 'r1', number: '201', peer: '202', state: 'connected' });
  await log.take(({ data }) => data.state === 'ACTIVE' && data.prev_state === 'RINGING');
  expect((await alice.ask('POST', `/chat/${alice.stream}/calls/${id}/hold`)).status).toBe(200);
  world.engine.report({ ref: 'r1', number: '201', peer: '202', state: 'held' });
  await log.take(({ data }) => data.state === 'HELD');
  expect((await alice.ask('POST', `/chat/calls/${id}/hold`, { on: false })).status).toBe(200);
  expect((await alice.ask('POST', `/chat/calls/${id}/transfer`, { to: '203' })).status).toBe(200);
  expect((await alice.ask('POST', `/chat/calls/${id}/hangup`)).status).toBe(200);
  expect(world.engine.commands).toEqual(
    expect.arrayContaining(['answer r1', 'retrieve r1', 'transfer to 203 r1', 'hangup r1']),
  );
  world.engine.report({ ref: 'r1', number: '201', peer: '202', state: 'ended', end: 'completed' });
  const ended = await log.take(({ event, data }) => event === 'call' && data.state === 'HANGUP');
  expect(ended.data.reason).toBe('completed');
  const record = await log.take(({ event }) => event === 'callrecord');
  expect(record.data).toMatchObject({ type: 'callrecord', call_id: id, state: 'HANGUP', reason: 'completed' });
  expect(record.id).toMatch(/\.\d+$/);
  expect((await alice.ask('GET', '/chat/calls')).json.call).toEqual([]);
  expect((await alice.ask('GET', '/chat/calls/history?max=1')).json.call).toMatchObject([{ call_id: id }]);
});

test('dialling, once for one key', async () => {
  await using log = await alice.events();
  const key = { 'idempotency-key': 'dial-1' };
  const first = await alice.ask('POST', '/chat/calls', { to: '(0) 30-123' }, key);
  expect(first.status).toBe(201);
  expect(first.json).toMatchObject({ source: '201', destination: '030123' });
  expect((await alice.ask('POST', '/chat/calls', { to: '030123' }, key)).json).toEqual(first.json);
  expect((await alice.ask('POST', '/chat/calls', { to: '110' }, key)).status).toBe(409);
  expect(world.engine.commands.filter((command) => command === 'dial 201 030123')).toHaveLength(1);
  const shown = await log.take(({ data }) => data.call_id === first.json.call_id);
  expect(shown.data).toMatchObject({ direction: 'outbound', source: '201', destination: '030123', name: 'UNKNOWN' });
});

test('who comes later gets a snapshot; who was away is told of a missed call', async () => {
  let position = '';
  {
    await using log = await alice.events();
    await alice.say('bob', 'mark');
    await until(() => log.lastId !== '');
    position = log.lastId;
  }
  await until(() => world.engine.listening.size === 0);
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using bobSees = await bob.events();
  await until(() => world.engine.listening.has('202'));
  world.engine.report({ ref: 'b1', number: '202', peer: '201' });
  await bobSees.take(({ event, data }) => event === 'call' && data.state === 'RINGING');
  await using second = await bob.events();
  const snapshot = await second.take(({ event }) => event === 'call');
  expect(snapshot.data).toMatchObject({ state: 'RINGING', source: '201', name: 'Alice Adams' });
  world.engine.report({ ref: 'b1', number: '202', peer: '201', state: 'ended', end: 'missed' });
  await second.take(({ event }) => event === 'callrecord');

  // A system that sees every call tells of those too that nobody listened to.
  world.engine.report({ ref: 'a9', number: '201', peer: '203' });
  world.engine.report({ ref: 'a9', number: '201', peer: '203', state: 'ended', end: 'missed' });
  await until(async () => (await alice.ask('GET', '/chat/calls/history')).json.call[0]?.reason === 'missed');
  await using log = await alice.events({ lastEventId: position });
  const missed = await log.take(({ event }) => event === 'callrecord');
  expect(missed.data).toMatchObject({ source: '203', name: 'Carol Cox', reason: 'missed' });
});

test('the first stream of a user begins the listening, the last one ends it', async () => {
  await until(() => world.engine.listening.size === 0);
  const from = world.engine.commands.length;
  {
    await using _one = await alice.events();
    await until(() => world.engine.listening.has('201'));
    await using _two = await alice.events();
    await until(() => world.chatApi.figures().eventStreams === 2);
  }
  await until(() => world.engine.listening.size === 0);
  expect(world.engine.commands.slice(from)).toEqual(['listen 201', 'unlisten 201']);
});

test('a user who gets another number hears that one only', async () => {
  await until(() => world.engine.listening.size === 0);
  const carol = await ChatApiClient.signIn(world.url, 'carol');
  await using log = await carol.events();
  await until(() => world.engine.listening.has('203'));
  await world.core.directory.changeUser(await world.idOf('carol'), { number: '299' });
  await until(() => world.engine.listening.has('299'));
  expect([...world.engine.listening]).toEqual(['299']);
  world.engine.report({ ref: 'c1', number: '203', peer: '201' });
  world.engine.report({ ref: 'c2', number: '299', peer: '202' });
  const rung = await log.take(({ event }) => event === 'call');
  expect(rung.data).toMatchObject({ destination: '299', source: '202' });
});

test('what cannot be done: errors with their words', async () => {
  const cases: readonly [string, unknown, number, string][] = [
    ['/calls/nonsense/answer', undefined, 404, 'no such call'],
    [`/calls/${'9'.repeat(100)}/hangup`, undefined, 404, 'no such call'],
    ['/calls', { to: 'abc' }, 400, 'no telephone number'],
    ['/calls', { to: 7 }, 400, '"to"'],
    ['/calls/x/transfer', {}, 400, '"to"'],
    ['/calls/x/transfer', { to: '1', call: '2' }, 400, 'either'],
  ];
  for (const [path, body, status, words] of cases) {
    const answer = await alice.ask('POST', `/chat${path}`, body);
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.json.message).toContain(words);
  }
  world.engine.report({ ref: 'w1', number: '201', peer: '202' });
  const [call] = await until(async () => {
    const live = (await alice.ask('GET', '/chat/calls')).json.call.filter(
      (item: { source: string }) => item.source === '202',
    );
    return live.length > 0 && live;
  });
  const act = async (name: string): Promise<number> =>
    (await alice.ask('POST', `/chat/calls/${call.call_id}/${name}`)).status;
  expect(await act('hold')).toBe(409);
  world.engine.abilities = { ...world.engine.abilities, answer: false };
  expect(await act('answer')).toBe(501);
  world.engine.isConnected = false;
  const away = await alice.ask('POST', `/chat/calls/${call.call_id}/hangup`);
  expect([away.status, Number(away.headers.get('retry-after')) > 0]).toEqual([503, true]);
  world.engine.isConnected = true;
  // Somebody else's call.
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  expect((await bob.ask('POST', `/chat/calls/${call.call_id}/hangup`)).status).toBe(403);
  world.engine.report({ ref: 'w1', number: '201', peer: '202', state: 'ended', end: 'missed' });
});
