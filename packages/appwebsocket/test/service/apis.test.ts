import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import type { JsonApiConnection } from '../../src/service/json-api.ts';
import { JsonApi } from '../../src/service/json-api.ts';
import type { PbxApiConnection } from '../../src/service/pbx-api.ts';
import { PbxApi } from '../../src/service/pbx-api.ts';
import type { Call } from '../../src/service/service-options.ts';
import { Refusal } from '../../src/service/service-options.ts';
import { infoOfObject, loggedIn, RawPeer, TestService } from './kit.ts';

const API = 'com.acme.hello';
const APP = { app: 'tool', domain: 'example.com', sip: 'tool-obj', info: infoOfObject('tool-obj') };
const pbxInfo = (...apis: string[]): Record<string, unknown> => ({
  ...{ mt: 'PbxInfo', domain: 'example.com', pbx: 'master', pbxDns: 'pbx.example.com' },
  ...{ apis, version: '14r1', build: '1410257' },
});

describe('handlers', () => {
  test('answer with the api and the src of the request, at once or later', async () => {
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        Now: ({ name }) => ({ text: `Hello ${String(name)}` }),
        Later: async () => ({ ok: true }),
        // Database drivers have promises of their own.
        Foreign: () => ({ then: (done: (members: object) => void) => void setTimeout(done, 1, { ok: 2 }) }),
        Silent: () => undefined,
      }),
    );
    using peer = await loggedIn(tested.url);
    expect(await peer.ask({ api: API, mt: 'Now', src: 'a', name: 'Zoë' })).toEqual({
      api: API,
      mt: 'NowResult',
      src: 'a',
      text: 'Hello Zoë',
    });
    expect(await peer.ask({ api: API, mt: 'Foreign' })).toMatchObject({ ok: 2 });
    peer.send({ api: API, mt: 'Silent' });
    expect(await peer.ask({ api: API, mt: 'Later' })).toEqual({ api: API, mt: 'LaterResult', ok: true });
    expect(peer.received).toEqual([]);
  });

  test('refuse, fail, and are missing', async () => {
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        No: () => {
          throw new Refusal('not today');
        },
        Bad: () => Promise.reject(new Error('broken')),
      }),
    );
    using peer = await loggedIn(tested.url);
    const answerOf = async (mt: string, api = API): Promise<unknown> => (await peer.ask({ api, mt, src: 1 }))['error'];
    expect(await answerOf('No')).toBe('not today');
    expect(await answerOf('Bad')).toBe('internal error');
    expect(await answerOf('Other')).toBe('unknown message');
    expect(await answerOf('Other', 'com.acme.none')).toBe('not allowed');
    expect(tested.errors).toEqual([new Error('broken')]);
    expect(peer.closedWith).toBeUndefined();
  });

  test('tell more under the src of their request, until the connection closes', async () => {
    const calls: Call[] = [];
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        Subscribe: (_message, call) => {
          calls.push(call);
          return {};
        },
      }),
    );
    using peer = await loggedIn(tested.url);
    await peer.ask({ api: API, mt: 'Subscribe', src: 9 });
    const [call] = calls;
    call!.tell('News', { text: 'x' });
    expect(await peer.next('News')).toEqual({ api: API, mt: 'News', src: 9, text: 'x' });
    expect([call!.identity.sip, call!.mt, call!.api, call!.src]).toEqual(['alice', 'Subscribe', API, 9]);
    expect(call!.signal.aborted).toBe(false);
    peer.socket.close();
    await until(() => call!.signal.aborted);
    expect(() => call!.tell('News')).toThrow('closed');
  });

  test('ask on the same connection while they work', async () => {
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        Double: async (_message, { connection }) => {
          const { n } = await connection.request('com.acme.client', 'Number', {});
          return { n: 2 * Number(n) };
        },
      }),
    );
    using peer = await loggedIn(tested.url);
    peer.send({ api: API, mt: 'Double' });
    const { src } = await peer.next('Number');
    peer.send({ api: 'com.acme.client', mt: 'NumberResult', src, n: 21 });
    expect(await peer.next('DoubleResult')).toMatchObject({ n: 42 });
  });

  test('an answer is dropped when its connection has gone; requests of ours end', async () => {
    let finish: (() => void) | undefined;
    const outcomes: unknown[] = [];
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        Slow: () => new Promise<object>((resolve) => (finish = () => resolve({}))),
        Ask: (_message, { connection }) => {
          connection.request('x', 'y').catch((error: unknown) => outcomes.push(error));
        },
      }),
    );
    using peer = await loggedIn(tested.url);
    peer.send({ api: API, mt: 'Ask' });
    peer.send({ api: API, mt: 'Slow' });
    await until(() => finish !== undefined);
    peer.socket.terminate();
    await until(() => outcomes.length === 1);
    expect(outcomes[0]).toMatchObject({ code: 'connection-lost' });
    finish?.();
    expect(tested.errors).toEqual([]);
  });

  test('no more at work than the bound: the rest waits in the socket', async () => {
    const waiting: (() => void)[] = [];
    await using tested = await TestService.start({ limits: { callsInWork: 4 } }, (service) =>
      service.api(API, { Slow: () => new Promise<object>((resolve) => waiting.push(() => resolve({}))) }),
    );
    using peer = await loggedIn(tested.url);
    for (let i = 0; i < 10; i++) peer.send({ api: API, mt: 'Slow', src: i });
    await until(() => waiting.length === 4);
    // Not read while the four are at work.
    peer.send({ mt: 'KeepAlive' });
    for (let done = 0; done < 10; done++) (await until(() => waiting.shift()))();
    await until(() => peer.received.length === 11);
    const results = peer.received.flatMap(({ mt, src }) => (mt === 'KeepAlive' ? [] : [src]));
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(peer.received.findIndex(({ mt }) => mt === 'KeepAlive')).toBeGreaterThan(5);
  });

  test('cannot be registered twice', async () => {
    await using tested = await TestService.start();
    tested.service.api('x', { A: () => ({}) }).api('x', { B: () => ({}) });
    expect(() => tested.service.api('x', { A: () => ({}) })).toThrow('x A has a handler already');
    tested.service.use(new JsonApi('j')).use(new PbxApi('p'));
    expect(() => tested.service.use(new JsonApi('j'))).toThrow(TypeError);
    expect(() => tested.service.use(new PbxApi('p'))).toThrow(TypeError);
  });

  test('callbacks that throw harm no connection', async () => {
    const fail = (): never => {
      throw new Error('callback');
    };
    await using tested = await TestService.start(
      { onLogin: fail, onPbx: fail, onMessage: fail, onClose: fail },
      (service) => service.use(new PbxApi('PbxApi').onconnected(fail)).use(new JsonApi(API).onconnected(fail)),
    );
    using peer = await loggedIn(tested.url, APP);
    peer.send(pbxInfo('PbxApi'));
    peer.send({ mt: 'Own' });
    peer.send({ api: API, mt: 'Own' });
    peer.send({ mt: 'KeepAlive' });
    await peer.next('KeepAlive');
    peer.socket.close();
    await until(() => tested.errors.length === 6);
  });
});

