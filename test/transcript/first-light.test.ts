import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

describe('a message crosses all three surfaces', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world.close();
  });

  test('alice on PbxSignal, bob on SSE, carol on STOMP: one id and one order, and the history has it all', async () => {
    await using alice = await PbxApp.signIn(world.port, { sip: 'alice' });
    await alice.register({ hw: 'chat-alice', resume: '' });
    alice.acceptChats();
    const bob = await ChatApiClient.signIn(world.url, 'bob');
    await using bobEvents = await bob.events();
    await using carol = await StompApp.signIn(world.port, 'carol');
    carol.subscribe('/user/queue/messages');
    await carol.send('/tapi/stop', '');

    await alice.callChat(1, 'bob');
    alice.say(1, 'Hello Bob');
    const toBob = await bobEvents.take(({ event, data }) => event === 'chat' && data.body === 'Hello Bob');
    expect(toBob.data.from).toMatch(/^alice@example\.test/);

    const answerId = await bob.say('alice', 'Hello Alice');
    await until(() => alice.texts.some((text) => text['data'] === 'Hello Alice'), 'bob’s answer');
    const answer = alice.texts.find((text) => text['data'] === 'Hello Alice');
    expect(answer).toMatchObject({ sender: 'bob', sender_dn: 'Bob Brown', id: answerId });

    alice.signal(2, {
      type: 'setup',
      bc: 'a880',
      channel: 0,
      complete: true,
      cd: { num: '203' },
      fty: [{ type: 'im_setup' }],
    });
    await alice.takeSignal('conn', 2);
    alice.say(2, 'Hello Carol');
    const toCarol = await carol.take((frame) => frame.json?.['body'] === 'Hello Carol');
    expect(toCarol.json).toMatchObject({ from: 'alice', to: 'carol', seq: 1 });
    expect(toCarol.headers['position']).toMatch(/^[0-9a-z]+\.\d+$/);
    const receipt = await carol.send('/tapi/message', { to: 'alice', body: 'Hello from the page' });
    await until(() => alice.texts.some((text) => text['data'] === 'Hello from the page'), 'carol’s answer');
    const fromCarol = alice.texts.find((text) => text['data'] === 'Hello from the page');
    expect(fromCarol?.['id']).toBe(receipt['id']);

    const history = await bob.history('/chat/messages?to=alice&max=10');
    expect(history.map(({ body }) => body)).toEqual(['Hello Bob', 'Hello Alice']);
    const ids = history.map((message) => message.id ?? message.ID ?? message.messageID);
    expect(ids).toContain(answerId);
    expect(JSON.stringify(toBob)).toContain(String(ids[0]));
    const rest = await ChatApiClient.signIn(world.url, 'alice');
    const all = await rest.history('/chat/messages?to=carol&max=10');
    expect(all.map(({ body }) => body)).toEqual(['Hello Carol', 'Hello from the page']);
  });

  test('one user on all three at once sees each message everywhere, in one order', async () => {
    await using pbx = await PbxApp.signIn(world.port, { sip: 'bob' });
    await pbx.register({ hw: 'chat-bob', resume: '' });
    pbx.acceptChats();
    const rest = await ChatApiClient.signIn(world.url, 'bob');
    await using events = await rest.events();
    await using stomp = await StompApp.signIn(world.port, 'bob');
    stomp.subscribe('/user/queue/messages');
    await stomp.send('/tapi/stop', '');
    const seenBefore = events.all.length;
    const carol = await ChatApiClient.signIn(world.url, 'carol');
    const expected: string[] = [];
    for (let i = 0; i < 30; i++) {
      const text = `everywhere ${i}`;
      expected.push(text);
      if (i % 3 === 0) await carol.say('bob', text);
      else if (i % 3 === 1) await stomp.send('/tapi/message', { to: 'carol', body: text });
      else await rest.say('carol', text);
    }
    const onEvents = (): string[] =>
      events.all
        .slice(seenBefore)
        .filter(({ event }) => event === 'chat' || event === 'sent')
        .map(({ data }) => data.body)
        .filter(Boolean);
    await until(() => onEvents().length === 30, 'all on SSE');
    // What this page has sent itself it knows by its receipt.
    const others = expected.filter((_text, i) => i % 3 !== 1);
    await until(() => stomp.messages.length === 20, 'all of others on STOMP');
    expect(onEvents()).toEqual(expected);
    expect(stomp.messages.map((frame) => frame.json?.['body'])).toEqual(others);
    const own = stomp.messages.filter((frame) => frame.headers['direction'] === 'out');
    expect(own.map((frame) => frame.json?.['from'])).toEqual(Array(10).fill('bob'));
    await until(() => pbx.texts.length === 30, 'all on PbxSignal');
    expect(pbx.texts.map((text) => text['data'])).toEqual(expected);
    expect(pbx.texts.filter((text) => text['direction'] === 'out')).toHaveLength(20);
  });
});

