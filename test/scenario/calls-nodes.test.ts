import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Server } from '../../packages/server/src/main.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';

let cluster: Nodes;
let one: Server;
let two: Server;

/** A page as the original's, that listens to `number` by its application session. */
async function screen(node: Server, session: string): Promise<StompApp> {
  const page = await StompApp.open(node.port, { login: 'mylogin', passcode: 'mypasswd' });
  for (const queue of ['incoming-call', 'call-state', 'errors']) page.subscribe(`/user/queue/${queue}`);
  for (const topic of ['is-listen-init', 'is-call-init']) page.subscribe(`/topic/${topic}`);
  await page.send('/tapi/listen', 'Hello!', { apex_session: session });
  await page.take(({ body }) => body.startsWith('LISTENING STARTED'));
  return page;
}

const rang = (page: StompApp, phone: string) => page.take(({ json }) => json?.['phone'] === phone && 'name' in json);
const isTapiConnected = async (node: Server): Promise<boolean> => {
  const health = (await (await fetch(`${node.url}/healthz`)).json()) as { tapi: string };
  return health.tapi === 'connected';
};

describe('a TapiServer and two nodes', () => {
  let simulator: TapiServerSimulator;
  const heard = (): string[] => simulator.state.log.filter(({ dir }) => dir === 'in').map(({ payload }) => payload);
  const isRegistered = (...numbers: string[]) => until(() => simulator.state.registered.join() === numbers.join());

  beforeEach(async () => {
    simulator = new TapiServerSimulator({ hello: true });
    await simulator.open();
    cluster = await startNodes(2, { TIELINE_TAPI_SERVER: `127.0.0.1:${simulator.port}` });
    [one, two] = cluster.nodes as [Server, Server];
    await until(async () => (await isTapiConnected(one)) && (await isTapiConnected(two)), 'both to see the TapiServer');
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
    expect(simulator.state.violations).toEqual([]);
    await simulator.close();
  });

  test('a call pops up on the screens of both, once each; the last listener on any ends the listening', async () => {
    const first = await screen(one, '1001');
    const second = await screen(two, '1001');
    const alice = await ChatApiClient.signIn(two.url, 'alice');
    await using events = await alice.events();
    await isRegistered('201');
    simulator.ring('0606', '201');
    await Promise.all([rang(first, '0606'), rang(second, '0606')]);
    const shown = await events.take(({ event }) => event === 'call');
    expect(shown.data).toMatchObject({ state: 'RINGING', source: '0606', destination: '201' });
    await using late = await alice.events();
    const snapshot = await late.take(({ event }) => event === 'call');
    expect(snapshot.data['call_id']).toBe(shown.data['call_id']);
    await first.close();
    await second.close();
    expect(heard()).toEqual(['LISTEN,201']);
    await late[Symbol.asyncDispose]();
    await events[Symbol.asyncDispose]();
    await until(() => heard().join() === 'LISTEN,201,STOPLISTEN,201', 'the end of the listening');
    expect(simulator.state.connections).toBe(1);
  });

  test('a dial reaches the TapiServer once, from either node; one key dials once on all', async () => {
    const pages = [await screen(one, '1001'), await screen(two, '1001')];
    for (const [i, page] of pages.entries()) {
      await page.send('/tapi/call', { toNumber: `70${i}` });
      await page.take(({ body }) => body === `CALLING NUMBER 70${i}`);
    }
    const [here, there] = await Promise.all([one, two].map(({ url }) => ChatApiClient.signIn(url, 'alice')));
    const dial = async (client: ChatApiClient | undefined, to: string) => {
      const answer = await client!.ask('POST', '/chat/calls', { to }, { 'idempotency-key': 'k' });
      return { status: answer.status, call: answer.json['call_id'] as string };
    };
    const both = await Promise.all([dial(here, '800'), dial(there, '800')]);
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
    expect(both[0].call).toBe(both[1].call);
    expect(await dial(there, '800')).toEqual(both[0]);
    expect((await dial(there, '801')).status).toBe(409);
    expect(heard().filter((payload) => payload.startsWith('CALL'))).toEqual([
      'CALL,201,700',
      'CALL,201,701',
      'CALL,201,800',
    ]);
    for (const page of pages) await page.close();
  });

  test('a call is followed and steered on the node that does not have it, and counts for presence there', async () => {
    const page = await screen(two, '1001');
    await using watcher = await StompApp.signIn(two.port, 'bob');
    watcher.subscribe('/topic/presence.alice');
    await isRegistered('201');
    simulator.ring('0606', '201');
    await rang(page, '0606');
    simulator.say('CALLSTATE,7,CONNECTED,0606,201');
    const answered = await page.take(({ json }) => json?.['state'] === 'CONNECTED');
    await watcher.take(({ json }) => json?.['onPhone'] === true);
    await page.send('/tapi/hangup', { callId: answered.json?.['callId'] });
    await until(() => heard().includes('HANGUP,201,7'), 'the TapiServer to be told');
    simulator.say('CALLSTATE,7,ENDED,0606,201');
    await page.take(({ json }) => json?.['state'] === 'ENDED');
    await watcher.take(({ json }) => json?.['onPhone'] === false);
    await page.close();
  });

  test('a holder that drains hands over: one connection at a time, everything is listened to again', async () => {
    const [first, second] = [await screen(one, '1002'), await screen(two, '1001')];
    await isRegistered('202', '201');
    const closing = one.close();
    await until(() => simulator.state.connections === 2 && simulator.state.registered.join() === '201');
    await closing;
    await first.close();
    expect(heard()).toEqual(['LISTEN,202', 'LISTEN,201', 'STOPLISTEN,202', 'STOPLISTEN,201', 'LISTEN,201']);
    simulator.ring('0707', '201');
    await rang(second, '0707');
    await second.close();
  });

  test('a holder that dies: the other takes over, and its calls end as lost, on screens and in the history', async () => {
    const second = await screen(two, '1001');
    await isRegistered('201');
    simulator.ring('0606', '201');
    await rang(second, '0606');
    simulator.say('CALLSTATE,7,CONNECTED,0606,201');
    await second.take(({ json }) => json?.['state'] === 'CONNECTED');
    const alice = await ChatApiClient.signIn(two.url, 'alice');
    await cluster.kill(one);
    await second.take(({ json }) => json?.['state'] === 'ENDED');
    const { json } = await alice.ask('GET', '/chat/calls/history');
    expect(json['call']).toMatchObject([{ source: '0606', reason: 'lost' }]);
    await until(() => simulator.state.connections === 2 && simulator.state.registered.join() === '201');
    simulator.ring('0707', '201');
    await rang(second, '0707');
    await second.close();
  });
});

