import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { isSoak, scaled } from '../../../../test/kit/scale.ts';
import { until } from '../../../../test/kit/wait.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { AppSession } from '../../src/session/session.ts';
import { openResources } from '../service/kit.ts';
import { PASSWORD, ScriptedPeer } from './kit.ts';

vi.setConfig({ testTimeout: isSoak ? 900_000 : 30_000 });

/** How the connections of one round end. */
const ENDS = ['close', 'abort', 'peer closes', 'peer dies', 'refused', 'close early', 'close held'] as const;

let peer: ScriptedPeer;
let refuser: ScriptedPeer;
beforeAll(async () => {
  peer = await ScriptedPeer.start({}, (socket) => (socket.onMessage = (message) => socket.send(message)));
  refuser = await ScriptedPeer.start('silent', (socket) => {
    socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
    socket.send({ mt: 'AppLoginResult', ok: false });
  });
});
afterAll(async () => {
  await peer.close();
  await refuser.close();
});

async function connectAndEnd(how: (typeof ENDS)[number]): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const before = peer.sockets.length;
  const url = how === 'refused' ? refuser.url : peer.url;
  const conn = AppWebsocketClient.connect(url, PASSWORD, 'tool', '', '', '', '', { signal, keepAliveMs: 1 });
  const isClosed = new Promise((resolve) => conn.onclose(resolve));
  if (how === 'close early') conn.close();
  else if (how !== 'refused') {
    await new Promise((resolve) => conn.onopen(resolve));
    const socket = peer.sockets[before]!;
    conn.setFlowControl(how === 'close held');
    const isEchoed = new Promise((resolve) => conn.onmessage(resolve));
    conn.send('{"mt":"Echo"}').send('{"mt":"Echo"}');
    await isEchoed;
    if (how.startsWith('close')) conn.close();
    if (how === 'abort') controller.abort();
    if (how === 'peer closes') socket.socket.close(1001);
    if (how === 'peer dies') socket.socket.terminate();
  }
  await isClosed;
}

/** Sessions with requests, subscriptions and a reconnect that is pending when they are closed. */
async function sessionWithWork(): Promise<void> {
  const before = peer.sockets.length;
  const slow = { firstMs: 60_000, maxMs: 60_000, jitter: 0, resetAfterMs: 0 };
  const session = await AppSession.open({ url: peer.url, app: 'tool', login: { password: PASSWORD }, reconnect: slow });
  const asked = session.request('X', 'Y').catch(() => undefined);
  const told = session.subscribe('X', 'SubscribeZ').next();
  peer.sockets[before]!.socket.terminate();
  await asked;
  await told;
  await session.close();
}

test('nothing is left after close: sockets, timers, listeners, however it came', async () => {
  const controller = new AbortController();
  for (const how of ENDS) await connectAndEnd(how);
  await sessionWithWork();
  await until(() => peer.sockets.every(({ closed }) => closed), 'peers closed');
  await until(() => refuser.sockets.every(({ closed }) => closed), 'refused closed');
  const before = openResources();
  for (let round = 0; round < scaled({ verify: 3, soak: 300 }); round++) {
    for (const how of ENDS) await connectAndEnd(how);
    await sessionWithWork();
  }
  await until(() => peer.sockets.every(({ closed }) => closed), 'peers closed');
  await until(
    () => {
      const after = openResources();
      return (
        (after['TCPSocketWrap'] ?? 0) <= (before['TCPSocketWrap'] ?? 0) &&
        (after['Timeout'] ?? 0) <= (before['Timeout'] ?? 0) + 1
      );
    },
    `resources as before: ${JSON.stringify([before, openResources()])}`,
  );
  expect(controller.signal.aborted).toBe(false);
});

test('a signal that outlives its connections keeps no listener of theirs', async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  for (let i = 0; i < 3; i++) {
    const session = await AppSession.open({ url: peer.url, app: 'tool', login: { password: PASSWORD }, signal });
    await session.request('X', 'Y', {}, { signal, timeoutMs: 1 }).catch(() => undefined);
    await session.close();
  }
  expect(listeners).toBe(0);
});
