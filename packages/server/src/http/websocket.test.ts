import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { Http, type HttpOptions } from './http.ts';
import { MAX_CHUNKS, MAX_FRAGMENTS, MAX_WAITING_PONGS, silentObserver } from './limits.ts';
import type { AcceptOptions } from './websocket-acceptor.ts';
import { cutReason, encodeBinary, encodeText, encodeUtf8 } from './websocket-frame.ts';
import type { WebSocketPort } from './websocket-port.ts';

const opened: Http[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((h) => h.close()));
});

interface Rig {
  readonly http: Http;
  readonly url: string;
  readonly ports: WebSocketPort[];
  readonly sockets: Duplex[];
  readonly limits: string[];
  readonly problems: unknown[];
}

/** A server with one WebSocket path `/ws`; `ready` sees each accepted port before anything is read. */
async function rig(
  accept: Partial<AcceptOptions> = {},
  ready: (port: WebSocketPort) => void = echo,
  options: Partial<HttpOptions> = {},
): Promise<Rig> {
  const limits: string[] = [];
  const problems: unknown[] = [];
  const ports: WebSocketPort[] = [];
  const sockets: Duplex[] = [];
  const observer = { ...silentObserver, limitHit: (name: string) => void limits.push(name) };
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], observer, ...options });
  opened.push(http);
  http.mountUpgrade({ prefix: '/ws' }, async (req, socket, head) => {
    sockets.push(socket);
    try {
      const port = await http.acceptWebSocket(req, socket, head, { maxPayloadBytes: 65_536, ...accept });
      ports.push(port);
      ready(port);
    } catch (error) {
      problems.push(error);
    }
  });
  await http.listen();
  return { http, url: `ws${http.urls[0]!.slice(4)}/ws`, ports, sockets, limits, problems };
}

function echo(port: WebSocketPort): void {
  port.onMessage((data) => port.send(data));
}

async function dial(url: string, protocols: string[] = [], options = {}): Promise<WebSocket> {
  const ws = new WebSocket(url, protocols, options);
  ws.on('error', () => undefined);
  await once(ws, 'open');
  return ws;
}

async function nextMessage(ws: WebSocket): Promise<[Buffer, boolean]> {
  const [data, isBinary] = await once(ws, 'message');
  return [data, isBinary];
}

const closeOf = async (ws: WebSocket): Promise<[number, string]> => {
  const [code, reason] = await once(ws, 'close');
  return [code, String(reason)];
};

const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** A raw client socket; `first` is sent together with the handshake. */
function rawClient(rig: Rig, first: Buffer = Buffer.alloc(0), options = {}): { socket: Socket; got: () => Buffer } {
  const socket = connect({ port: Number(new URL(rig.url).port), host: '127.0.0.1', ...options });
  let got = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (part) => (got = Buffer.concat([got, part])));
  socket.write(Buffer.concat([Buffer.from(HANDSHAKE), first]));
  return { socket, got: () => got };
}

/** A masked client frame (mask 0). */
function clientFrame(first: number, payload: Buffer): Buffer {
  const length =
    payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload]);
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('a text of %i characters arrives whole', async (size) => {
  const { url } = await rig({ maxPayloadBytes: 100_000 });
  const ws = await dial(url);
  const text = 'ż'.repeat(size >> 1) + 'x'.repeat(size & 1);
  ws.send(text);
  const [data, isBinary] = await nextMessage(ws);
  expect([data.toString(), isBinary]).toEqual([text, false]);
  ws.send(Buffer.alloc(size, 7));
  expect(await nextMessage(ws)).toEqual([Buffer.alloc(size, 7), true]);
});

test('encoded frames: lone surrogates become U+FFFD, bytes stay', async () => {
  const { url } = await rig({}, (port) => {
    port.onMessage(() => undefined);
    port.sendEncoded(encodeText('a\ud800b'));
    port.sendEncoded(encodeBinary(Buffer.from([0, 255])));
    port.sendEncoded(encodeUtf8(Buffer.from('ż')));
  });
  const ws = new WebSocket(url);
  const got: unknown[] = [];
  ws.on('message', (data, isBinary) => got.push([Buffer.isBuffer(data) && data.toString('hex'), isBinary]));
  await until(() => got.length === 3, 'three messages');
  expect(got).toEqual([
    [Buffer.from('a\ufffdb').toString('hex'), false],
    ['00ff', true],
    [Buffer.from('ż').toString('hex'), false],
  ]);
});