describe('the built-in exchange and two nodes', () => {
  beforeEach(async () => {
    cluster = await startNodes(2);
    [one, two] = cluster.nodes as [Server, Server];
    await until(async () => (await isTapiConnected(one)) && (await isTapiConnected(two)), 'both to see the exchange');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  test.each(['the node that holds it', 'the other node'])('a call between two pages, dialled on %s', async (where) => {
    const [here, there] = where === 'the other node' ? [two, one] : [one, two];
    const alice = await ChatApiClient.signIn(here.url, 'alice');
    const bob = await ChatApiClient.signIn(there.url, 'bob');
    await using hers = await alice.events();
    await using his = await bob.events();
    await until(() => [here, there].every((node) => node.core.calls.figures().numbers === 1), 'both to listen');
    const { json: call } = await alice.ask('POST', '/chat/calls', { to: '202' });
    const dialled = call['call_id'] as string;
    const ringing = await his.take(({ event, data }) => event === 'call' && data['state'] === 'RINGING');
    expect(ringing.data).toMatchObject({ source: '201', destination: '202', name: 'Alice Adams' });
    expect((await bob.ask('POST', `/chat/calls/${ringing.data['call_id']}/answer`)).status).toBe(200);
    await hers.take(({ data }) => data['call_id'] === dialled && data['state'] === 'ACTIVE');
    expect((await alice.ask('POST', `/chat/calls/${dialled}/hangup`)).status).toBe(200);
    for (const [client, events, id] of [
      [alice, hers, dialled],
      [bob, his, ringing.data['call_id']],
    ] as const) {
      const record = await events.take(({ event }) => event === 'callrecord');
      expect(record.data).toMatchObject({ call_id: id, state: 'HANGUP', reason: 'completed' });
      const { json } = await client.ask('GET', '/chat/calls/history?max=1');
      expect(json['call']).toMatchObject([{ call_id: id, reason: 'completed' }]);
    }
  });
});
