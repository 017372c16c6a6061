import { connect, createServer, Socket } from 'node:net';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { expect, test, vi } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { DEFAULT_POLICY, openTransports, writeMessage } from '../../src/index.ts';
import type { Endpoint } from '../../src/index.ts';
import { SipConnection } from '../../src/transport/connection.ts';
import { ConnectionTable } from '../../src/transport/connections.ts';
import { DEFAULT_LIMITS } from '../../src/transport/limits.ts';
import { wireSocket } from '../../src/transport/listener.ts';
import { CLOSE_MS, wireOf } from '../../src/transport/streams.ts';
import { makeCertificate } from '../certificate.ts';
import { FakeClock } from '../fake-clock.ts';
import { closing, flowTo, identity, openSide, options, rawOptions, rawTcp, sendOptions } from './stand.ts';

const REQUEST = rawOptions('SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1');

test('a peer that does not read is cut off when too much waits for it', async () => {
  const a = await openSide({ protocols: ['tcp'], limits: { maxQueuedBytes: 200_000 } });
  const peer = await rawTcp(a.listener('tcp').local);
  peer.socket.write(REQUEST);
  const { flow } = await a.requests();
  peer.socket.pause();
  const big = writeMessage(options(flow, 'x'.repeat(50_000)));
  let failure: unknown;
  await until(async () => {
    await a.transports.send(big, flow).catch((error: unknown) => (failure = error));
    return failure !== undefined;
  }, 'the cut');
  expect(failure).toMatchObject({ code: 'slow-peer' });
  expect(a.transports.connectionCount).toBe(0);
});

test('pings whose answers nobody reads are bounded too', async () => {
  const a = await openSide({ protocols: ['tcp'], limits: { maxQueuedBytes: 20_000 } });
  const peer = await rawTcp(a.listener('tcp').local);
  peer.socket.pause();
  const pings = Buffer.alloc(200_000, '\r\n');
  let isEnded = false;
  peer.socket.on('close', () => (isEnded = true));
  const write = (): void => {
    if (!isEnded) peer.socket.write(pings, () => setImmediate(write));
  };
  write();
  await until(() => a.transports.connectionCount === 1, 'the connection').catch(() => undefined);
  await until(() => a.transports.connectionCount === 0, 'the cut');
  isEnded = true;
});

test('half-open: who brings no message is cut off after a while, who brought one stays', async () => {
  const clock = new FakeClock();
  const a = await openSide({ clock, protocols: ['tcp', 'ws'] });
  const silent = await rawTcp(a.listener('tcp').local);
  const busy = await rawTcp(a.listener('tcp').local);
  const pinging = await rawTcp(a.listener('tcp').local);
  busy.socket.write(REQUEST);
  pinging.socket.write('\r\n\r\n');
  await until(() => a.got.length === 1 && pinging.text() !== '' && a.transports.connectionCount === 3, 'all three');
  clock.advance(29_000);
  expect(a.transports.connectionCount).toBe(3);
  clock.advance(3_000);
  await until(() => silent.isClosed(), 'the cut');
  expect([busy.isClosed(), pinging.isClosed(), a.transports.connectionCount]).toEqual([false, false, 2]);
  // A phone that says nothing but its hourly registration is there; who has missed that is not.
  clock.advance(DEFAULT_POLICY.maxExpiresS * 1_000);
  expect(a.transports.connectionCount).toBe(2);
  clock.advance(6 * 60_000);
  await until(() => busy.isClosed() && pinging.isClosed(), 'both idle ones');
});