describe('a call crosses all three surfaces', () => {
  let simulator: TapiServerSimulator;
  let world: World;
  beforeAll(async () => {
    simulator = new TapiServerSimulator();
    await simulator.open();
    world = await startWorld({ TIELINE_TAPI_SERVER: `127.0.0.1:${simulator.port}`, TIELINE_TAPI_RECONNECT_MS: '50' });
  });
  afterAll(async () => {
    await world.close();
    await simulator.close();
  });

  const said = (payload: string): boolean => simulator.state.log.some((l) => l.dir === 'in' && l.payload === payload);

  test('NEWCALL for 201 pops up on STOMP and on SSE; /tapi/call reaches the TapiServer; the last listener ends the listening', async () => {
    await using page = await StompApp.open(world.port);
    const session = page.connected?.['session'] ?? '';
    page.subscribe('/topic/is-listen-init');
    page.subscribe('/topic/is-call-init');
    page.subscribe(`/user/queue/incoming-call-user${session}`);
    page.client.publish({ destination: '/tapi/listen', body: 'Hello!', headers: { apex_session: '1001' } });
    const reply = await page.take((frame) => frame.destination === '/topic/is-listen-init');
    expect(reply.body).toBe('LISTENING STARTED for number: 201');
    const alice = await ChatApiClient.signIn(world.url, 'alice');
    await using events = await alice.events();
    await until(() => simulator.ring('0606413737', '201'), '201 to be listened to');

    const popped = await page.take((frame) => frame.destination.includes('incoming-call'));
    expect(popped.body).toBe('{"name":"UNKNOWN","phone":"0606413737"}');
    expect(popped.headers['content-type']).toBe('application/json;charset=UTF-8');
    const call = await events.take(({ event }) => event === 'call');
    expect(call.data).toMatchObject({ state: 'RINGING', source: '0606413737' });

    simulator.ring('202', '201');
    const known = await page.take((frame) => frame.body.includes('"202"'));
    expect(known.body).toBe('{"name":"Bob Brown","phone":"202"}');

    page.client.publish({ destination: '/tapi/call', body: '{"toNumber":"606413737"}' });
    const called = await page.take((frame) => frame.destination === '/topic/is-call-init');
    expect(called.body).toBe('CALLING NUMBER 606413737');
    await until(() => said('CALL,201,606413737'), 'the call at the TapiServer');

    await simulator.shut();
    await simulator.open();
    await until(() => simulator.state.registered.includes('201'), 'the listening to be back');

    page.client.publish({ destination: '/tapi/stop', body: '' });
    await until(() => simulator.state.log.length > 0);
    expect(simulator.state.registered).toContain('201');
    events.close();
    await alice.ask('POST', `/chat/${alice.stream}/logoff`);
    await until(() => simulator.state.registered.length === 0, 'the listening to end');
    expect(simulator.state.violations).toEqual([]);
  });
});

describe('calls through the built-in exchange', () => {
  test('dialled on REST, answered on REST, seen on STOMP and SSE, recorded for both', async () => {
    await using world = await startWorld();
    const alice = await ChatApiClient.signIn(world.url, 'alice');
    const bob = await ChatApiClient.signIn(world.url, 'bob');
    await using aliceEvents = await alice.events();
    await using bobEvents = await bob.events();
    await using bobPage = await StompApp.open(world.port);
    const session = bobPage.connected?.['session'] ?? '';
    bobPage.subscribe(`/user/queue/incoming-call-user${session}`);
    bobPage.subscribe('/topic/is-listen-init');
    bobPage.client.publish({ destination: '/tapi/listen', body: '', headers: { apex_session: '1002' } });
    await bobPage.take((frame) => frame.destination === '/topic/is-listen-init');

    const dialled = await alice.ask('POST', '/chat/calls', { to: '202' });
    expect(dialled.status).toBeLessThan(300);
    const ringing = await bobEvents.take(({ event, data }) => event === 'call' && data.state === 'RINGING');
    expect(ringing.data).toMatchObject({ source: '201', name: 'Alice Adams' });
    expect((await bobPage.take(() => true)).body).toBe('{"name":"Alice Adams","phone":"201"}');

    expect((await bob.ask('POST', `/chat/calls/${ringing.data.call_id}/answer`)).status).toBeLessThan(300);
    await aliceEvents.take(({ event, data }) => event === 'call' && data.state === 'ACTIVE');
    await until(
      async () => (await world.server.core.presence.now(await idOf(world, 'bob'))).isOnPhone,
      'bob on the phone',
    );
    const mine = await aliceEvents.take(({ event, data }) => event === 'call' && data.state === 'ACTIVE');
    expect((await alice.ask('POST', `/chat/calls/${mine.data.call_id}/hangup`)).status).toBeLessThan(300);
    await bobEvents.take(({ event, data }) => event === 'call' && data.state === 'HANGUP');
    await bobEvents.take(({ event }) => event === 'callrecord');
    await aliceEvents.take(({ event }) => event === 'callrecord');
    expect((await world.server.core.presence.now(await idOf(world, 'bob'))).isOnPhone).toBe(false);
  });
});

async function idOf(world: World, name: string) {
  return (await world.server.core.directory.requireUser({ by: 'name', value: name })).id;
}
