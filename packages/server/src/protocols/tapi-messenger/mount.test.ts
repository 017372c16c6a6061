import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { get } from './test/raw-http.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode } from './test/start-node.ts';

function handshake(
  port: number,
  path: string,
  options: { protocols?: string[]; origin?: string } = {},
): Promise<string> {
  const { protocols = [], ...more } = options;
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, more);
  return new Promise((resolve) => {
    ws.on('error', () => undefined);
    ws.on('unexpected-response', (_req, res) => resolve(String(res.statusCode)));
    ws.on('open', () => {
      ws.terminate();
      resolve(`open ${ws.protocol}`);
    });
  });
}

test('the endpoint stands below its prefix on the product’s listener', async () => {
  await using node = await startNode();
  const { port } = node;
  expect(await get(port, '/tapi-messenger')).toMatchObject({ status: 200, body: 'Welcome to SockJS!\n' });
  expect(JSON.parse((await get(port, '/tapi-messenger/info?t=1')).body)).toMatchObject({
    websocket: true,
    origins: ['*:*'],
  });
  for (const path of ['/tapi-messenger/nothing', '/tapi-messengers', '/echo', '/tapi-messenger//'])
    expect((await get(port, path)).status, path).toBe(404);
  expect(await handshake(port, '/tapi-messenger/nothing')).toBe('404');
  const protocols = ['v10.stomp', 'x', 'v12.stomp', 'v11.stomp'];
  expect(await handshake(port, '/tapi-messenger/websocket', { protocols })).toBe('open v12.stomp');
  expect(await handshake(port, '/tapi-messenger/websocket')).toBe('open ');
});

test('its settings: prefix, origins, no WebSockets, the services of the protocol suite', async () => {
  const sockjs = { prefix: '/stomp', allowedOrigins: ['https://app.example.com'], selftest: true };
  await using node = await startNode({ settings: { sockjs } });
  const { port } = node;
  expect((await get(port, '/stomp')).status).toBe(200);
  expect((await get(port, '/echo')).status).toBe(200);
  expect((await get(port, '/stomp/info', { Origin: 'https://other.example.com' })).status).toBe(403);
  expect((await get(port, '/stomp/info', { Origin: 'https://app.example.com' })).status).toBe(200);
  expect(await handshake(port, '/stomp/websocket', { origin: 'https://other.example.com' })).toBe('403');
  expect(await handshake(port, '/stomp/websocket', { origin: 'https://app.example.com' })).toBe('open ');
  await using without = await startNode({ settings: { sockjs: { websocket: false } } });
  expect(JSON.parse((await get(without.port, '/tapi-messenger/info')).body)).toMatchObject({ websocket: false });
  expect(await handshake(without.port, '/tapi-messenger/websocket')).toBe('404');
});

test('no more strangers than there is room for', async () => {
  await using node = await startNode({ limits: { lobby: 2 } });
  const first = new RawStomp(node.port);
  await first.opened();
  const second = await RawStomp.connect(node.port);
  const third = new RawStomp(node.port);
  await third.opened();
  const fourth = new RawStomp(node.port);
  expect(await fourth.over()).toMatchObject({ code: 1013 });
  for (const client of [first, second, third]) await client.close();
});