test('what one turn sends leaves in one segment, in order, the close frame last', async () => {
  const server = await rig({}, (port) => {
    port.onMessage(() => {
      for (let i = 0; i < 5; i++) port.send(`m${i}`);
      port.close(1000, 'bye');
      port.send('too late');
    });
  });
  const { socket, got } = rawClient(server);
  await until(() => got().includes('\r\n\r\n'), 'the handshake');
  const before = got().length;
  const chunks: Buffer[] = [];
  socket.on('data', (part) => chunks.push(part));
  socket.write(clientFrame(0x81, Buffer.from('go')));
  await until(() => got().length > before, 'the answer');
  expect(chunks).toHaveLength(1);
  expect(chunks[0]).toEqual(
    Buffer.concat([
      ...[0, 1, 2, 3, 4].map((i) => Buffer.from(`\x81\x02m${i}`, 'latin1')),
      Buffer.from('\x88\x05\x03\xe8bye', 'latin1'),
    ]),
  );
  socket.destroy();
});

test('a message that comes together with the handshake is not lost, however late the surface is ready', async () => {
  const got: unknown[] = [];
  const server = await rig({}, () => undefined);
  rawClient(server, clientFrame(0x81, Buffer.from('early')));
  const port = await until(() => server.ports[0], 'the port');
  await new Promise((resolve) => setImmediate(resolve));
  port.onMessage((data) => got.push(data));
  await until(() => got.length === 1, 'the early message');
  expect(got).toEqual(['early']);
});

test('pause holds back reading, resume goes on, in either order with onMessage', async () => {
  const got: unknown[] = [];
  const { url, ports } = await rig({}, (port) => {
    port.pause();
    port.onMessage((data) => got.push(data));
  });
  const ws = await dial(url);
  ws.send('one');
  const port = await until(() => ports[0], 'the port');
  // A round trip through the same server: by then the message has arrived in the kernel.
  await dial(url);
  expect(got).toEqual([]);
  port.resume();
  await until(() => got.length === 1, 'the held message');
});

test('the first protocol of ours that the client offers is chosen', async () => {
  const { url, ports } = await rig({ protocols: ['v12.stomp', 'v11.stomp'] });
  expect((await dial(url, ['v11.stomp', 'v12.stomp'])).protocol).toBe('v12.stomp');
  expect((await dial(url)).protocol).toBe('');
  await until(() => ports.length === 2, 'two ports');
  expect(ports.map((p) => p.protocol)).toEqual(['v12.stomp', '']);
});

test('both closings give the code and the reason; an abrupt end is 1006; each is told once', async () => {
  const ends: unknown[] = [];
  const server = await rig({}, (port) => {
    port.onMessage((data) => port.close(data === '1' ? 4001 : 4999, 'ż'.repeat(100)));
    port.onClose((code, reason) => ends.push([code, reason]));
  });
  const first = await dial(server.url);
  first.send('1');
  expect(await closeOf(first)).toEqual([4001, 'ż'.repeat(61)]);
  await until(() => ends.length === 1, 'the first end');
  const second = await dial(server.url);
  second.close(4002, 'own');
  expect(await closeOf(second)).toEqual([4002, 'own']);
  await until(() => ends.length === 2, 'the second end');
  const third = await dial(server.url);
  third.close();
  expect(await closeOf(third)).toEqual([1005, '']);
  await until(() => ends.length === 3, 'the third end');
  const fourth = await dial(server.url);
  fourth.terminate();
  await until(() => ends.length === 4, 'the fourth end');
  expect(ends.slice(1)).toEqual([
    [4002, 'own'],
    [1005, ''],
    [1006, ''],
  ]);
});

test('onClose set after the end is still told', async () => {
  const { url, ports } = await rig({}, (port) => port.onMessage(() => undefined));
  (await dial(url)).terminate();
  const port = await until(() => ports[0], 'the port');
  await until(() => !port.isOpen, 'the end');
  const code = await new Promise((resolve) => port.onClose(resolve));
  expect(code).toBe(1006);
  const sent = await new Promise((resolve) => port.send('x', resolve));
  expect(sent).toBeInstanceOf(Error);
});

