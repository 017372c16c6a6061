import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PbxApp } from '../kit/pbx-app.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { until } from '../kit/wait.ts';

const MIB = 1024 * 1024;
let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({
    TIELINE_HTTP_LIMITS_LOGIN_TIMEOUT_MS: '1500',
    TIELINE_DELIVERY_SLOW_READER_MS: '1000',
  });
});
afterAll(async () => {
  await server.close();
});

const ended = (app: PbxApp): Promise<number> => until(() => app.closeCode ?? undefined, 'the connection to end', 2_000);

describe('what a stranger sends', () => {
  test.each([
    ['no JSON', 'hello'],
    ['half a JSON', '{"mt":'],
    ['an array', '[]'],
    ['a message before the login', '{"api":"PbxSignal","mt":"Register"}'],
  ])('%s ends the connection', async (_name, text) => {
    const app = await PbxApp.open(server.port);
    app.socket.send(text);
    expect(await ended(app)).toBeGreaterThanOrEqual(1_000);
  });

  test('a message over the limit', async () => {
    const app = await PbxApp.open(server.port);
    app.socket.send('x'.repeat(2 * MIB));
    expect(await ended(app)).toBe(1_009);
  });

  test('a wrong digest is answered, and the connection ends', async () => {
    const app = await PbxApp.open(server.port);
    expect(await app.login({ app: 'chat', password: 'wrong' })).toMatchObject({ mt: 'AppLoginResult' });
    await ended(app);
  });

  test('guessing is slowed down', async () => {
    const refusals: string[] = [];
    for (let i = 0; i < 12; i++) {
      const app = await PbxApp.open(server.port);
      refusals.push(JSON.stringify(await app.login({ app: 'guessed', password: `p${i}` })));
      app.socket.terminate();
    }
    expect(refusals.at(-1)).not.toBe(refusals[0]);
  });
});

test('unknown APIs, messages and members are answered in the API’s own form', async () => {
  await using app = await PbxApp.signIn(server.port, { app: 'chat' });
  app.send({ api: 'Nonsense', mt: 'Anything', src: 'a' });
  const first = await app.take((m) => m['src'] === 'a');
  expect(first['error'] ?? first['err']).toBeDefined();
  app.send({ api: 'PbxSignal', mt: 'Nonsense', src: 'b' });
  const second = await app.take((m) => m['src'] === 'b');
  expect(second['error'] ?? second['err']).toBeDefined();
  app.signal(1, { type: 'setup' });
  const { sig } = await app.takeSignal('rel', 1);
  expect(sig['cau']).toEqual({ num: 111 });
});

test('1,000 sockets that never log in end in time, and memory comes back', async () => {
  const before = await server.memory();
  const sockets: Socket[] = [];
  let open = 0;
  for (let i = 0; i < 1_000; i++) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => open--);
    socket.on('connect', () => {
      open++;
      socket.write(
        'GET /PBX0/APPS/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
    });
    socket.resume();
    sockets.push(socket);
  }
  await until(() => open === 1_000, 'all to be open');
  await using app = await PbxApp.signIn(server.port, { app: 'chat' });
  expect((await app.register())['err']).toBeUndefined();
  await until(() => open === 0, 'all to be closed', 15_000);
  expect((await server.memory()) - before).toBeLessThan(64 * MIB);
});

test('a reader that stops reading is cut off, and memory stays', async () => {
  await using alice = await PbxApp.signIn(server.port, { sip: 'alice' });
  await alice.register({ hw: 'chat-alice' });
  const reader = await PbxApp.signIn(server.port, { sip: 'bob' });
  await reader.register({ hw: 'chat-bob', resume: '' });
  reader.acceptChats();
  await alice.callChat(1, 'bob');
  alice.say(1, 'first', { idem: 'first' });
  await until(() => reader.texts.length === 1);
  const before = await server.memory();
  reader.socket.pause();
  const long = 'x'.repeat(9_000);
  const isCut = (): boolean => alice.received.some((m) => (m['sig'] as { type?: string } | undefined)?.type === 'rel');
  let most = 0;
  for (let sent = 0; sent < 6_000 && !isCut(); sent += 100) {
    for (let i = 0; i < 100; i++) alice.say(1, `${sent + i} ${long}`, { idem: `long-${sent + i}` });
    const last = `long-${sent + 99}`;
    await until(() => isCut() || JSON.stringify(alice.received.at(-1)).includes(last), 'the texts to be stored');
    most = Math.max(most, await server.memory());
  }
  const { sig } = await alice.takeSignal('rel', 1);
  expect(sig['cau']).toEqual({ num: 27 });
  expect(most - before).toBeLessThan(64 * MIB);
  expect(await server.figure('tieline_slow_readers_total')).toBe(1);
  reader.socket.terminate();
});

test('a close while draining, and exit 0 in time', async () => {
  const other = await ServerProcess.start();
  const app = await PbxApp.signIn(other.port, { app: 'chat' });
  expect(app.socket.readyState).toBe(WebSocket.OPEN);
  expect(await other.stop('SIGTERM')).toBe(0);
  expect(await ended(app)).toBe(1_001);
  await other.close();
});
