import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { LittlePbx } from '../../examples/little-pbx.ts';
import { until } from '../../../../test/kit/wait.ts';
import { backOffDelayMs, BROWSER_BACK_OFF, PBX_BACK_OFF } from '../../src/client/back-off.ts';
import { appLoginDigest, appSessionKey, decryptWith } from '../../src/crypto/digests.ts';
import type { AppObjectPlan } from '../../src/issue/app-object-connection.ts';
import { AppObjectConnection } from '../../src/issue/app-object-connection.ts';
import { issuedLoginText } from '../../src/issue/issued-login.ts';
import { loginInfoText } from '../../src/issue/login-info.ts';
import {
  appObjectCredentials,
  appOfUrl,
  issueCheckLogin,
  issueServiceLogin,
  issueUserLogin,
  listedService,
} from '../../src/issue/pbx-logins.ts';
import type { PbxInfo } from '../../src/wire/base-messages.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import type { ServiceConnection } from '../../src/service/service-connection.ts';
import { RawPeer, TestService } from './kit.ts';

const PBX = { name: 'master', domain: 'example.com' };
const TOOL = {
  name: 'tool-obj',
  dn: 'Das Tool',
  cn: 'Tool',
  guid: '1'.repeat(32),
  url: 'https://ap.example.com/example.com/tool/acme-tool',
  password: 'geheim-ä',
};
const ALICE = { sip: 'alice', guid: 'a'.repeat(32), dn: 'Alice', cn: 'Alice Adams' };
const PBX_INFO: PbxInfo = { domain: 'example.com', pbx: 'master', pbxDns: 'pbx.example.com', apis: ['PbxApi'] };

describe('what a PBX issues', () => {
  test('info has its members in the order of captures, optional ones left out', () => {
    const parts = { appobj: 'o', appdn: 'd', appurl: 'u', pbx: 'p', cn: 'c' };
    expect(loginInfoText(parts)).toBe('{"appobj":"o","appdn":"d","appurl":"u","pbx":"p","cn":"c","apps":[]}');
    expect(loginInfoText({ ...parts, apps: [{ name: 'x', dn: 'X' }], groups: [], lics: 3, licence: 'none' })).toBe(
      '{"appobj":"o","appdn":"d","appurl":"u","pbx":"p","cn":"c","unlicensed":true,"lics":3,"groups":[],"apps":[{"name":"x","dn":"X"}]}',
    );
    expect(loginInfoText({ ...parts, licence: 'test' })).toContain('"testmode":true');
  });

  test.each([
    ['https://h/d/tool/acme-tool', 'acme-tool'],
    ['https://h/d/tool/acme-tool.htm?x=/y#z', 'acme-tool.htm'],
    ['../../APPS/chat/chat', 'chat'],
    ['https://h/PBX0/APPS/websocket', 'websocket'],
    ['tool/', 'tool'],
  ])('the app of %s is %s', (url, app) => expect(appOfUrl(url)).toBe(app));

  test('GetServiceLogin: a login of the requester at the target, its key for the requester alone', () => {
    const requesterSessionKey = 'f'.repeat(64);
    const requester = { name: 'r', dn: 'R', cn: 'Requester', guid: '2'.repeat(32) };
    const login = issueServiceLogin({ pbx: PBX, target: TOOL, requester, challenge: 'c1', requesterSessionKey });
    expect(login).toMatchObject({ app: 'acme-tool', domain: 'example.com', sip: 'r', dn: 'R', pbxObj: 'tool-obj' });
    expect(JSON.parse(login.info ?? '')).toMatchObject({ appobj: 'tool-obj', appdn: 'Das Tool', cn: 'Requester' });
    expect(login.digest).toBe(appLoginDigest(login, 'c1', TOOL.password));
    expect(decryptWith(requesterSessionKey, login.salt, login.key)).toBe(appSessionKey('c1', TOOL.password));
    const text = issuedLoginText({ api: 'Services', mt: 'GetServiceLoginResult', src: 's' }, login);
    expect(text).toContain(`"info":${login.info ?? ''}`);
  });

  test('AppGetLogin: a login of a user at an app', () => {
    const request = { pbx: PBX, app: TOOL, user: ALICE, challenge: 'c2', sessionPassword: 'p'.repeat(23) };
    const login = issueUserLogin({ ...request, groups: ['sales'], licence: 'none' });
    expect(login).toMatchObject({ app: 'acme-tool', sip: 'alice', guid: ALICE.guid, pbxObj: 'tool-obj' });
    expect(JSON.parse(login.info ?? '')).toMatchObject({ cn: 'Alice Adams', groups: ['sales'], unlicensed: true });
    expect(login.digest).toBe(appLoginDigest(login, 'c2', TOOL.password));
    expect(login.salt).not.toBe(issueUserLogin(request).salt);
  });

  test('GetAppLogin: digest over app and domain only (AW §3.7)', async () => {
    await using tested = await TestService.start();
    using peer = await RawPeer.connect(tested.url);
    await peer.login();
    const check = issueCheckLogin(PBX, TOOL, '1234');
    expect(await peer.ask({ mt: 'AppCheckLogin', ...check, challenge: '1234' })).toMatchObject({ ok: true });
  });

  test('ServicesInfo lists serviceInfo while the app is connected', () => {
    const entry = { name: 'tool-obj', title: 'Das Tool', url: TOOL.url };
    expect(listedService(TOOL, undefined)).toEqual(entry);
    expect(listedService(TOOL, {})).toEqual(entry);
    expect(listedService(TOOL, { serviceInfo: { apis: {} } })).toEqual({ ...entry, info: { apis: {} } });
  });
});

