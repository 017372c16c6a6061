import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { appLoginDigest } from '../../src/crypto/digests.ts';
import { Failures } from '../../src/service/failures.ts';
import { MAX_CHUNKS, MAX_FRAGMENTS, MAX_FRAMES_BEFORE_LOGIN } from '../../src/service/limits.ts';
import {
  MAX_BYTES_BEFORE_LOGIN,
  MAX_MESSAGE_BEFORE_LOGIN_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_REMEMBERED_ADDRESSES,
} from '../../src/wire/bounds.ts';
import { loggedIn, loginText, PASSWORD, RawPeer, TestService } from './kit.ts';

describe('before the login', () => {
  test.each([
    ['malformed JSON', '{"mt":', 1002],
    ['an array', '[1]', 1002],
    ['no mt', '{"api":"x"}', 1002],
    ['a number as mt', '{"mt":1}', 1002],
    ['a message over 64 KiB', `{"mt":"x","y":"${'z'.repeat(MAX_MESSAGE_BEFORE_LOGIN_BYTES)}"}`, 1009],
    ['a message over 512 KiB', `"${'z'.repeat(MAX_MESSAGE_BYTES / 2)}"`, 1008],
  ])('%s closes', async (_name, text, code) => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    peer.socket.send(text);
    expect(await peer.closed()).toMatchObject({ code });
    expect(tested.refusals).toHaveLength(1);
    expect(tested.errors).toEqual([]);
  });

  test('binary frames and early requests are ignored, the login goes on', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    peer.socket.send(Buffer.from('{"mt":"AppChallenge"}'));
    peer.send({ api: 'com.acme.x', mt: 'Early', src: '1' });
    expect(await peer.login()).toMatchObject({ ok: true });
    peer.socket.send(Buffer.alloc(1000));
    peer.send({ mt: 'KeepAlive' });
    await peer.next('KeepAlive');
    expect(peer.received).toEqual([]);
  });

  test('a message in fragments is one message', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const text = loginText({ app: 'tool', sip: 'ä' }, await peer.challenge());
    const bytes = Buffer.from(text);
    for (let i = 0; i < bytes.length; i++)
      peer.socket.send(bytes.subarray(i, i + 1), { fin: i === bytes.length - 1, binary: false });
    expect(await peer.next('AppLoginResult')).toMatchObject({ ok: true });
  });

  test('a message that never ends closes when it is too long', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    peer.socket.send('{"mt":"', { fin: false });
    const chunk = 'x'.repeat(8 * 1024);
    while (peer.closedWith === undefined) {
      peer.socket.send(chunk, { fin: false }, () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tested.refusals).toEqual(['too many bytes before the login']);
  });

  test('too many frames close, of any kind', async () => {
    await using tested = await TestService.start();
    for (const kind of ['text', 'binary', 'ping'] as const) {
      using peer = await RawPeer.connect(tested.url);
      for (let i = 0; i <= MAX_FRAMES_BEFORE_LOGIN; i++) {
        if (kind === 'ping') peer.socket.ping();
        else peer.socket.send(kind === 'text' ? '{"mt":"KeepAlive"}' : Buffer.from('x'));
      }
      // The ws package itself ends a flood of pings.
      expect((await peer.closed()).code).toBe(kind === 'ping' ? 1006 : 1008);
    }
    expect(new Set(tested.refusals)).toEqual(new Set(['too many frames before the login']));
  });

  test('too many bytes close', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const text = JSON.stringify({ mt: 'x', y: 'z'.repeat(MAX_MESSAGE_BEFORE_LOGIN_BYTES - 100) });
    for (let sent = 0; sent <= MAX_BYTES_BEFORE_LOGIN; sent += text.length) peer.socket.send(text);
    expect(await peer.closed()).toMatchObject({ code: 1008 });
  });

  test('no login in time closes with 1008', async () => {
    await using tested = await TestService.start({ limits: { loginTimeoutMs: 50 } });
    using idle = await RawPeer.connect(tested.url);
    using asked = await RawPeer.connect(tested.url);
    await asked.challenge();
    expect(await idle.closed()).toEqual({ code: 1008, reason: 'no login in time' });
    expect(await asked.closed()).toMatchObject({ code: 1008 });
  });

  test('a look-up that never ends is no way around the time limit', async () => {
    await using tested = await TestService.start({
      limits: { loginTimeoutMs: 50 },
      password: () => new Promise(() => undefined),
    });
    using peer = await RawPeer.connect(tested.url);
    peer.send(loginText({ app: 'tool' }, await peer.challenge()));
    expect(await peer.closed()).toMatchObject({ code: 1008 });
  });

  test('a look-up that throws or rejects refuses, and is reported', async () => {
    let isAsync = false;
    await using tested = await TestService.start({
      password: () => {
        if (isAsync) return Promise.reject(new Error('later'));
        throw new Error('now');
      },
    });
    for (isAsync of [false, true]) {
      using peer = await RawPeer.connect(tested.url);
      expect(await peer.login()).toMatchObject({ ok: false, errorText: 'temporary failure' });
    }
    expect(tested.errors).toEqual([new Error('now'), new Error('later')]);
  });

  test('1,000 strangers: the next one is turned away, those logged in do not count', async () => {
    await using tested = await TestService.start();
    using own = await loggedIn(tested.url);
    const { port } = tested.server.address() as AddressInfo;
    const strangers = await Promise.all(Array.from({ length: 1_000 }, () => rawUpgrade(port)));
    expect(tested.service.strangerCount).toBe(1_000);
    await expect(RawPeer.connect(tested.url)).rejects.toThrow('503');
    own.send({ mt: 'KeepAlive' });
    await own.next('KeepAlive');
    for (const socket of strangers) socket.destroy();
    await until(() => tested.service.strangerCount === 0);
    using next = await loggedIn(tested.url);
    expect(next.closedWith).toBeUndefined();
  });

  test('no more connections than their bound', async () => {
    await using tested = await TestService.start({ limits: { connections: 2 } });
    using a = await loggedIn(tested.url);
    using b = await loggedIn(tested.url);
    await expect(RawPeer.connect(tested.url)).rejects.toThrow('503');
    expect([a.closedWith, b.closedWith]).toEqual([undefined, undefined]);
  });
});

