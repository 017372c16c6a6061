import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { appLoginDigest, appSessionKey, decryptWith, encryptWith, hashWith } from '../../src/crypto/digests.ts';
import { infoOfObject, loggedIn, loginText, PASSWORD, RawPeer, TestService } from './kit.ts';

const USER = { app: 'tool', domain: 'example.com', sip: 'alice', guid: '0'.repeat(32), dn: 'Ä Müller' };

/** AW §11, the acceptor's points, over a real socket. */
describe('the acceptor takes logins with', () => {
  const digestOf = (challenge: string, info?: string): string => appLoginDigest({ ...USER, info }, challenge, PASSWORD);
  const table: readonly (readonly [string, (challenge: string) => string])[] = [
    ['only app and digest', (c) => loginText({ app: 'tool' }, c)],
    ['an empty info', (c) => loginText({ ...USER, info: {} }, c)],
    ['no info', (c) => loginText(USER, c)],
    ['info null', (c) => loginText({ ...USER, info: null }, c)],
    ['pbxObj null', (c) => loginText({ ...USER, pbxObj: null }, c)],
    [
      'sorted member order',
      (c) => {
        const login = JSON.parse(loginText({ ...USER, info: { appobj: 'x' } }, c)) as Record<string, unknown>;
        return JSON.stringify(Object.fromEntries(Object.entries(login).sort(([a], [b]) => (a < b ? -1 : 1))));
      },
    ],
    ['an extra key', (c) => loginText(USER, c).replace('{', '{"key":"0123",')],
    [
      'escaped info text, signed unescaped',
      (c) => {
        const signed = '{"appobj":"a&b","appdn":"ä"}';
        const digest = digestOf(c, signed);
        return JSON.stringify({ mt: 'AppLogin', ...USER, digest }).replace(
          /}$/,
          ',"info":{"appobj":"a\\u0026b","appdn":"\\u00e4"}}',
        );
      },
    ],
    [
      'info that JSON.stringify would rewrite, signed as it is sent',
      (c) => {
        const signed = '{ "b":1.0, "1":2 }';
        const digest = digestOf(c, signed);
        return JSON.stringify({ mt: 'AppLogin', ...USER, digest }).replace(/}$/, `,"info":${signed}}`);
      },
    ],
    ['an upper-case digest', (c) => JSON.stringify({ mt: 'AppLogin', ...USER, digest: digestOf(c).toUpperCase() })],
    ['a further password of the domain', (c) => loginText(USER, c, 'second')],
  ];
  test.each(table)('%s', async (_name, text) => {
    await using tested = await TestService.start({
      password: ({ domain }) => (domain === 'example.com' ? [PASSWORD, 'second'] : [PASSWORD]),
    });
    using peer = await RawPeer.connect(tested.url);
    peer.send(text(await peer.challenge()));
    expect(await peer.next('AppLoginResult')).toMatchObject({ ok: true });
    expect(tested.service.connections).toHaveLength(1);
  });
});

