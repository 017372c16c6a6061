import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import type { AppWebsocketError } from '../../src/wire/errors.ts';
import { connect, listen, PASSWORD, ScriptedPeer } from './kit.ts';

describe('ends', () => {
  async function refusedBy(result: unknown): Promise<AppWebsocketError | undefined> {
    await using peer = await ScriptedPeer.start('silent', (socket) => {
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
      socket.send(result);
    });
    const told = listen(connect(peer));
    const error = await told.closed;
    expect(told.events).toEqual(['close']);
    expect((await until(() => peer.sockets[0]!.closed, 'closed')).code).toBe(1000);
    return error;
  }

  test('a refused login closes with the reason, whichever way the peer says it', async () => {
    expect(await refusedBy({ mt: 'AppLoginResult', ok: false, errorText: 'no' })).toMatchObject({
      code: 'login-failed',
      reason: 'no',
      retry: false,
    });
    expect(await refusedBy({ mt: 'AppLoginResult' })).toMatchObject({ code: 'login-failed', reason: undefined });
    expect(await refusedBy({ mt: 'AppLoginResult', error: 17 })).toMatchObject({ code: 'login-failed' });
  });

  const strange: readonly (readonly [string, string, string, number])[] = [
    ['no JSON', 'hello', 'protocol-error', 1002],
    ['no object', '[1]', 'protocol-error', 1002],
    ['70 KB before the login', `{"mt":"X","x":"${'x'.repeat(70_000)}"}`, 'message-too-big', 1009],
  ];
  test.each(strange)('a peer that sends %s is closed', async (_name, text, code, closeCode) => {
    await using peer = await ScriptedPeer.start('silent', (socket) => socket.send(text));
    expect(await listen(connect(peer)).closed).toMatchObject({ code });
    expect((await until(() => peer.sockets[0]!.closed, 'closed')).code).toBe(closeCode);
  });

  test('more than 1 MiB in one message closes, also after the login', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer);
    const { closed } = listen(conn);
    await peer.sockets[0]?.next('AppLogin');
    await until(() => peer.sockets[0]?.sessionKey, 'login');
    peer.sockets[0]!.send({ mt: 'X', x: 'x'.repeat(2 ** 20) });
    expect(await closed).toMatchObject({ code: 'connection-lost' });
  });

  test('a peer that never answers the challenge', async () => {
    await using peer = await ScriptedPeer.start('silent');
    expect(await listen(connect(peer, { loginTimeoutMs: 30 })).closed).toMatchObject({
      code: 'login-timeout',
      retry: true,
    });
  });

  test('nobody listens; a server that is none; a server that hangs up', async () => {
    const closedPort = createServer().listen(0, '127.0.0.1');
    await once(closedPort, 'listening');
    const { port } = closedPort.address() as AddressInfo;
    closedPort.close();
    const gone = await listen(AppWebsocketClient.connect(`ws://127.0.0.1:${port}/`)).closed;
    expect(gone).toMatchObject({ code: 'connect-failed', reason: expect.stringContaining('ECONNREFUSED') });
    const rude = createServer((socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    await once(rude.listen(0, '127.0.0.1'), 'listening');
    const url = `ws://127.0.0.1:${(rude.address() as AddressInfo).port}/`;
    expect(await listen(AppWebsocketClient.connect(url)).closed).toMatchObject({ code: 'connect-failed' });
    rude.close();
    await using peer = await ScriptedPeer.start('silent', ({ socket }) => socket.close(1008, 'not you'));
    expect(await listen(connect(peer)).closed).toMatchObject({ code: 'connect-failed', reason: '1008 not you' });
  });

  test('a loss after the login is told once, after all messages; the object is unusable then', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer);
    const told = listen(conn);
    conn.onmessage(() => told.events.push('message'));
    await until(() => told.events.includes('open'), 'open');
    peer.sockets[0]!.send({ mt: 'Last' });
    peer.sockets[0]!.socket.close(1001, 'restart');
    expect(await told.closed).toMatchObject({ code: 'connection-lost', reason: '1001 restart' });
    expect(told.events).toEqual(['open', 'message', 'close']);
    expect(() => conn.send('{}')).toThrow(expect.objectContaining({ code: 'not-connected' }));
    expect(() => conn.decrypt('s', '')).toThrow(expect.objectContaining({ code: 'not-logged-in' }));
    conn.close();
    conn.messageComplete().setFlowControl(true).auth();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.events).toEqual(['open', 'message', 'close']);
  });

  test('close: at once, before the connection stands, and twice', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer);
    conn.close();
    const told = listen(conn);
    conn.close();
    expect(await told.closed).toBeUndefined();
    expect(told.events).toEqual(['close']);
    const second = connect(peer);
    const toldSecond = listen(second);
    await Promise.resolve();
    second.close();
    expect(await toldSecond.closed).toBeUndefined();
    expect(toldSecond.events).toEqual(['close']);
  });

  test('an abort signal closes: given aborted, and later', async () => {
    await using peer = await ScriptedPeer.start();
    const given = await listen(connect(peer, { signal: AbortSignal.abort() })).closed;
    expect(given).toMatchObject({ code: 'aborted' });
    expect(peer.sockets).toHaveLength(0);
    const controller = new AbortController();
    const conn = connect(peer, { signal: controller.signal });
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    controller.abort(new Error('enough'));
    const error = await told.closed;
    expect(error).toMatchObject({ code: 'aborted', cause: expect.objectContaining({ message: 'enough' }) });
  });
});

describe('autoReconnect', () => {
  const quick = { firstMs: 1, maxMs: 4, jitter: 0, resetAfterMs: 0 };

  test('onopen after every login, texts kept in between, onclose once at the end', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer, { autoReconnect: { ...quick, firstMs: 100, maxMs: 100 } });
    const told = listen(conn);
    await until(() => told.events.length === 1, 'first login');
    peer.sockets[0]!.socket.terminate();
    await until(() => peer.sockets[0]!.closed, 'closed');
    await until(() => {
      try {
        conn.encrypt('', '');
        return false;
      } catch {
        return true;
      }
    }, 'loss');
    conn.send('{"mt":"Kept"}');
    await (await peer.socket(1)).next('Kept');
    conn.close();
    expect(await told.closed).toBeUndefined();
    expect(told.events).toEqual(['open', 'open', 'close']);
  });

  test('ends when the login is refused', async () => {
    await using peer = await ScriptedPeer.start('silent', (socket) => {
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
      socket.send({ mt: 'AppLoginResult', ok: false });
    });
    expect(await listen(connect(peer, { autoReconnect: quick })).closed).toMatchObject({ code: 'login-failed' });
    expect(peer.sockets).toHaveLength(1);
  });

  test('goes on while the server is away, and close ends it while it waits', async () => {
    const peer = await ScriptedPeer.start();
    const { port } = peer;
    await peer.close();
    const conn = AppWebsocketClient.connect(`ws://127.0.0.1:${port}/`, PASSWORD, 'tool', '', '', '', '', {
      autoReconnect: quick,
    });
    const told = listen(conn);
    await using again = await ScriptedPeer.start({}, undefined, port);
    await until(() => told.events.includes('open'), 'login after an outage');
    await again.close();
    await until(() => again.sockets[0]!.closed, 'closed');
    conn.close();
    expect(await told.closed).toBeUndefined();
  });
});
