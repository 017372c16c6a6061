import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { writeMessage } from '../../src/index.ts';
import { closing, identity, openSide, options, rawOptions, rawTcp } from './stand.ts';

const REQUEST = rawOptions('SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1;rport');

function dial(port: number, protocols: string[] = ['sip'], isSecure = false): WebSocket {
  const socket = new WebSocket(`${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}/any/path`, protocols, {
    ca: identity.cert,
  });
  socket.on('error', () => undefined);
  return closing(socket, (own) => own.terminate());
}

test('text and binary messages are read; answers are text where they are UTF-8', async () => {
  const a = await openSide({ protocols: ['ws', 'wss'] });
  for (const isSecure of [false, true]) {
    const socket = dial(a.listener(isSecure ? 'wss' : 'ws').local.port, ['chat', 'sip'], isSecure);
    await once(socket, 'open');
    expect(socket.protocol).toBe('sip');
    const want = a.got.length + 2;
    socket.send(REQUEST);
    socket.send(Buffer.from(REQUEST));
    await until(() => a.got.length === want, 'both');
    const { message, flow } = await a.requests();
    expect(message.headers.via?.params.get('received')).toBe('127.0.0.1');
    const kinds: boolean[] = [];
    socket.on('message', (_data, isBinary) => kinds.push(isBinary));
    await a.transports.send(writeMessage(options(flow)), flow);
    await a.transports.send(writeMessage({ ...options(flow), body: Buffer.from([0xff]) }), flow);
    await until(() => kinds.length === 2, 'both answers');
    expect(kinds).toEqual([false, true]);
  }
});

test.each([[[]], [['chat']]])('trap 6: subprotocols %j are refused', async (protocols) => {
  const a = await openSide({ protocols: ['ws'] });
  const socket = dial(a.listener('ws').local.port, protocols);
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(400);
});

test('trap 6: on the configured address only', async () => {
  const a = await openSide({ protocols: ['ws', 'tcp'] });
  for (const protocol of ['ws', 'tcp'] as const)
    await expect(rawTcp({ address: '127.0.0.2', port: a.listener(protocol).local.port })).rejects.toThrow(
      'ECONNREFUSED',
    );
});

test('plain HTTP is told to upgrade', async () => {
  const a = await openSide({ protocols: ['ws'] });
  const asked = request({ host: '127.0.0.1', port: a.listener('ws').local.port }).end();
  const [response] = await once(asked, 'response');
  response.resume();
  expect(response.statusCode).toBe(426);
});

test('a bad message does not end the connection, an oversized one does', async () => {
  const a = await openSide({ protocols: ['ws'] });
  const socket = dial(a.listener('ws').local.port);
  await once(socket, 'open');
  const got: string[] = [];
  socket.on('message', (data: Buffer) => got.push(data.toString()));
  socket.send(REQUEST.replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'));
  await until(() => got.some((text) => text.startsWith('SIP/2.0 400')), 'the 400');
  socket.send(REQUEST);
  await until(() => a.got.length === 1, 'the good one');
  socket.send(Buffer.alloc(400_000, 'x'));
  await once(socket, 'close');
  await until(() => a.transports.connectionCount === 0, 'the end');
});

test('a socket that the caller accepted is adopted, where it speaks sip', async () => {
  const a = await openSide({ protocols: ['udp'] });
  const server = closing(createServer(), (own) => own.close());
  const acceptor = new WebSocketServer({ server, handleProtocols: (all) => (all.has('sip') ? 'sip' : false) });
  const taken: boolean[] = [];
  acceptor.on('connection', (socket) => {
    const ends = {
      local: { address: '127.0.0.1', port: 80 },
      remote: { address: '127.0.0.1', port: 9 },
      isSecure: true,
    };
    taken.push(a.transports.adopt(socket, ends));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const good = dial(port);
  good.on('open', () => good.send(REQUEST));
  const { flow } = await a.requests();
  expect(flow.protocol).toBe('wss');
  const bad = dial(port, []);
  const [code] = await once(bad, 'close');
  expect([code, taken]).toEqual([1013, [true, false]]);
});

test('what the server sends at once after the upgrade is not lost by the client', async () => {
  const a = await openSide({ protocols: ['ws'] });
  const server = closing(createServer(), (own) => own.close());
  const acceptor = new WebSocketServer({ server, handleProtocols: () => 'sip' });
  acceptor.on('connection', (socket) => socket.send(REQUEST));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const flow = a.transports.flowTo({ protocol: 'ws', address: '127.0.0.1', port });
  if (flow === undefined) throw new Error('no flow');
  await a.transports.send(writeMessage(options(flow)), flow);
  await a.requests();
});