/** An upgrade without a WebSocket library: a thousand of them are cheap. */
async function rawUpgrade(port: number): Promise<ReturnType<typeof connect>> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET /example.com/tool HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

describe('failed logins', () => {
  test('of one account slow down that account, even with the right password; others go on', async () => {
    await using tested = await TestService.start();
    const alice = { app: 'tool', sip: 'alice' };
    for (let i = 0; i < 10; i++) {
      using peer = await RawPeer.connect(tested.url);
      expect(await peer.login(alice, 'guess')).toMatchObject({ ok: false });
    }
    using right = await RawPeer.connect(tested.url);
    expect(await right.login(alice)).toMatchObject({ ok: false, errorText: 'login failed' });
    using bob = await RawPeer.connect(tested.url);
    expect(await bob.login({ app: 'tool', sip: 'bob' })).toMatchObject({ ok: true });
  });

  test('by AppCheckLogin are slowed down like those by logins; checks that are right cost nothing', async () => {
    const accountFailures = { burst: 3, forgiveMs: 60_000 };
    await using tested = await TestService.start({ limits: { accountFailures } });
    using peer = await loggedIn(tested.url);
    const isEqual = async (password: string): Promise<boolean> => {
      const digest = appLoginDigest({ app: 'tool', domain: 'd' }, '1', password);
      return (await peer.ask({ mt: 'AppCheckLogin', app: 'tool', domain: 'd', challenge: '1', digest }))['ok'] === true;
    };
    for (let i = 0; i < 10; i++) expect(await isEqual(PASSWORD)).toBe(true);
    for (let i = 0; i < 3; i++) expect(await isEqual(`guess ${i}`)).toBe(false);
    expect(await isEqual(PASSWORD)).toBe(false);
    expect(peer.closedWith).toBeUndefined();
  });

  test('of one address end in 429 with Retry-After, and do not close another address', async () => {
    let address = '192.0.2.1';
    await using tested = await TestService.start({
      addressOf: () => address,
      limits: { addressFailures: { burst: 3, forgiveMs: 5_000 } },
    });
    for (let i = 0; i < 3; i++) {
      using peer = await RawPeer.connect(tested.url);
      await peer.login({ app: 'tool', sip: `user ${i}` }, 'guess');
    }
    const socket = new WebSocket(tested.url);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ];
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '5']);
    socket.on('error', () => undefined).terminate();
    address = '192.0.2.2';
    using other = await loggedIn(tested.url);
    expect(other.closedWith).toBeUndefined();
  });

  test('are forgiven one by one, and remembered for a bounded number of addresses', () => {
    const failures = new Failures({ burst: 2, forgiveMs: 100 });
    for (const atMs of [0, 0, 0, 0]) failures.add('a', atMs);
    expect(failures.waitMs('a', 0)).toBe(200);
    expect(failures.waitMs('a', 150)).toBe(50);
    expect(failures.waitMs('a', 200)).toBe(0);
    failures.add('a', 200);
    expect(failures.waitMs('a', 200)).toBe(100);
    for (let i = 0; i < MAX_REMEMBERED_ADDRESSES + 10; i++) failures.add(`address ${i}`, 0);
    expect(failures.size).toBe(MAX_REMEMBERED_ADDRESSES);
    expect(failures.waitMs('b', 0)).toBe(0);
  });
});