describe('the acceptor refuses', () => {
  const table: readonly (readonly [string, (text: string) => string])[] = [
    ['a changed dn', (text) => text.replace('Ä Müller', 'Ä Muller')],
    ['a changed member inside info', (text) => text.replace('"appobj":"o"', '"appobj":"p"')],
    ['a dropped info', (text) => text.replace(/"info":\{.*?\},/, '')],
    ['a member added to info', (text) => text.replace('"info":{', '"info":{"groups":["admins"],')],
    ['a second info that parsers would use', (text) => text.replace(/}$/, ',"info":{"appobj":"p"}}')],
    ['an empty digest', (text) => text.replace(/"digest":"[^"]*"/, '"digest":""')],
    ['a digest of another type', (text) => text.replace(/"digest":"[^"]*"/, '"digest":7')],
  ];
  test.each(table)('%s', async (_name, change) => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const text = loginText({ ...USER, info: { appobj: 'o' } }, await peer.challenge());
    expect(change(text)).not.toBe(text);
    peer.send(change(text));
    expect(await peer.next('AppLoginResult')).toEqual({
      mt: 'AppLoginResult',
      ok: false,
      errorText: 'login failed',
    });
    expect(tested.service.connections).toHaveLength(0);
    expect(tested.refusals).toEqual(['login failed']);
  });

  test('a login without a challenge', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    peer.send(loginText(USER, ''));
    expect(await peer.next('AppLoginResult')).toMatchObject({ ok: false });
    expect(await peer.closed()).toMatchObject({ code: 1000 });
  });

  test('a login replayed on another connection', async () => {
    await using tested = await TestService.start();
    using first = await RawPeer.connect(tested.url);
    const text = loginText(USER, await first.challenge());
    first.send(text);
    expect(await first.next('AppLoginResult')).toMatchObject({ ok: true });
    using second = await RawPeer.connect(tested.url);
    await second.challenge();
    second.send(text);
    expect(await second.next('AppLoginResult')).toMatchObject({ ok: false });
  });

  test('a reused challenge', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const text = loginText(USER, await peer.challenge());
    peer.send(text);
    await peer.next('AppLoginResult');
    peer.send(text);
    expect(await peer.next('AppLoginResult')).toMatchObject({ ok: false });
    expect(await peer.closed()).toBeDefined();
  });

  test('an older challenge than the latest', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const old = await peer.challenge();
    await peer.challenge();
    peer.send(loginText(USER, old));
    expect(await peer.next('AppLoginResult')).toMatchObject({ ok: false });
  });

  test('a wrong password, an unknown app and no challenge with the same text', async () => {
    await using tested = await TestService.start({ password: ({ app }) => (app === 'tool' ? PASSWORD : undefined) });
    using wrong = await RawPeer.connect(tested.url);
    using unknown = await RawPeer.connect(tested.url);
    using early = await RawPeer.connect(tested.url);
    early.send(loginText(USER, 'x'));
    const answers = [
      await wrong.login(USER, 'other'),
      await unknown.login({ ...USER, app: 'nothing' }),
      await early.next('AppLoginResult'),
    ];
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test('with the text of `admit`', async () => {
    await using tested = await TestService.start({
      admit: ({ info }) => (info?.['unlicensed'] === true ? 'UNLICENSED' : undefined),
    });
    using peer = await RawPeer.connect(tested.url);
    expect(await peer.login({ ...USER, info: { unlicensed: true } })).toMatchObject({ errorText: 'UNLICENSED' });
  });
});

