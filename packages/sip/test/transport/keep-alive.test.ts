import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { scaled, seedOf, seeded } from '../../../../test/kit/scale.ts';
import { until } from '../../../../test/kit/wait.ts';
import { keepAlive } from '../../src/index.ts';
import type { Endpoint } from '../../src/index.ts';
import { MAX_PROBES } from '../../src/transport/bindings.ts';
import { answerBinding, isStun, readBindingAnswer, writeBindingRequest } from '../../src/transport/stun.ts';
import { FakeClock, settle } from '../fake-clock.ts';
import { closing, flowTo, openSide, rawOptions, rawTcp, rawUdp } from './stand.ts';

const PING = Buffer.from('\r\n\r\n');

test('CRLF CRLF is answered by CRLF, between messages too (RFC 5626 3.5.1)', async () => {
  const a = await openSide();
  const peer = await rawTcp(a.listener('tcp').local);
  peer.socket.write('\r\n\r\n');
  await until(() => peer.text() === '\r\n', 'the pong');
  peer.socket.write(`${rawOptions('SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1')}\r\n\r\n`);
  await until(() => peer.text() === '\r\n\r\n', 'the second pong');
  expect(a.got).toHaveLength(1);
});

test('RFC 7118 6: the same over WebSocket', async () => {
  const a = await openSide();
  const { local } = a.listener('ws');
  const socket = closing(new WebSocket(`ws://127.0.0.1:${local.port}`, 'sip'), (own) => own.terminate());
  const got: string[] = [];
  socket.on('message', (data: Buffer) => got.push(data.toString()));
  socket.on('open', () => socket.send('\r\n\r\n'));
  await until(() => got[0] === '\r\n', 'the pong');
});

test('STUN on the SIP port (RFC 5626 3.5.2), IPv4 and IPv6', async () => {
  for (const address of ['127.0.0.1', '::1']) {
    const a = await openSide({ address, protocols: ['udp'] });
    const peer = await rawUdp(address);
    const transaction = Buffer.from('0123456789ab');
    peer.send(writeBindingRequest(transaction), a.listener('udp').local);
    const answer = readBindingAnswer(await until(() => peer.got[0], 'the answer'));
    expect(answer?.transaction).toBe(transaction.toString('hex'));
    const expected = address === '::1' ? '0:0:0:0:0:0:0:1' : address;
    expect(answer?.mapped).toEqual({ address: expected, port: peer.local.port });
    expect(a.refused).toEqual([]);
  }
});

test.each([
  ['a length that lies', 2, 8],
  ['no request', 0, 1],
])('STUN that is none is not answered: %s', (_name, at, value) => {
  const bytes = writeBindingRequest(new Uint8Array(12));
  bytes[at] = value;
  expect(answerBinding(bytes, { address: '127.0.0.1', port: 1 })).toBeUndefined();
});

test('broken STUN does no harm', () => {
  const random = seeded(seedOf('stun'));
  const good = answerBinding(writeBindingRequest(new Uint8Array(12)), { address: '2001:db8::1', port: 5060 });
  for (let i = 0; i < scaled({ verify: 20_000, soak: 500_000 }); i++) {
    const bytes = Buffer.from(good ?? []).subarray(0, 20 + Math.floor(random() * 25));
    for (let left = 1 + random() * 4; left > 0; left--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    if (!isStun(bytes)) continue;
    answerBinding(bytes, { address: '::ffff:192.0.2.1', port: 1 });
    readBindingAnswer(bytes);
  }
});

test.each(['udp', 'tcp', 'tls', 'ws', 'wss'] as const)('%s: a probe is answered', async (protocol) => {
  const a = await openSide();
  const b = await openSide();
  const flow = flowTo(b, a.listener(protocol).local, protocol);
  const mapped = await b.transports.probe(flow, 5_000);
  expect(mapped).toEqual(protocol === 'udp' ? b.listener('udp').local : undefined);
});

test('a flow that stops answering is dead, told once; a closed keep-alive tells nothing', async () => {
  const clock = new FakeClock();
  const a = await openSide({ clock, protocols: ['udp'] });
  const silent = await rawUdp();
  const flow = flowTo(a, silent.local, 'udp');
  let deaths = 0;
  const base = { flow, intervalMs: 25_000, clock, onDead: () => (deaths += 1) };
  keepAlive(a.transports, base);
  const other = keepAlive(a.transports, base);
  await clock.pass(26_000, 1_000);
  await until(() => silent.got.length === 2, 'both pings');
  other.close();
  await clock.pass(60_000, 1_000);
  expect(deaths).toBe(1);
  expect(silent.got).toHaveLength(2);
});

test('a flow that answers is probed on and on, and the mapped address is told', async () => {
  const clock = new FakeClock();
  const a = await openSide({ protocols: ['udp'] });
  const b = await openSide({ clock, protocols: ['udp'] });
  const mapped: Endpoint[] = [];
  const keeper = keepAlive(b.transports, {
    flow: flowTo(b, a.listener('udp').local, 'udp'),
    intervalMs: 1_000,
    clock,
    onDead: () => expect.unreachable(),
    onMapped: (own) => mapped.push(own),
  });
  for (let round = 1; round <= 3; round++) {
    clock.advance(1_000);
    await until(() => mapped.length === round, 'an answer');
    await settle();
  }
  keeper.close();
  expect(new Set(mapped.map((own) => own.port))).toEqual(new Set([b.listener('udp').local.port]));
});

test('unanswered probes are bounded', async () => {
  const clock = new FakeClock();
  const a = await openSide({ clock, protocols: ['udp'] });
  const silent = await rawUdp();
  const flow = flowTo(a, silent.local, 'udp');
  const all = Array.from({ length: MAX_PROBES + 1 }, () => a.transports.probe(flow, 1_000));
  await expect(all.at(-1)).rejects.toMatchObject({ code: 'send-failed' });
  clock.advance(1_001);
  const results = await Promise.allSettled(all);
  expect(results.every((one) => one.status === 'rejected')).toBe(true);
});

test('RFC 5626 4.4: a connection that is dead is closed, so that the next request opens a new one', async () => {
  const clock = new FakeClock();
  const a = await openSide({ clock, protocols: ['tcp'] });
  const server = closing(createServer(), (own) => own.close());
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(closing(socket, (own) => own.destroy())));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bound = server.address();
  const flow = flowTo(a, { address: '127.0.0.1', port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 }, 'tcp');
  await a.transports.send(PING, flow);
  const dead = a.transports.probe(flow, 10_000).catch((error: unknown) => error);
  await until(() => accepted.length === 1, 'the connection');
  await settle();
  clock.advance(10_001);
  expect(await dead).toMatchObject({ code: 'flow-closed' });
  expect(a.transports.connectionCount).toBe(0);
  await a.transports.send(PING, flow);
  await until(() => accepted.length === 2, 'the new connection');
});

test('two who keep one connection alive are both answered', async () => {
  const a = await openSide({ protocols: ['tcp'] });
  const b = await openSide({ protocols: ['tcp'] });
  const flow = flowTo(b, a.listener('tcp').local, 'tcp');
  await Promise.all([b.transports.probe(flow, 2_000), b.transports.probe(flow, 2_000)]);
});
