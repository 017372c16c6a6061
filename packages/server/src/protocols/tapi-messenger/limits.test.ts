import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { systemClock } from '../../kit/index.ts';
import { SockJsEndpoint } from './sockjs/index.ts';
import { sockJsDefaults } from './sockjs/options.ts';
import { post, RawHttp } from './test/raw-http.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { serve } from './test/serve.ts';
import { startNode, type TestNode } from './test/start-node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await startNode({ lookup: { find: (phone) => Promise.resolve({ phone }) } });
});
afterAll(() => node.close());

test('a number that is no number is shown cut', async () => {
  const client = await RawStomp.connect(node.port);
  await client.subscribe('r', '/topic/is-call-init');
  client.sendText('SEND\ndestination:/tapi/listen\napex_session:734\n\n\0');
  client.sendText(`SEND\ndestination:/tapi/call\n\n${JSON.stringify({ toNumber: 'x'.repeat(65) })}\0`);
  expect(await client.take('FAILED')).toContain(`NUMBER ${'x'.repeat(64)}: INVALID NUMBER`);
  await client.close();
});

test('an idempotency key that is too long is refused', async () => {
  const client = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\nlogin:alice\npasscode:demo\n');
  await client.subscribe('e', '/user/queue/errors');
  const say = (key: string): void =>
    client.send(
      `SEND\ndestination:/tapi/message\nidempotency-key:${key}\nreceipt:${key.length}\n\n${JSON.stringify({ to: 'bob', body: 'x' })}`,
    );
  say('k'.repeat(200));
  await client.take('RECEIPT', 'receipt-id:200');
  say('k'.repeat(201));
  expect(await client.take('MESSAGE', '"receipt":"201"')).toContain('"code":"bad-request"');
  await client.close();
});

test('requests that send, of one session, are bounded', async () => {
  const url = '/tapi-messenger/0/sends';
  await post(node.port, `${url}/xhr`, '');
  const open = Array.from({ length: sockJsDefaults.maxSendsUnderWay }, () => {
    const http = new RawHttp(node.port);
    http.write(`POST ${url}/xhr_send HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n`);
    return http;
  });
  const reply = await until(async () => {
    const answer = await post(node.port, `${url}/xhr_send`, '[]');
    return answer.status === 429 ? answer : undefined;
  }, 'the refusal');
  expect(reply.headers['retry-after']).toBe('1');
  for (const http of open) http.abort();
  await until(async () => (await post(node.port, `${url}/xhr_send`, '["\\n"]')).status === 204, 'room again');
});

test.each([
  ['in all', { maxSessions: 1 }],
  ['of one address', { maxSessionsPerAddress: 1 }],
])('sessions are bounded: %s', async (_what, options) => {
  const full: string[] = [];
  const endpoint = new SockJsEndpoint(
    {
      clock: systemClock,
      acceptWebSocket: () => Promise.reject(new Error('nobody gets as far')),
      onConnection: () => ({ onMessage: () => undefined, onClosed: () => undefined }),
      onDefect: (error) => void full.push(String(error)),
      onFull: (address) => void full.push(address),
    },
    { ...options, prefix: '/s' },
  );
  await using served = await serve([endpoint]);
  expect((await post(served.port, '/s/0/one/xhr')).body).toBe('o\n');
  const refused = await post(served.port, '/s/0/two/xhr');
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
  using raw = new RawHttp(served.port);
  raw.request({
    method: 'GET',
    path: '/s/websocket',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  });
  expect((await raw.head()).status).toBe(503);
  expect(full).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(endpoint.sessionCount).toBe(1);
});
