import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { appLoginDigest, appSessionKey, decryptWith, encryptWith, hashWith } from '../../src/crypto/digests.ts';
import { connect, listen, opened, PASSWORD, ScriptedPeer, TEXTS } from './kit.ts';

describe('login with a password', () => {
  test('has the members of the arguments, and no info, key or pbxObj', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    await opened(conn);
    const [challenge, login] = peer.sockets[0]!.received;
    expect(challenge).toEqual({ mt: 'AppChallenge' });
    const names = { app: 'tool', domain: 'example.com', sip: 'tool', guid: 'a1', dn: 'Tool' };
    expect(login).toEqual({ mt: 'AppLogin', ...names, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  test('missing texts count as empty', async () => {
    await using peer = await ScriptedPeer.start('silent', (socket) =>
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' }),
    );
    await using _conn = AppWebsocketClient.connect(peer.url);
    const login = await (await peer.socket()).next('AppLogin');
    const digest = appLoginDigest({}, 'c', '');
    expect(login).toEqual({ mt: 'AppLogin', app: '', domain: '', sip: '', guid: '', dn: '', digest });
  });

  test('names in AppChallenge, pbxObj and info come from the options', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer, { usr: 'alice', appObj: 'tool', pbxObj: 'obj', info: '{"n":1.0}' });
    await opened(conn);
    const [challenge] = peer.sockets[0]!.received;
    expect(challenge).toEqual({ mt: 'AppChallenge', user: 'alice', appObj: 'tool' });
    expect(peer.sockets[0]!.texts[1]).toMatch(/"pbxObj":"obj","info":\{"n":1\.0\}\}$/);
  });

  test('a numeric challenge of an old acceptor is taken as text', async () => {
    await using peer = await ScriptedPeer.start('silent');
    await using _conn = connect(peer);
    const socket = await peer.socket();
    await socket.next('AppChallenge');
    socket.send({ mt: 'AppChallengeResult', challenge: 4711 });
    const { digest, mt: _mt, ...names } = await socket.next('AppLogin');
    expect(digest).toBe(appLoginDigest(names, '4711', PASSWORD));
  });

  test('handlers may be set right after connect, and the last one wins', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    const calls: string[] = [];
    conn.onopen(() => calls.push('first'));
    expect(conn.onopen(() => calls.push('last'))).toBe(conn);
    await until(() => calls.length > 0, 'open');
    expect(calls).toEqual(['last']);
  });
});

describe('onauth and auth', () => {
  test('the login pauses until auth, which sends its nine arguments, info as it stands', async () => {
    await using peer = await ScriptedPeer.start('silent');
    await using conn = connect(peer);
    const asked = new Promise<[string, string]>((resolve) =>
      conn.onauth((_conn, app, challenge) => resolve([app, challenge])),
    );
    const socket = await peer.socket();
    await socket.next('AppChallenge');
    socket.send({ mt: 'AppChallengeResult', challenge: 'abc' });
    expect(await asked).toEqual(['tool', 'abc']);
    expect(socket.received).toHaveLength(1);
    const info = '{"1":"ü","n":1.0, "a":[]}';
    conn.auth('d', 's', 'g', 'n', 'obj', 'svc', info, 'dig', 'k'.repeat(64));
    await socket.next('AppLogin');
    expect(socket.texts[1]).toBe(
      `{"mt":"AppLogin","app":"svc","domain":"d","sip":"s","guid":"g","dn":"n","digest":"dig","pbxObj":"obj","info":${info}}`,
    );
    socket.send({ mt: 'AppLoginResult', ok: true });
    await opened(conn);
    expect(conn.encrypt('seed', 'data')).toBe(encryptWith('k'.repeat(64), 'seed', 'data'));
  });

  test('absent arguments, and null for pbxObj and info, leave the members out', async () => {
    await using peer = await ScriptedPeer.start('silent', (socket) =>
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' }),
    );
    await using conn = connect(peer).onauth((c) => c.auth('', null, undefined, '', null, 'x', null, 'dig'));
    const login = await (await peer.socket()).next('AppLogin');
    expect(login).toEqual({ mt: 'AppLogin', app: 'x', domain: '', sip: '', guid: '', dn: '', digest: 'dig' });
    expect(() => conn.encrypt('s', 'd')).toThrow(expect.objectContaining({ code: 'not-logged-in' }));
  });

  test('auth later, after other work', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    conn.onauth((c, app, challenge) => {
      setImmediate(() => {
        const digest = appLoginDigest({ app, sip: 'x' }, challenge, PASSWORD);
        c.auth('', 'x', '', '', undefined, app, undefined, digest, appSessionKey(challenge, PASSWORD));
      });
    });
    await opened(conn);
    expect(conn.hash('s', 'd')).toBe(hashWith(peer.sockets[0]!.sessionKey!, 's', 'd'));
  });

  test('close inside onauth ends it, with one onclose', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer);
    const told = listen(conn);
    conn.onauth((c) => c.close());
    expect(await told.closed).toBeUndefined();
    expect(told.events).toEqual(['close']);
    const { closed } = peer.sockets[0]!;
    expect((await until(() => peer.sockets[0]!.closed ?? closed, 'closed')).code).toBe(1000);
  });

  test('info that is no object is refused where it is given', async () => {
    await using peer = await ScriptedPeer.start();
    expect(() => connect(peer, { info: '[1]' })).toThrow(expect.objectContaining({ code: 'bad-info' }));
    expect(() => AppWebsocketClient.connect('mailto:x')).toThrow(expect.objectContaining({ code: 'bad-url' }));
  });
});