describe('connection A (AW §7.2)', () => {
  const appUrl = (tested: TestService): string => `${tested.url.replace('ws', 'http')}/acme-tool`;
  const planFor = (tested: TestService, password = TOOL.password): AppObjectPlan => ({
    url: appUrl(tested),
    credentials: appObjectCredentials(PBX, { ...TOOL, url: appUrl(tested), password }),
    pbxInfo: PBX_INFO,
  });
  const fast = { firstMs: 5, maxMs: 20, jitter: 0, resetAfterMs: 0 };
  const quiet = { message: () => undefined };

  test('logs in as the App object, tells PbxInfo, learns AppInfo, and carries requests of the service', async () => {
    const pbxs: ServiceConnection[] = [];
    await using tested = await TestService.start({
      appInfo: { info: { hidden: true }, serviceInfo: { apis: { 'com.acme.x': {} } } },
      onPbx: (connection) => void pbxs.push(connection),
    });
    const infos: unknown[] = [];
    await using pbx = new AppObjectConnection(() => planFor(tested), {
      appInfo: (answer) => infos.push(answer),
      message: ({ api, mt, src }) => pbx.send(JSON.stringify({ api, mt: `${mt}Result`, src, name: 'node' })),
    });
    const connection = await until(() => pbxs[0]);
    expect(connection.identity).toMatchObject({ app: 'acme-tool', sip: 'tool-obj', isAppObject: true });
    expect(connection.pbx).toMatchObject(PBX_INFO);
    expect(await connection.request('PbxApi', 'GetNodeInfo', {})).toMatchObject({ name: 'node' });
    await until(() => infos.length === 1);
    expect(infos).toEqual([{ info: { hidden: true }, serviceInfo: { apis: { 'com.acme.x': {} } } }]);
    expect(connection.decrypt('s', pbx.encrypt('s', 'x'))).toBe('x');
    expect(pbx.decrypt('t', connection.encrypt('t', 'ä'))).toBe('ä');
    expect(pbx.hash('u', 'x')).toBe(connection.hash('u', 'x'));
    expect(pbx.isConnected).toBe(true);
  });

  test('tells PbxInfo, then AppInfo; puts up with Error, an empty api and a misspelt or missing serviceInfo', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const received: Record<string, unknown>[] = [];
    const answers = [{ sericeinfo: { apis: { a: {} } } }, { info: null, serviceInfo: 7 }];
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const message = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
        received.push(message);
        const answer = (members: object): void =>
          socket.send(JSON.stringify({ mt: `${String(message['mt'])}Result`, ...members }));
        if (message['mt'] === 'AppChallenge') answer({ challenge: 4711, api: '' });
        if (message['mt'] === 'AppLogin') answer({ ok: true, api: null });
        if (message['mt'] !== 'AppInfo') return;
        for (const members of answers) answer(members);
        socket.send('{"mt":"Error","text":"what?"}');
        socket.send('{"api":"","mt":"Last"}');
      });
    });
    const infos: unknown[] = [];
    const messages: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/d/acme-tool`;
    {
      await using pbx = new AppObjectConnection(
        () => ({ url, credentials: appObjectCredentials(PBX, { ...TOOL, url }), pbxInfo: PBX_INFO }),
        { message: ({ mt }) => void messages.push(mt), appInfo: (answer) => infos.push(answer) },
      );
      await until(() => messages.includes('Last'));
      expect(pbx.isConnected).toBe(true);
    }
    expect(received.map(({ mt }) => mt)).toEqual(['AppChallenge', 'AppLogin', 'PbxInfo', 'AppInfo']);
    expect(received[1]).toMatchObject({ app: 'acme-tool', sip: 'tool-obj' });
    expect(received[1]).not.toHaveProperty('pbxObj');
    expect(infos).toEqual([{ serviceInfo: { apis: { a: {} } } }, {}, undefined]);
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  test('is made again after a loss, and forgets what the app had told', async () => {
    await using tested = await TestService.start({ appInfo: { info: { hidden: true } } });
    const infos: unknown[] = [];
    const delays: number[] = [];
    await using pbx = new AppObjectConnection(
      () => planFor(tested),
      { ...quiet, appInfo: (answer) => infos.push(answer), down: (_error, retryInMs) => delays.push(retryInMs) },
      { backOff: fast },
    );
    await until(() => infos.length === 1);
    tested.service.connections[0]?.close(1012);
    await until(() => infos.length === 3);
    expect(infos).toEqual([{ info: { hidden: true } }, undefined, { info: { hidden: true } }]);
    expect(delays).toEqual([5]);
    expect(pbx.isConnected).toBe(true);
  });

  test('is tried again after a refused login, and at once after new settings', async () => {
    await using tested = await TestService.start();
    let password = 'wrong';
    const downs: unknown[] = [];
    await using pbx = new AppObjectConnection(
      () => planFor(tested, password),
      { ...quiet, down: (error) => downs.push(error?.code) },
      { backOff: { ...fast, firstMs: 60_000, maxMs: 60_000 } },
    );
    await until(() => downs.length === 1);
    expect(downs).toEqual(['login-failed']);
    password = TOOL.password;
    pbx.update();
    await until(() => pbx.isConnected);
    pbx.update();
    expect(pbx.isConnected).toBe(false);
    await until(() => pbx.isConnected);
    await until(() => tested.service.connections.length === 1);
  });

  test('waits 1 s doubling to 60 s, 20 % jitter; the browser library 500 ms to 32 s', () => {
    const steps = (backOff: typeof PBX_BACK_OFF, random: number): number[] =>
      Array.from({ length: 8 }, (_, attempt) => backOffDelayMs(backOff, attempt, random));
    expect(steps(PBX_BACK_OFF, 0.5)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(steps(PBX_BACK_OFF, 0)[7]).toBe(48_000);
    expect(backOffDelayMs(PBX_BACK_OFF, 0, 0.999_999)).toBe(1_200);
    expect(steps(BROWSER_BACK_OFF, 0.9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000]);
    expect(PBX_BACK_OFF.resetAfterMs).toBe(60_000);
  });

  test('ends with the reason where the URL cannot be used', async () => {
    const reasons: unknown[] = [];
    const plan = { url: 'ftp://x/y', credentials: { password: '' }, pbxInfo: PBX_INFO };
    const pbx = new AppObjectConnection(() => plan, { ...quiet, closed: (error) => reasons.push(error?.code) });
    await until(() => reasons.length === 1);
    expect(reasons).toEqual(['bad-url']);
    pbx.update();
    await pbx.close();
    expect(() => pbx.sessionKey).toThrow(AppWebsocketError);
  });

  test('new settings while it closes do not bring it back', async () => {
    await using tested = await TestService.start({ path: '/example.com/tool', password: TOOL.password });
    const pbx = new AppObjectConnection(() => planFor(tested), quiet);
    await until(() => pbx.isConnected);
    const closed = pbx.close();
    pbx.update();
    await closed;
    expect(pbx.isConnected).toBe(false);
    await until(() => tested.service.connections.length + tested.service.strangerCount === 0);
  });

  test('holds reading back for whoever works on the messages', async () => {
    await using tested = await TestService.start();
    const seen: string[] = [];
    const holder = {};
    await using pbx = new AppObjectConnection(() => planFor(tested), {
      message: ({ mt }) => {
        seen.push(mt);
        pbx.hold(holder);
      },
    });
    const connection = await until(() => tested.service.connections[0]);
    for (const mt of ['A', 'B', 'C']) connection.send({ api: 'PbxApi', mt });
    await until(() => seen.length === 1);
    pbx.release(holder);
    await until(() => seen.length === 2);
    pbx.release(holder);
    await until(() => seen.length === 3);
    expect(seen).toEqual(['A', 'B', 'C']);
  });
});

test('Services: the list follows the Apps tab and the connection; the login works at the target, its key is the target’s', async () => {
  const tools: ServiceConnection[] = [];
  await using devices = await TestService.start({
    path: '/example.com/devices',
    password: 'devices-pwd',
    appInfo: { serviceInfo: { apis: { 'com.acme.devices': { title: 'Devices' } } } },
  });
  await using tool = await TestService.start({ onPbx: (connection) => void tools.push(connection) });
  const http = (tested: TestService): string => tested.origin.replace('ws', 'http');
  const objects = [
    { ...TOOL, url: `${http(tool)}/example.com/tool/tool`, apis: ['Services'], apps: ['devices-obj'] },
    {
      ...TOOL,
      ...{ name: 'devices-obj', dn: 'Devices', password: 'devices-pwd', apis: [], apps: [] },
      url: `${http(devices)}/example.com/devices/acme-devices`,
    },
    { ...TOOL, name: 'hidden-obj', url: `${http(tool)}/example.com/tool/hidden`, apis: [], apps: [] },
  ];
  await using pbx = new LittlePbx(objects);
  const connection = await until(() => tools[0]);
  const seen: unknown[] = [];
  const services = connection.subscribe('Services', 'SubscribeServices', {});
  for await (const told of services) {
    seen.push(told.services);
    if (told.services[0]?.info !== undefined) break;
  }
  expect(seen.at(-1)).toEqual([
    {
      name: 'devices-obj',
      title: 'Devices',
      url: `${http(devices)}/example.com/devices/acme-devices`,
      info: { apis: { 'com.acme.devices': { title: 'Devices' } } },
    },
  ]);
  using peer = await RawPeer.connect(`${devices.origin}/example.com/devices/acme-devices`);
  const challenge = await peer.challenge();
  const login = await connection.request('Services', 'GetServiceLogin', { app: 'devices-obj', challenge });
  const { domain, sip, guid, dn, app, info, digest, pbxObj, salt, key } = login;
  peer.send({ mt: 'AppLogin', domain, sip, guid, dn, app, info, digest, pbxObj });
  expect(await peer.next('AppLoginResult')).toMatchObject({ ok: true });
  expect(connection.decrypt(salt, key)).toBe(appSessionKey(challenge, 'devices-pwd'));
  const hidden = connection.request('Services', 'GetServiceLogin', { app: 'hidden-obj', challenge });
  await expect(hidden).rejects.toMatchObject({ code: 'request-refused' });
  expect(pbx.connected).toHaveLength(3);
});