describe('PbxApi (AW §8.2)', () => {
  async function connected(...apis: string[]) {
    const opened: PbxApiConnection[] = [];
    const tested = await TestService.start({}, (service) =>
      service.use(new PbxApi('PbxApi').onconnected((conn) => opened.push(conn))),
    );
    const pbx = await loggedIn(tested.url, APP);
    pbx.send(pbxInfo(...apis));
    pbx.send({ mt: 'KeepAlive' });
    await pbx.next('KeepAlive');
    return { opened, tested, pbx };
  }

  test('fires where PbxInfo names the API, with what the PBX told', async () => {
    const { opened, tested, pbx } = await connected('PbxApi', 'Services');
    await using _ = tested;
    const [conn] = opened;
    expect(conn).toMatchObject({ api: 'PbxApi', domain: 'example.com', pbx: 'master', pbxDns: 'pbx.example.com' });
    expect(conn).toMatchObject({ version: '14r1', build: '1410257', remoteAddr: '127.0.0.1', forwardedFor: '' });
    expect(JSON.parse(conn!.info)).toMatchObject({ appobj: 'tool-obj' });
    expect(conn!.decrypt('s', conn!.encrypt('s', 'ä'))).toBe('ä');
    expect(conn!.hash('s', 'x')).toHaveLength(64);
    pbx.send(pbxInfo('PbxApi', 'Services'));
    pbx.send({ mt: 'KeepAlive' });
    await pbx.next('KeepAlive');
    expect(opened).toHaveLength(1);
    pbx.socket.terminate();
  });

  test('does not fire for another API, nor for a user', async () => {
    const { opened, tested, pbx } = await connected('Services');
    await using _ = tested;
    expect(opened).toHaveLength(0);
    using user = await loggedIn(tested.url, { ...APP, sip: 'alice', pbxObj: 'tool-obj' });
    user.send(pbxInfo('PbxApi'));
    expect(await user.ask({ api: 'PbxApi', mt: 'Any' })).toMatchObject({ error: 'not allowed' });
    expect(opened).toHaveLength(0);
    pbx.socket.terminate();
  });

  test('gets the messages of its api alone; objects made with create() get theirs', async () => {
    const { opened, tested, pbx } = await connected('PbxApi');
    await using _ = tested;
    const seen: string[] = [];
    let hasClosed = 0;
    const conn = opened[0]!.onmessage((text) => void seen.push(text)).onclose(() => hasClosed++);
    const other = conn.create('PbxApi.0').onmessage((text) => void seen.push(text));
    conn.send('{"api":"PbxApi","mt":"GetNodeInfo"}');
    expect(await pbx.next('GetNodeInfo')).toEqual({ api: 'PbxApi', mt: 'GetNodeInfo' });
    for (const api of ['PbxApi', 'Other', 'PbxApi.0', 'PbxApi.1']) pbx.send({ api, mt: 'XResult' });
    await until(() => seen.length === 2);
    expect(seen.map((text) => (JSON.parse(text) as { api: string }).api)).toEqual(['PbxApi', 'PbxApi.0']);
    other.close();
    pbx.send({ api: 'PbxApi.0', mt: 'XResult' });
    pbx.send({ api: 'PbxApi', mt: 'YResult' });
    await until(() => seen.length === 3);
    expect(pbx.closedWith).toBeUndefined();
    pbx.socket.close();
    await until(() => hasClosed === 1);
  });

  test('what a PBX tells of its own API is not answered', async () => {
    const { tested, pbx } = await connected('Services');
    await using _ = tested;
    pbx.send({ api: 'Services', mt: 'ServicesInfo', services: [] });
    pbx.send({ mt: 'KeepAlive' });
    await pbx.next('KeepAlive');
    expect(pbx.received).toEqual([]);
    pbx.socket.terminate();
  });
});