describe('messages', () => {
  test('what is sent before the login is kept in order, and comes before what onopen sends', async () => {
    await using peer = await ScriptedPeer.start('silent');
    await using conn = connect(peer);
    conn.onopen((c) => c.send('{"mt":"D"}'));
    conn.send('{"mt":"A"}').send('{"mt":"B"}');
    const socket = await peer.socket();
    await socket.next('AppChallenge');
    conn.send('{"mt":"C"}');
    socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
    socket.send({ mt: 'AppLoginResult', ok: true });
    await socket.next('D');
    expect(peer.sockets[0]!.received.slice(2).map(({ mt }) => mt)).toEqual(['A', 'B', 'C', 'D']);
  });

  test('64 KiB are kept, counted as UTF-8; more throws, and nothing is lost', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    const half = JSON.stringify({ mt: 'A', t: 'ä'.repeat(16_000) });
    conn.send(half).send(half);
    expect(() => conn.send(half)).toThrow(expect.objectContaining({ code: 'queue-full', retry: true }));
    conn.send('{"mt":"End"}');
    await (await peer.socket()).next('End');
    expect(peer.sockets[0]!.received.filter(({ mt }) => mt === 'A')).toHaveLength(2);
  });

  for (const [name, t] of Object.entries(TEXTS)) {
    test(`round trip: ${name}`, async () => {
      await using peer = await ScriptedPeer.start({}, (socket) => (socket.onMessage = (m) => socket.send(m)));
      await using conn = connect(peer);
      const echo = new Promise<string>((resolve) => conn.onmessage((_conn, text) => resolve(text)));
      await opened(conn);
      const text = JSON.stringify({ mt: 'Echo', t, encrypted: conn.encrypt('seed', t), hash: conn.hash('seed', t) });
      conn.send(text);
      expect(await echo).toBe(text);
      const { encrypted, hash } = JSON.parse(text) as { encrypted: string; hash: string };
      const key = peer.sockets[0]!.sessionKey!;
      expect(decryptWith(key, 'seed', encrypted)).toBe(t);
      expect(conn.decrypt('seed', encrypted)).toBe(t);
      expect(hash).toBe(hashWith(key, 'seed', t));
    });
  }

  test('base messages, binary, and what is no object never reach onmessage; fragments are joined', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    const socket = peer.sockets[0]!;
    for (const mt of ['KeepAlive', 'AppChallengeResult', 'AppLoginResult', 'CheckBuildResult', 'PbxInfo', 'Test'])
      socket.send({ mt });
    for (const text of ['[]', '"x"', 'null', '{', '{"mt":7}', '{"api":"X"}']) socket.send(text);
    socket.socket.send(Buffer.from('{"mt":"Binary"}'), { binary: true });
    socket.socket.send('{"api":"X","mt"', { fin: false });
    socket.socket.send(':"KeepAlive"}', { fin: true });
    await until(() => told.texts.length > 0, 'message');
    expect(told.texts).toEqual(['{"api":"X","mt":"KeepAlive"}']);
  });

  test('before the login nothing but base messages counts', async () => {
    await using peer = await ScriptedPeer.start('silent', (socket) => {
      socket.send({ mt: 'Early', api: 'X' });
      socket.send({ mt: 'AppChallengeResult', challenge: 'c' });
      socket.send({ mt: 'AppLoginResult', ok: true });
      socket.send({ mt: 'Late' });
    });
    await using conn = connect(peer);
    const told = listen(conn);
    await until(() => told.texts.length > 0, 'message');
    expect(told.texts).toEqual(['{"mt":"Late"}']);
  });

  test('send throws while 8 MiB wait for a peer that does not read, and goes on when it reads again', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    await opened(conn);
    const { socket } = peer.sockets[0]!;
    socket.pause();
    const text = JSON.stringify({ mt: 'A', t: 'x'.repeat(500_000) });
    let sent = 0;
    expect(() => {
      for (; sent < 200; sent++) conn.send(text);
    }).toThrow(expect.objectContaining({ code: 'slow-peer' }));
    expect(conn.bufferedBytes).toBeGreaterThan(8 * 1024 * 1024);
    expect(conn.bufferedBytes).toBeLessThan(10 * 1024 * 1024);
    socket.resume();
    await conn.drained();
    conn.send('{"mt":"End"}');
    await peer.sockets[0]!.next('End');
    expect(peer.sockets[0]!.received.filter(({ mt }) => mt === 'A')).toHaveLength(sent);
  });
});
