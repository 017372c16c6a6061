import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerProcess } from '../kit/server-process.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

const MIB = 1024 * 1024;
let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({
    TIELINE_TAPI_STOMP_CONNECT_TIMEOUT_MS: '1500',
    TIELINE_TAPI_STOMP_SEND_TIME_LIMIT_MS: '1000',
    TIELINE_TAPI_SOCKJS_DISCONNECT_DELAY_MS: '500',
  });
});
afterAll(() => server.close());

const UPGRADE =
  'HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const STREAM = 'HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';

/** What a stranger asks for: a plain WebSocket, one of SockJS, a stream of SockJS. */
function greeting(i: number): string {
  if (i % 3 === 0) return `GET /tapi-messenger/websocket ${UPGRADE}`;
  if (i % 3 === 1) return `GET /tapi-messenger/0/s${i}/websocket ${UPGRADE}`;
  return `POST /tapi-messenger/0/s${i}/xhr_streaming ${STREAM}`;
}

test('1,000 sockets that never log in end in time, others get in meanwhile, and memory comes back', async () => {
  const before = await server.memory();
  const sockets: Socket[] = [];
  let welcomed = 0;
  let ended = 0;
  for (let i = 0; i < 1_000; i++) {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    let isOver = false;
    const over = (): void => {
      if (!isOver) ended++;
      isOver = true;
    };
    socket.on('error', () => undefined).on('close', over);
    socket.on('connect', () => socket.write(greeting(i)));
    socket.on('data', (chunk: Buffer) => {
      if (text === '') welcomed++;
      text = (text + chunk.toString('latin1')).slice(-200);
      // The stream's response ends; its connection may be used again.
      if (text.includes('c[1002,"Timed out"]')) over();
    });
    sockets.push(socket);
  }
  await until(() => welcomed === 1_000, 'all to be answered');
  await using app = await StompApp.signIn(server.port, 'carol');
  expect(app.connected).toMatchObject({ 'user-name': 'carol' });
  await until(() => ended === 1_000, 'all to be closed', 15_000);
  expect(await server.figure('tieline_stomp_sessions')).toBe(1);
  expect((await server.memory()) - before).toBeLessThan(64 * MIB);
  for (const socket of sockets) socket.destroy();
});

test('one who stops reading is cut off, comes back with its position, and memory stays', async () => {
  await using alice = await StompApp.signIn(server.port, 'alice');
  const bob = await StompApp.signIn(server.port, 'bob');
  bob.subscribe('/user/queue/messages');
  let sent = 0;
  const long = 'x'.repeat(9_000);
  const sayMore = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 50 }, () => alice.send('/tapi/message', { to: 'bob', body: `${sent++} ${long}` })),
    );
  // What the load itself takes is none of the reader's doing.
  while (sent < 1_000) await sayMore();
  await until(() => bob.messages.length === sent, 'the reader to have it all', 20_000);
  const position = bob.messages.at(-1)?.headers['position'] ?? '';
  const seen = sent;
  const before = await server.memory();
  stopReading(bob);
  let most = 0;
  while ((await server.figure('tieline_slow_readers_total')) === 0 && sent < 3_000) {
    await sayMore();
    most = Math.max(most, await server.memory());
  }
  await until(async () => (await server.figure('tieline_slow_readers_total')) > 0, 'the reader to be cut off', 5_000);
  expect(most - before).toBeLessThan(64 * MIB);
  bob.drop();
  await using again = await StompApp.signIn(server.port, 'bob');
  again.subscribe('/user/queue/messages', { resume: position });
  await until(() => again.messages.length === sent - seen, `the other ${sent - seen} texts`, 30_000);
  const numbers = again.messages.map((frame) => Number(String(frame.json?.['body']).split(' ')[0]));
  expect(numbers).toEqual(Array.from({ length: sent - seen }, (_, i) => seen + i));
});

/** Pauses the socket below sockjs-client's WebSocket, as a suspended tab does. */
function stopReading(app: StompApp): void {
  const ws = app.client.webSocket as unknown as { _transport: { ws: { _stream: Socket } } };
  ws._transport.ws._stream.pause();
}

test('exit 0 in time while pages are connected', async () => {
  const other = await ServerProcess.start();
  const page = await StompApp.open(other.port);
  expect(await other.stop('SIGTERM')).toBe(0);
  await until(() => page.closes > 0, 'the page to see the end');
  await other.close();
});