describe('an app service', () => {
  test('serves WebSockets on its directory, on directory/<app> and below a build', async () => {
    await using tested = await TestService.start();
    for (const path of ['', '/', '/tool', '/tool/', '?x=1', '/1045', '/1045/tool']) {
      using peer = await loggedIn(tested.url + path);
      expect(peer.closedWith).toBeUndefined();
    }
    for (const path of ['x', '/a-b/tool', '/../other']) {
      await expect(RawPeer.connect(tested.url + path)).rejects.toThrow('404');
    }
  });

  const APP = { app: 'tool', domain: 'example.com', sip: 'tool-obj', info: infoOfObject('tool-obj') };
  const PBX_INFO = { mt: 'PbxInfo', domain: 'example.com', pbx: 'master', pbxDns: 'pbx.example.com', apis: ['PbxApi'] };
  const INFO = { info: { hidden: true }, serviceInfo: { apis: { 'com.acme.x': { title: 'X' } } } };
  test.each([['before'], ['after']])('takes AppInfo %s PbxInfo', async (order) => {
    const pbxs: string[] = [];
    await using tested = await TestService.start({
      appInfo: INFO,
      onPbx: (_connection, { pbx }) => void pbxs.push(pbx),
    });
    using pbx = await loggedIn(tested.url, APP);
    const texts = [{ mt: 'AppInfo', app: 'tool' }, PBX_INFO];
    for (const message of order === 'before' ? texts : texts.reverse()) pbx.send(message);
    expect(await pbx.next('AppInfoResult')).toEqual({ mt: 'AppInfoResult', app: 'tool', ...INFO });
    await until(() => pbxs.length === 1);
    expect(pbxs).toEqual(['master']);
  });

  test('ignores PbxInfo of a user', async () => {
    const pbxs: string[] = [];
    await using tested = await TestService.start({ onPbx: (_connection, { pbx }) => void pbxs.push(pbx) });
    using user = await loggedIn(tested.url, { ...APP, sip: 'alice', pbxObj: 'tool-obj' });
    user.send(PBX_INFO);
    await user.ask({ mt: 'AppInfo', app: 'tool' });
    expect(pbxs).toEqual([]);
    expect(tested.service.connections[0]?.pbx).toBeUndefined();
  });

  test('ignores Error messages and results, echoes KeepAlive, and treats an empty api as none', async () => {
    const seen: unknown[] = [];
    await using tested = await TestService.start({ onMessage: (message) => void seen.push(message) }, (service) =>
      service.api('', { Plain: () => ({ api: undefined, ok: true }) }),
    );
    using peer = await loggedIn(tested.url);
    peer.send({ api: '', mt: 'Plain', src: 7 });
    expect(await peer.next('PlainResult')).toEqual({ mt: 'PlainResult', src: 7, ok: true });
    peer.send({ mt: 'Error', text: 'what?' });
    peer.send({ api: 'X', mt: 'YResult' });
    peer.send({ mt: 'KeepAlive' });
    expect(await peer.next('KeepAlive')).toEqual({ mt: 'KeepAlive' });
    expect(seen).toHaveLength(2);
    expect(peer.received).toEqual([]);
  });

  test('KeepAlive holds an idle connection for 10 intervals, and two ends of our own make no echo loop', async () => {
    await using tested = await TestService.start({ limits: { pingMs: 40 } });
    const client = AppWebsocketClient.connect(tested.url, PASSWORD, 'tool', '', '', '', '', { keepAliveMs: 20 });
    let frames = 0;
    let isClosed = false;
    tested.server.on('connection', (socket) => socket.on('data', () => frames++));
    client.onclose(() => (isClosed = true));
    await new Promise<void>((resolve) => client.onopen(() => resolve()));
    const startMs = performance.now();
    await until(() => frames >= 20 && performance.now() - startMs >= 200);
    // A loop would make thousands.
    expect(frames).toBeLessThan(((performance.now() - startMs) / 20) * 4 + 20);
    expect(isClosed).toBe(false);
    expect(tested.service.connections).toHaveLength(1);
    client.close();
  });

  test('answers CheckBuild before and after the login', async () => {
    await using tested = await TestService.start({ build: '1046' });
    using peer = await RawPeer.connect(tested.url);
    const url = 'https://h/d/tool/1045/acme.htm?name=t#x';
    expect(await peer.ask({ mt: 'CheckBuild', url })).toEqual({
      mt: 'CheckBuildResult',
      url: 'https://h/d/tool/1046/acme.htm?name=t#x',
    });
    expect(await peer.ask({ mt: 'CheckBuild', url: url.replace('1045', '1046') })).toEqual({ mt: 'CheckBuildResult' });
    await peer.login();
    expect(await peer.ask({ mt: 'CheckBuild', url: 'https://h/d/tool/acme.htm' })).toMatchObject({
      url: 'https://h/d/tool/1046/acme.htm',
    });
  });

  test('answers AppCheckLogin', async () => {
    await using tested = await TestService.start();
    using peer = await loggedIn(tested.url);
    const check = (password: string): Promise<Record<string, unknown>> => {
      const app = { app: 'tool', domain: 'example.com' };
      const digest = appLoginDigest(app, '1234', password);
      return peer.ask({ mt: 'AppCheckLogin', src: 's', ...app, challenge: '1234', digest });
    };
    expect(await check(PASSWORD)).toEqual({ mt: 'AppCheckLoginResult', src: 's', ok: true });
    expect(await check('other')).toEqual({ mt: 'AppCheckLoginResult', src: 's' });
  });

  test('shares the session key with the peer, both ways', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    const challenge = await peer.challenge();
    peer.send(loginText(USER, challenge));
    await peer.next('AppLoginResult');
    const key = appSessionKey(challenge, PASSWORD);
    const [connection] = tested.service.connections;
    const secret = 'Grüße 😀\r\n';
    expect(decryptWith(key, 's1', connection!.encrypt('s1', secret))).toBe(secret);
    expect(connection!.decrypt('s2', encryptWith(key, 's2', secret))).toBe(secret);
    expect(connection!.hash('s3', secret)).toBe(hashWith(key, 's3', secret));
  });

  test('takes a re-login of the same identity and no other', async () => {
    let logins = 0;
    await using tested = await TestService.start({ onLogin: () => logins++ });
    using peer = await loggedIn(tested.url, USER);
    expect(await peer.login(USER)).toMatchObject({ ok: true });
    expect(tested.service.connections).toHaveLength(1);
    expect(logins).toBe(1);
    expect(await peer.login({ ...USER, sip: 'bob' })).toMatchObject({ ok: false });
    await peer.closed();
  });
});
