import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { TestService } from '../service/kit.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { connect, listen, PASSWORD, ScriptedPeer } from './kit.ts';

const keepAlives = (messages: readonly { readonly mt?: unknown }[]): number =>
  messages.filter(({ mt }) => mt === 'KeepAlive').length;

describe('KeepAlive (AW §5.4)', () => {
  test('idle for 10 intervals keeps a connection alive', async () => {
    await using tested = await TestService.start();
    const options = { keepAliveMs: 10, deadAfterMs: 1_000 };
    const conn = AppWebsocketClient.connect(tested.url, PASSWORD, 'tool', '', 'a', '', '', options);
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    const idleSince = performance.now();
    await until(() => performance.now() - idleSince > 100, '10 intervals');
    expect(told.events).toEqual(['open']);
    expect(told.texts).toEqual([]);
    expect(conn.encrypt('s', 'd')).not.toBe('');
    conn.close();
    await told.closed;
  });

  test('goes out after an interval in which nothing was heard, and again after each', async () => {
    await using peer = await ScriptedPeer.start();
    await using _conn = connect(peer, { keepAliveMs: 10, deadAfterMs: 0 });
    const socket = await peer.socket();
    await until(() => keepAlives(socket.received) >= 10, 'ten KeepAlives');
  });

  test('no echo loop: a received KeepAlive is swallowed and never answered', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer, { keepAliveMs: 0 });
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    const socket = peer.sockets[0]!;
    for (let i = 0; i < 10; i++) socket.send({ mt: 'KeepAlive' });
    conn.send('{"mt":"End"}');
    socket.send({ mt: 'End' });
    await until(() => told.texts.length > 0, 'message after the KeepAlives');
    await socket.next('End');
    expect(keepAlives(socket.received)).toBe(0);
    expect(told.texts).toEqual(['{"mt":"End"}']);
    conn.close();
    await told.closed;
  });

  test('a peer without any frame for long is dead', async () => {
    // Neither pong nor echo: the peer's process hangs.
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer, { keepAliveMs: 10, deadAfterMs: 50 });
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    peer.sockets[0]!.socket.pause();
    expect(await told.closed).toMatchObject({ code: 'peer-silent', retry: true });
  });

  test('a program that was busy for long does not take its peer for dead', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer, { keepAliveMs: 20, deadAfterMs: 100 });
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    for (let round = 0; round < 3; round++) {
      const since = performance.now();
      while (performance.now() - since < 150);
      await until(() => keepAlives(peer.sockets[0]!.received) > 3 * round, 'KeepAlives');
    }
    expect(told.events).toEqual(['open']);
    conn.close();
    await told.closed;
  });

  test('any frame is a sign of life: pongs of a peer that never echoes suffice', async () => {
    await using peer = await ScriptedPeer.start('silent', (socket) => {
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
      socket.send({ mt: 'AppLoginResult', ok: true });
    });
    const conn = connect(peer, { keepAliveMs: 20, deadAfterMs: 1_000 });
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    const since = performance.now();
    await until(() => performance.now() - since > 1_500, 'more than the time to be dead');
    expect(keepAlives(peer.sockets[0]!.received)).toBeGreaterThan(5);
    expect(told.events).toEqual(['open']);
    conn.close();
    await told.closed;
  });
});