test('a closed port reads nothing more', async () => {
  const got: unknown[] = [];
  const { url } = await rig({}, (port) =>
    port.onMessage((data) => {
      got.push(data);
      port.close(1000);
    }),
  );
  const ws = await dial(url);
  for (let i = 0; i < 5; i++) ws.send(`m${i}`);
  await closeOf(ws);
  expect(got).toEqual(['m0']);
});

test('terminate drops at once; ping is answered', async () => {
  const pongs: number[] = [];
  const { url, ports } = await rig({}, (port) => {
    port.onPong(() => pongs.push(1));
    port.onMessage(() => undefined);
    port.ping();
  });
  const ws = await dial(url);
  await until(() => pongs.length === 1, 'the pong');
  ports[0]!.terminate();
  expect((await closeOf(ws))[0]).toBe(1006);
});

test('a message over the bound closes with 1009, too many fragments with 1008', async () => {
  const { url, limits } = await rig({ maxPayloadBytes: 1_000 });
  const big = await dial(url);
  big.send('x'.repeat(1_001));
  expect((await closeOf(big))[0]).toBe(1009);
  const many = await dial(url);
  for (let i = 0; i <= MAX_FRAGMENTS; i++) many.send('', { fin: false });
  expect((await closeOf(many))[0]).toBe(1008);
  expect(limits).toEqual(['ws.protocol', 'ws.protocol']);
});

test('who breaks the protocol sees the end at once, whether it answers the close or not', async () => {
  const server = await rig();
  const { socket, got } = rawClient(server, clientFrame(0x83, Buffer.from('x')), { allowHalfOpen: true });
  await once(socket, 'end');
  expect(got().subarray(-4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xea));
  expect(server.sockets[0]!.destroyed).toBe(false);
  socket.end();
  await until(() => server.http.socketCount === 0, 'both sides to end');
});

test('pings whose answers nobody reads are bounded; those that are read are not', async () => {
  const server = await rig();
  const ping = clientFrame(0x89, Buffer.from('?'));
  const pongs = Buffer.concat(Array.from({ length: MAX_WAITING_PONGS }, () => Buffer.from('\x8a\x01?', 'latin1')));
  const { socket, got } = rawClient(server);
  await until(() => got().includes('\r\n\r\n'), 'the handshake');
  const begin = got().length;
  for (let round = 1; round <= 3; round++) {
    for (let i = 0; i < MAX_WAITING_PONGS; i++) socket.write(ping);
    await until(() => got().length === begin + round * pongs.length, 'the pongs');
  }
  expect(got().subarray(-pongs.length)).toEqual(pongs);
  // In one turn, however the network would cut them.
  for (let i = 0; i <= MAX_WAITING_PONGS; i++) server.sockets[0]!.emit('data', Buffer.from(ping));
  await once(socket, 'end');
  expect(got().subarray(-4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xf0));
  expect(server.limits).toEqual(['ws.protocol']);
});

test('a frame in too many pieces closes with 1008', async () => {
  const server = await rig();
  const { socket, got } = rawClient(server);
  const connection = await until(() => server.sockets[0], 'the socket');
  await until(() => server.ports[0], 'the port');
  // A text of 65,535 characters is announced. Its octets come one by one, however the network would join them.
  connection.emit('data', Buffer.from([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]));
  const octet = Buffer.from('x');
  for (let i = 0; i <= MAX_CHUNKS; i++) connection.emit('data', octet);
  await until(() => got().includes(Buffer.from([0x03, 0xf0])), 'the close frame with 1008');
  expect(server.limits).toEqual(['ws.protocol']);
  socket.destroy();
});

test('before login a socket gets its bytes and messages, and no more; admit lifts that', async () => {
  const untilAdmitted = { maxBytes: 2_000, maxMessages: 3 };
  const { url, limits, ports } = await rig({ untilAdmitted });
  const wordy = await dial(url);
  wordy.send('x'.repeat(3_000));
  expect(await closeOf(wordy)).toEqual([1009, 'too much before login']);
  const busy = await dial(url);
  for (let i = 0; i < 4; i++) busy.send('x');
  expect(await closeOf(busy)).toEqual([1008, 'too much before login']);
  expect(limits).toEqual(['ws.bytes-before-login', 'ws.messages-before-login']);
  const known = await dial(url);
  (await until(() => ports[2], 'the third port')).admit();
  let echoed = 0;
  known.on('message', () => echoed++);
  for (let i = 0; i < 10; i++) known.send('x'.repeat(1_000));
  await until(() => echoed === 10, 'ten echoes');
});

