import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TapiServerSimulator } from '../../../../../test/kit/tapi-server.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { type Carrier, Page, TRANSPORTS } from './test/sockjs-client.ts';
import { startNode, type TestNode } from './test/start-node.ts';

const CARRIERS: readonly Carrier[] = [...TRANSPORTS, 'plain'];

describe('@stomp/stompjs over sockjs-client and plain WebSocket', () => {
  let node: TestNode;
  const server = new TapiServerSimulator();
  const heard = (): string[] => server.state.log.filter((line) => line.dir === 'in').map((line) => line.payload);

  beforeAll(async () => {
    await server.open();
    node = await startNode({ tapiServer: server.port, settings: { sockjs: { disconnectDelayMs: 300 } } });
    await until(() => server.state.connected);
  });
  afterAll(async () => {
    expect(server.state.violations).toEqual([]);
    await node.close();
    await server.close();
  });

  test.each(CARRIERS)('the seed page on %s (TM §8)', async (carrier) => {
    server.reset();
    const page = await new Page(node.port, carrier, { versions: ['1.1', '1.0'] }).connect();
    expect(page.headers).toMatchObject({ version: '1.1', 'heart-beat': '10000,10000', server: 'tapi-messenger/1.0.0' });
    expect(page.transport).toBe(carrier);
    expect(page.session).toBe(page.headers['session']);
    page.subscribeAll('1001');
    page.send('/tapi/listen', 'Hello!', { apex_session: '1001' });
    expect((await page.take('LISTENING')).body).toBe('LISTENING STARTED for number: 201');
    await until(() => server.state.registered.includes('201'));
    server.ring('0606413737', '201');
    const call = await page.take('0606413737');
    expect(call.body).toBe('{"name":"UNKNOWN","phone":"0606413737"}');
    expect(call.headers['destination']).toBe(`/user/queue/incoming-call-user${page.session}`);
    page.send('/tapi/call', '{"toNumber":"606413737"}');
    expect((await page.take('CALLING')).body).toBe('CALLING NUMBER 606413737');
    const second = await new Page(node.port, carrier).connect();
    second.subscribeAll('1001');
    second.send('/tapi/listen', 'Hello!', { apex_session: '1001' });
    await second.take('LISTENING');
    server.ring('5', '201');
    await page.take('"phone":"5"');
    await second.take('"phone":"5"');
    await page.leave();
    await until(() => node.surface.figures().listening === 1, 'the first page is gone');
    server.drop('rst');
    await until(() => heard().filter((line) => line === 'LISTEN,201').length === 2, 'LISTEN after the loss');
    expect(heard()).toEqual(['LISTEN,201', 'CALL,201,606413737', 'LISTEN,201']);
    await second.disconnect();
    await until(() => heard().at(-1) === 'STOPLISTEN,201', 'the end of the listening');
    await until(() => node.surface.size === 0);
    expect([...page.got, ...second.got]).toEqual([]);
  });

  test.each(CARRIERS)('every version, receipts, transactions and large bodies on %s', async (carrier) => {
    for (const version of ['1.0', '1.1', '1.2']) {
      const page = await new Page(node.port, carrier, { versions: [version] }).connect();
      page.subscribe('/topic/is-call-init');
      const done = new Promise<void>((resolve) => page.client.watchForReceipt('r1', () => resolve()));
      const transaction = page.client.begin();
      transaction.commit();
      page.send('/tapi/call', `{"toNumber":"1","more":"${'ż😀'.repeat(6_000)}"}`, { receipt: 'r1' });
      await done;
      await page.take('FAILED TO CALL NUMBER 1: NO NUMBER FOR THIS SESSION');
      await page.disconnect();
    }
    await until(() => node.surface.size === 0);
  });

  test.each(CARRIERS)('chat on %s: 200 messages, dropped in the middle and resumed', async (carrier) => {
    const config = (login: string) => ({ connectHeaders: { login, passcode: 'demo' } });
    const alice = await new Page(node.port, carrier, config('alice')).connect();
    expect(alice.headers['user-name']).toBe('alice');
    const bob = await new Page(node.port, carrier, config('bob')).connect();
    let position = '';
    bob.client.watchForReceipt('sub', (frame) => (position = frame.headers['position'] ?? ''));
    bob.subscribe('/user/queue/messages', { receipt: 'sub' });
    await until(() => position !== '');
    const seen: { readonly id: string; readonly body: string }[] = [];
    const collect = (page: Page): void => {
      for (const message of page.got.splice(0)) {
        position = message.headers['position'] ?? position;
        const { id, body } = JSON.parse(message.body) as { id: string; body: string };
        if (!seen.some((known) => known.id === id)) seen.push({ id, body });
      }
    };
    const say = (from: number, to: number): void => {
      for (let i = from; i < to; i++)
        alice.send('/tapi/message', JSON.stringify({ to: 'bob', body: `${i}` }), {
          'idempotency-key': `${carrier}-${i}`,
        });
    };
    say(0, 100);
    await until(() => (collect(bob), seen.length >= 50));
    await bob.leave();
    collect(bob);
    say(100, 200);
    const again = await new Page(node.port, carrier, config('bob')).connect();
    again.subscribe('/user/queue/messages', { resume: position });
    await until(() => (collect(again), seen.length >= 200), 'all 200 messages');
    expect(seen.map(({ body }) => body)).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
    await again.disconnect();
    await alice.disconnect();
    await until(() => node.surface.size === 0);
  });

  test('nothing is left after close', async () => {
    const pages = await Promise.all(CARRIERS.map((carrier) => new Page(node.port, carrier).connect()));
    for (const page of pages) {
      page.subscribeAll('1001');
      page.send('/tapi/listen', 'Hello!', { apex_session: '1001' });
      await page.take('LISTENING');
    }
    await node.http.close({ drainMs: 2_000 });
    await until(() => pages.every((page) => page.isClosed), 'every page sees the end');
    expect(node.surface.size).toBe(0);
    expect(node.core.calls.figures().numbers).toBe(0);
    expect(node.http.lobby.size).toBe(0);
    expect(node.http.socketCount).toBe(0);
    expect(node.delivery.size).toBe(0);
    expect(node.timers).toBe(0);
    expect(node.told.filter((line) => line.startsWith('trouble'))).toEqual([]);
    expect(node.told.filter((line) => line === 'opened').length).toBe(
      node.told.filter((line) => line === 'closed').length,
    );
  });
});