describe('after the login', () => {
  test('1 MiB is taken, more closes with 1009', async () => {
    const sizes: number[] = [];
    await using tested = await TestService.start({
      onMessage: (message) => void sizes.push(String(message['y']).length),
    });
    using peer = await loggedIn(tested.url);
    const text = (size: number): string => JSON.stringify({ mt: 'x', y: 'z'.repeat(size) });
    peer.socket.send(text(MAX_MESSAGE_BYTES - 20));
    await until(() => sizes.length === 1);
    peer.socket.send(text(MAX_MESSAGE_BYTES));
    expect(await peer.closed()).toMatchObject({ code: 1009 });
  });

  test('malformed texts are ignored', async () => {
    await using tested = await TestService.start();
    using peer = await loggedIn(tested.url);
    for (const text of ['{', '[]', 'null', '7', '{"mt":{}}', '']) peer.socket.send(text);
    peer.send({ mt: 'KeepAlive' });
    expect(await peer.next('KeepAlive')).toEqual({ mt: 'KeepAlive' });
  });

  test('a peer that is silent for two pings is dead; one that answers pings is not', async () => {
    await using tested = await TestService.start({ limits: { pingMs: 20 } });
    using alive = await loggedIn(tested.url);
    const { port } = tested.server.address() as AddressInfo;
    const mute = await rawUpgrade(port);
    await until(() => tested.service.strangerCount === 1);
    await once(mute, 'close');
    expect(alive.closedWith).toBeUndefined();
    expect(tested.service.connections).toHaveLength(1);
  });
});

test('too many parts and pieces of one message close with 1008', async () => {
  await using tested = await TestService.start();
  const sockets: Socket[] = [];
  tested.server.on('connection', (socket: Socket) => sockets.push(socket));
  using parts = await loggedIn(tested.url);
  for (let i = 0; i <= MAX_FRAGMENTS; i++) parts.socket.send('', { fin: false });
  expect(await parts.closed()).toMatchObject({ code: 1008 });
  using pieces = await loggedIn(tested.url);
  // A text of 65,535 characters is announced. Its octets come one by one, however the network would join them.
  sockets.at(-1)?.emit('data', Buffer.from([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]));
  const octet = Buffer.from('x');
  for (let i = 0; i <= MAX_CHUNKS; i++) sockets.at(-1)?.emit('data', octet);
  expect(await pieces.closed()).toMatchObject({ code: 1008 });
});