describe('JsonApi (AW §8.2)', () => {
  test('fires with the first message, which is delivered then', async () => {
    const opened: JsonApiConnection[] = [];
    const seen: string[] = [];
    await using tested = await TestService.start({}, (service) =>
      service.use(
        new JsonApi(API).onconnected((conn) => {
          opened.push(conn.onmessage((text) => void seen.push(text)));
        }),
      ),
    );
    const info = { appobj: 'tool-obj', unlicensed: true, lics: 3 };
    using peer = await loggedIn(tested.url, { ...APP, sip: 'alice', guid: 'g', dn: 'Alice', pbxObj: 'tool-obj', info });
    peer.send({ mt: 'KeepAlive' });
    await peer.next('KeepAlive');
    expect(opened).toEqual([]);
    for (const mt of ['A', 'B']) peer.send({ api: API, mt });
    await until(() => seen.length === 2);
    expect(opened).toHaveLength(1);
    const [conn] = opened;
    expect(conn).toMatchObject({ app: 'tool', domain: 'example.com', sip: 'alice', guid: 'g', dn: 'Alice' });
    expect([conn!.unlicensed, conn!.lics, conn!.info]).toEqual([true, 3, JSON.stringify(info)]);
  });
});

test('a connection tells where it came from', async () => {
  await using tested = await TestService.start({
    addressOf: (request) => String(request.headers['x-forwarded-for'] ?? request.socket.remoteAddress),
  });
  using peer = new RawPeer(
    new (await import('ws')).WebSocket(tested.url, { headers: { 'x-forwarded-for': '192.0.2.7' } }),
  );
  await until(() => peer.socket.readyState === 1);
  await peer.login();
  expect(tested.service.connections[0]).toMatchObject({ remoteAddress: '192.0.2.7', forwardedFor: '192.0.2.7' });
});