test('slow: a message must be whole in time, however its bytes drip', async () => {
  const clock = new FakeClock();
  const a = await openSide({ clock, protocols: ['tcp'] });
  const peer = await rawTcp(a.listener('tcp').local);
  peer.socket.write(REQUEST);
  await until(() => a.got.length === 1, 'the first request');
  for (const byte of 'OPTIONS sip:b@test SIP/2.0\r\nX: 789') {
    if (peer.isClosed()) break;
    peer.socket.write(byte);
    const before = peer.socket.bytesWritten;
    await until(() => peer.socket.bytesWritten >= before && peer.socket.writableLength === 0, 'the byte');
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  clock.advance(2_000);
  await until(() => peer.isClosed(), 'the cut');
});

test('a flood of requests on one connection is read, one of noise ends it', async () => {
  const a = await openSide({ protocols: ['tcp'] });
  const flood = await rawTcp(a.listener('tcp').local);
  flood.socket.write(REQUEST.repeat(5_000));
  await until(() => a.got.length === 5_000, 'all of them');
  const noise = await rawTcp(a.listener('tcp').local);
  noise.socket.write(Buffer.alloc(1_000_000, 'noise '));
  await until(() => noise.isClosed(), 'the end');
  expect(a.transports.connectionCount).toBe(1);
  expect(a.refused).toHaveLength(1);
});

test('a peer that talks on after we have ended the connection is cut off', async () => {
  const server = closing(createServer({ allowHalfOpen: true }), (own) => own.close());
  const accepted = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const peer = connect({ port: typeof bound === 'object' && bound !== null ? bound.port : 0, allowHalfOpen: true });
  closing(peer, (own) => own.destroy()).on('error', () => undefined);
  const [socket] = (await accepted) as [Socket];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    wireOf(socket).end();
    vi.advanceTimersByTime(CLOSE_MS - 1);
    peer.write('still here');
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(socket.destroyed).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test('a peer that ends its side first, and reads nothing of what waits for it, is cut off too', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const socket = new Socket();
    // What a peer that does not read leaves behind: an end that never finishes.
    vi.spyOn(socket, 'end').mockReturnValue(socket);
    const connection = connectionOn(socket);
    wireSocket(socket, connection);
    socket.emit('end');
    expect([connection.isOpen, socket.destroyed]).toEqual([false, false]);
    vi.advanceTimersByTime(CLOSE_MS);
    expect(socket.destroyed).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

function connectionOn(socket: Socket): SipConnection {
  const end = { address: '127.0.0.1', port: 1 };
  return new SipConnection({
    id: 'x',
    protocol: 'tcp',
    local: end,
    remote: end,
    wire: wireOf(socket),
    limits: DEFAULT_LIMITS,
    events: { onItem: () => undefined, onClosed: () => undefined },
    now: () => 0,
    isAccepted: true,
  });
}

test('a request without Content-Length on a stream: 400 and the end', async () => {
  const a = await openSide({ protocols: ['tcp'] });
  const peer = await rawTcp(a.listener('tcp').local);
  peer.socket.write(REQUEST.replace('Content-Length: 0\r\n', ''));
  await until(() => peer.isClosed(), 'the end');
  expect(peer.text()).toContain('SIP/2.0 400');
});

test('connections are bounded in all, and for each address', async () => {
  const a = await openSide({ protocols: ['tcp'], limits: { maxConnectionsPerAddress: 3 } });
  const { local } = a.listener('tcp');
  const three = [await rawTcp(local), await rawTcp(local), await rawTcp(local)];
  await until(() => a.transports.connectionCount === 3, 'three');
  const fourth = await rawTcp(local);
  await until(() => fourth.isClosed(), 'the refusal');
  three[0]?.socket.destroy();
  await until(() => a.transports.connectionCount === 2, 'room');
  const fifth = await rawTcp(local);
  fifth.socket.write(REQUEST);
  await until(() => a.got.length === 1, 'a request by the fifth');

  const b = await openSide({ protocols: ['tcp', 'ws'], limits: { maxConnections: 1 } });
  await rawTcp(b.listener('tcp').local);
  await until(() => b.transports.connectionCount === 1, 'one');
  const flow = flowTo(b, local, 'tcp');
  await expect(sendOptions(b, flow)).rejects.toMatchObject({ code: 'too-many-connections' });
  const late = await rawTcp(b.listener('tcp').local);
  await until(() => late.isClosed(), 'the second cut');
});

test('handshakes that never end: TLS and WebSocket, as server', async () => {
  const a = await openSide({ protocols: ['tls', 'ws', 'wss'], limits: { connectTimeoutMs: 300 } });
  const wss = await rawTcp(a.listener('wss').local);
  const tls = await rawTcp(a.listener('tls').local);
  const http = await rawTcp(a.listener('ws').local);
  http.socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
  await until(() => tls.isClosed() && http.isClosed() && wss.isClosed(), 'all cuts');
  expect(a.transports.connectionCount).toBe(0);
});

test.each(['tls', 'wss', 'ws'] as const)(
  '%s: one address can not take all the room with handshakes',
  async (protocol) => {
    const a = await openSide({ protocols: [protocol], limits: { maxConnectionsPerAddress: 3 } });
    const { local } = a.listener(protocol);
    const three = [await rawTcp(local), await rawTcp(local), await rawTcp(local)];
    const fourth = await rawTcp(local);
    await until(() => fourth.isClosed(), 'the refusal');
    expect(three.map((one) => one.isClosed())).toEqual([false, false, false]);
    for (const one of three) one.socket.destroy();
    const b = await openSide({ protocols: [protocol] });
    await until(
      () =>
        sendOptions(b, flowTo(b, local, protocol)).then(
          () => true,
          () => false,
        ),
      'room again',
    );
    await a.requests();
  },
);

async function silentServer(): Promise<Endpoint> {
  const server = closing(createServer(), (own) => own.close());
  server.on('connection', (socket) => {
    closing(socket, (own) => own.destroy());
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return { address: '127.0.0.1', port: typeof bound === 'object' && bound !== null ? bound.port : 0 };
}

test.each(['tls', 'ws', 'wss'] as const)(
  '%s: a handshake that never ends, as client; what waits for it is bounded',
  async (protocol) => {
    const a = await openSide({ protocols: [protocol], limits: { connectTimeoutMs: 300 } });
    const flow = flowTo(a, await silentServer(), protocol);
    const bytes = writeMessage(options(flow));
    const all = await Promise.allSettled(Array.from({ length: 1_001 }, () => a.transports.send(bytes, flow)));
    const codes = all.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'sent'));
    expect(codes.at(-1)).toBe('slow-peer');
    expect(new Set(codes.slice(0, -1)).size).toBe(1);
    expect(codes[0]).toMatch(/^connect-(failed|timeout)$/);
    expect(a.transports.connectionCount).toBe(0);
  },
);

test('certificates: an unknown one and a wrong name are refused, a new one is taken without a restart', async () => {
  const a = await openSide({ protocols: ['tls', 'wss'] });
  const stranger = await openSide({ protocols: ['tls', 'wss'], trust: { ca: makeCertificate('other.test').cert } });
  const friend = await openSide({ protocols: ['tls', 'wss'] });
  for (const protocol of ['tls', 'wss'] as const) {
    const { local } = a.listener(protocol);
    await expect(sendOptions(stranger, flowTo(stranger, local, protocol))).rejects.toMatchObject({
      code: 'connect-failed',
    });
    await sendOptions(friend, flowTo(friend, local, protocol, 'sip.test'));
  }
  const wrong = flowTo(friend, a.listener('tls').local, 'tls', 'evil.test');
  await expect(sendOptions(friend, wrong)).rejects.toMatchObject({ code: 'connect-failed' });
  const next = makeCertificate('next.test');
  a.transports.reload(next);
  const { port } = a.listener('tls').local;
  const probe = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(probe, 'secureConnect');
  expect(probe.getPeerCertificate().subject.CN).toBe('next.test');
  probe.destroy();
});

test('what no datagram can hold is refused, not cut', async () => {
  const a = await openSide({ protocols: ['udp'] });
  const flow = flowTo(a, a.listener('udp').local, 'udp');
  await expect(sendOptions(a, flow, 'x'.repeat(65_507))).rejects.toMatchObject({ code: 'too-large' });
  await sendOptions(a, flow, 'x'.repeat(60_000));
  const { message } = await a.requests();
  expect(message.body).toHaveLength(60_000);
});

test('a listener that can not open closes all others', async () => {
  const a = await openSide({ protocols: ['tcp'] });
  const { port } = a.listener('tcp').local;
  const listeners = [
    { protocol: 'udp', address: '127.0.0.1', port: 0 },
    { protocol: 'tcp', address: '127.0.0.1', port },
  ] as const;
  await expect(openTransports({ listeners })).rejects.toThrow('EADDRINUSE');
  await expect(
    openTransports({ listeners: [{ protocol: 'tls', address: '127.0.0.1', port: 0 }] }),
  ).rejects.toMatchObject({
    code: 'no-listener',
  });
});

test('after closing nothing is left: sockets, servers, timers', async () => {
  const count = (): number =>
    process.getActiveResourcesInfo().filter((name) => /TCP|UDP|TLS|Timeout|HTTP/.test(name)).length;
  const before = count();
  for (let round = 0; round < 3; round++) {
    const a = await openSide();
    const b = await openSide();
    for (const protocol of ['udp', 'tcp', 'tls', 'ws', 'wss'] as const)
      await sendOptions(b, flowTo(b, a.listener(protocol).local, protocol));
    const half = await rawTcp(a.listener('tls').local);
    await until(() => a.got.length === 5, 'all five');
    await a.transports.close();
    await b.transports[Symbol.asyncDispose]();
    await a.transports.close();
    const flow = flowTo(a, a.listener('udp').local, 'udp');
    await expect(sendOptions(a, flow)).rejects.toMatchObject({ code: 'closed' });
    half.socket.destroy();
  }
  await until(() => count() <= before, `${before} resources, now ${count()}`);
  expect(identity.cert).toContain('CERTIFICATE');
});

test('messages that wait for one connection to open are bounded', async () => {
  const events = { onItem: () => undefined, onClosed: () => undefined };
  const table = new ConnectionTable(DEFAULT_LIMITS, events, () => 0);
  const place = { address: '127.0.0.1', port: 5060 };
  const flow = { protocol: 'tcp', local: place, remote: place } as const;
  const reach = (): Promise<unknown> => table.reach(flow, () => new Promise(() => undefined));
  for (let i = 0; i < 1_000; i++) void reach();
  await expect(reach()).rejects.toMatchObject({ code: 'slow-peer' });
});

test('a connection that does not open in time is given up', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  closing(silent, (server) => server.close());
  const sockets: Socket[] = [];
  silent.on('connection', (socket) => sockets.push(socket));
  await once(silent, 'listening');
  const a = await openSide({ protocols: ['tls'], limits: { connectTimeoutMs: 50 } });
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const flow = flowTo(a, { address: '127.0.0.1', port }, 'tls');
  await expect(a.transports.send(writeMessage(options(flow)), flow)).rejects.toMatchObject({
    code: expect.any(String),
  });
  for (const socket of sockets) socket.destroy();
});
