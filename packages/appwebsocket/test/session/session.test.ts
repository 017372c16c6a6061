import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import type { SessionOptions } from '../../src/session/session.ts';
import { AppSession } from '../../src/session/session.ts';
import { appLoginDigest, appSessionKey } from '../../src/crypto/digests.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import { PASSWORD, ScriptedPeer } from '../client/kit.ts';
import { TestService } from '../service/kit.ts';

const quick = { firstMs: 1, maxMs: 4, jitter: 0, resetAfterMs: 0 };
const open = (peer: { readonly url: string }, options: Partial<SessionOptions> = {}): Promise<AppSession> =>
  AppSession.open({
    url: peer.url,
    app: 'tool',
    login: { password: PASSWORD, sip: 'tool' },
    reconnect: quick,
    ...options,
  });

describe('AppSession', () => {
  test('logs in, asks, is told, at an app service', async () => {
    await using tested = await TestService.start({ domain: 'example.com' }, (service) =>
      service.api('com.acme.hello', {
        Hello: ({ name }) => ({ text: `Hello ${String(name)}` }),
        SubscribeTicks: (_message, call) => {
          setImmediate(() => {
            for (let n = 1; n <= 3; n++) call.tell('Tick', { n });
          });
          return {};
        },
        UnsubscribeTicks: () => ({}),
      }),
    );
    await using session = await open(tested);
    expect(session.domain).toBe('example.com');
    expect(await session.request('com.acme.hello', 'Hello', { name: 'Jörg 😀' })).toMatchObject({
      text: 'Hello Jörg 😀',
    });
    await expect(session.request('com.acme.hello', 'Nope')).rejects.toMatchObject({ reason: 'unknown message' });
    await expect(session.request('com.acme.other', 'Nope')).rejects.toMatchObject({ reason: 'not allowed' });
    const seen: unknown[] = [];
    for await (const { n } of session.subscribe('com.acme.hello', 'SubscribeTicks')) {
      seen.push(n);
      if (n === 3) break;
    }
    expect(seen).toEqual([1, 2, 3]);
    const [connection] = tested.service.connections;
    expect(connection!.decrypt('s', session.encrypt('s', 'secret ä'))).toBe('secret ä');
    expect(session.hash('s', 'x')).toBe(connection!.hash('s', 'x'));
  });

  test('opens with http URLs too', async () => {
    await using peer = await ScriptedPeer.start();
    await using session = await open({ url: peer.url.replace('ws:', 'http:') });
    expect(session.isUp).toBe(true);
  });

  test('rejects when refused, and with bad arguments', async () => {
    await using tested = await TestService.start();
    await expect(open(tested, { login: { password: 'wrong' } })).rejects.toMatchObject({
      code: 'login-failed',
      reason: 'login failed',
    });
    await expect(open({ url: 'ftp://x/' })).rejects.toMatchObject({ code: 'bad-url' });
    await expect(open(tested, { login: { password: '', info: '7' } })).rejects.toMatchObject({ code: 'bad-info' });
  });

  test('without reconnecting one failed attempt rejects', async () => {
    await expect(open({ url: 'ws://127.0.0.1:9' }, { reconnect: false })).rejects.toMatchObject({
      code: 'connect-failed',
    });
  });

  test('tries again until it is aborted', async () => {
    const controller = new AbortController();
    let losses = 0;
    const opening = open(
      { url: 'ws://127.0.0.1:9' },
      {
        signal: controller.signal,
        onLoss: () => ++losses === 3 && controller.abort(),
      },
    );
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    expect(losses).toBe(3);
  });

  test('comes back after a loss: requests in flight reject, subscriptions end, onLogin comes again', async () => {
    await using peer = await ScriptedPeer.start({}, (socket) => (socket.onMessage = () => undefined));
    const losses: unknown[] = [];
    let logins = 0;
    await using session = await open(peer, {
      onLogin: () => logins++,
      onLoss: (error, retryInMs) => losses.push([error?.code, retryInMs]),
    });
    const asked = session.request('X', 'Y');
    const told = session.subscribe('X', 'SubscribeY').next();
    await peer.sockets[0]!.next('SubscribeY');
    peer.sockets[0]!.socket.terminate();
    await expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    expect(await told).toMatchObject({ done: true });
    expect(session.isUp).toBe(false);
    expect(() => session.send({ mt: 'X' })).toThrow(expect.objectContaining({ code: 'not-connected' }));
    await expect(session.request('X', 'Y')).rejects.toMatchObject({ code: 'not-connected' });
    await session.whenUp();
    expect(logins).toBe(2);
    expect(losses).toEqual([['connection-lost', 1]]);
    expect(session.request('X', 'Y', {}, { timeoutMs: 0 }).catch(() => undefined)).toBeInstanceOf(Promise);
    await peer.sockets[1]!.next('Y');
  });

  test('a refused login ends it, unless it shall go on', async () => {
    let refusals = 0;
    const password = (): string => (refusals++ < 3 ? 'other' : PASSWORD);
    await using tested = await TestService.start({ password });
    await using session = await open(tested, { retriesRefused: true });
    expect(session.isUp).toBe(true);
    expect(refusals).toBe(4);
  });

  test('the login may come from elsewhere, later', async () => {
    await using tested = await TestService.start();
    const login = async (app: string, challenge: string): Promise<{ digest: string; key: string; sip: string }> => {
      await new Promise((resolve) => setImmediate(resolve));
      const digest = appLoginDigest({ app, sip: 'alice' }, challenge, PASSWORD);
      return { sip: 'alice', digest, key: appSessionKey(challenge, PASSWORD) };
    };
    await using session = await open(tested, { login });
    const [connection] = tested.service.connections;
    expect(connection!.identity.sip).toBe('alice');
    expect(session.hash('a', 'b')).toBe(connection!.hash('a', 'b'));
  });

  test('a login source that fails is tried again; login-failed ends it; the signal tells of a loss', async () => {
    await using peer = await ScriptedPeer.start();
    let calls = 0;
    const signals: AbortSignal[] = [];
    const failing = open(peer, {
      login: (_app, _challenge, signal) => {
        signals.push(signal);
        throw ++calls < 3 ? new Error('no answer') : new AppWebsocketError('login-failed', { reason: 'no right' });
      },
    });
    await expect(failing).rejects.toMatchObject({ code: 'login-failed', reason: 'no right' });
    expect(calls).toBe(3);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  test('requests of the peer are refused, or given to onMessage; answers are never answered', async () => {
    await using peer = await ScriptedPeer.start();
    await using _plain = await open(peer);
    const socket = peer.sockets[0]!;
    for (const message of [{ mt: 'Own' }, { api: 'X', mt: 'YResult' }, { api: 'X', mt: 'Error' }, { mt: 'Error' }])
      socket.send(message);
    socket.send({ api: 'X', mt: 'Ask', src: 5 });
    expect(await socket.next('AskResult')).toEqual({ api: 'X', mt: 'AskResult', src: 5, error: 'not allowed' });
    expect(socket.received).toHaveLength(3);
    const seen: unknown[] = [];
    await using _listening = await open(peer, { onMessage: ({ mt }, text) => seen.push([mt, text]) });
    peer.sockets[1]!.send({ api: 'X', mt: 'Ask' });
    await until(() => seen.length > 0, 'message');
    expect(seen).toEqual([['Ask', '{"api":"X","mt":"Ask"}']]);
  });

  test('a page of another build is told where to go (AW §5.1)', async () => {
    await using tested = await TestService.start({ build: '1046' });
    const url = 'https://h/d/tool/1045/acme-tool.htm?name=tool';
    const redirect = await new Promise((resolve, reject) => {
      open(tested, { checkBuildUrl: url, onOtherBuild: resolve }).then((session) => session.close(), reject);
    });
    expect(redirect).toBe('https://h/d/tool/1046/acme-tool.htm?name=tool');
  });

  test('close resolves when it is closed, and closed tells why a session ended', async () => {
    await using peer = await ScriptedPeer.start();
    const session = await open(peer);
    await session.close();
    await session.close();
    expect(await session.closed).toBeUndefined();
    await expect(session.whenUp()).rejects.toMatchObject({ code: 'not-connected' });
    const other = await open(peer, { reconnect: false });
    peer.sockets[1]!.socket.close(1012, 'restart');
    expect(await other.closed).toMatchObject({ code: 'connection-lost', reason: '1012 restart' });
  });

  test('a peer that asks without reading the answers is closed', async () => {
    await using peer = await ScriptedPeer.start();
    const session = await open(peer, { reconnect: false });
    const { socket } = peer.sockets[0]!;
    socket.pause();
    const ask = JSON.stringify({ api: 'X', mt: 'Ask', src: 'x'.repeat(100_000) });
    for (let i = 0; i < 200; i++) socket.send(ask);
    expect(await session.closed).toMatchObject({ code: 'slow-peer' });
  });
});