test('a large frame before login is stopped while it arrives, not when it is whole', async () => {
  const server = await rig({ maxPayloadBytes: 1 << 20, untilAdmitted: { maxBytes: 10_000, maxMessages: 3 } });
  const { socket } = rawClient(server);
  await until(() => server.ports[0], 'the port');
  // Announces 1 MiB, sends 20 kB of it.
  socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]));
  socket.write(Buffer.alloc(20_000));
  await until(() => server.limits.includes('ws.bytes-before-login'), 'the bound');
  socket.destroy();
});

test('what is no handshake is answered with 400 and a Problem', async () => {
  const server = await rig();
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let got = '';
  socket.on('data', (part) => (got += part.toString()));
  socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket, 'close');
  expect(got).toMatch(/^HTTP\/1.1 400 /);
  expect(server.problems).toMatchObject([{ code: 'not-a-websocket' }]);
});

test('only WebSocket handshakes to a mounted path are upgrades; anything else is an ordinary request', async () => {
  const { http, url } = await rig();
  http.mountUpgrade(
    { suffix: '/PBX0/APPS/websocket' },
    (_req, socket) => void socket.end('HTTP/1.1 299 suffix\r\n\r\n'),
  );
  http.mountUpgrade(
    { matches: (p) => /\/APPCLIENT\/\w+\/websocket$/.test(p) },
    (_req, socket) => void socket.end('HTTP/1.1 298 test\r\n\r\n'),
  );
  const upgrade = async (path: string, protocol = 'websocket', method = 'GET'): Promise<string> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let got = '';
    socket.on('data', (part) => (got += part.toString()));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
    );
    await until(() => got !== '', 'an answer');
    socket.destroy();
    return got.slice(9, 12);
  };
  expect(await upgrade('/behind/a/proxy/PBX0/APPS/websocket?x=1')).toBe('299');
  expect(await upgrade('/x/APPCLIENT/1234/websocket')).toBe('298');
  expect(await upgrade('/ws/PBX0/APPS/websocket')).toBe('400');
  expect(await upgrade('/nobody')).toBe('404');
  expect(await upgrade('/ws', 'h2c')).toBe('404');
  expect(await upgrade('/ws', 'websocket', 'POST')).toBe('404');
});

test('a slow reader shows in bufferedAmount, and sent is called when the bytes are gone', async () => {
  const { url, ports } = await rig({}, (port) => port.onMessage(() => undefined));
  const ws = await dial(url);
  const port = await until(() => ports[0], 'the port');
  ws.pause();
  const chunk = encodeBinary(Buffer.alloc(65_000));
  let gone = 0;
  for (let i = 0; i < 300; i++) port.sendEncoded(chunk, () => gone++);
  await new Promise((resolve) => setImmediate(resolve));
  expect(gone).toBe(0);
  expect(port.bufferedAmount).toBeGreaterThan(1_000_000);
  ws.resume();
  await until(() => port.bufferedAmount === 0 && gone === 300, 'all are gone');
});

test('a reason is cut at a character', () => {
  expect(cutReason('short')).toBe('short');
  expect(Buffer.byteLength(cutReason('a' + 'ż'.repeat(100)))).toBe(123);
  expect(Buffer.byteLength(cutReason('ż'.repeat(100)))).toBe(122);
});

test('behind a trusted proxy the port knows the client', async () => {
  const { url, ports } = await rig({}, echo, { trustProxy: ['loopback'] });
  await dial(url, [], { headers: { 'x-forwarded-for': '10.9.9.9, 203.0.113.7' } });
  await until(() => ports[0], 'the port');
  expect(ports[0]!.remoteAddress).toBe('203.0.113.7');
});

test('a socket that has closed holds on to nothing of ours, and fails harmlessly', async () => {
  const closed: number[] = [];
  const { http, url, sockets } = await rig({}, (port) => {
    port.onClose((code) => closed.push(code));
    echo(port);
  });
  const ws = await dial(url);
  const [socket] = sockets;
  ws.close(1000);
  await until(() => http.socketCount === 0 && closed.length > 0, 'the socket to go');
  expect(closed).toEqual([1000]);
  expect(socket?.eventNames()).toEqual(['error']);
  expect(socket?.emit('error', new Error('late'))).toBe(true);
});
