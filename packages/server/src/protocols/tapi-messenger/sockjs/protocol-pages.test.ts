/**
 * Pages, URLs and WebSockets of the 68 checks of the public sockjs-protocol suite (main branch), by its names; the other 41 are in protocol-transports.test.ts.
 * The suite is a Python 2 program; these are the same demands in our words.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Client,
  contentType,
  corsFor,
  iframe,
  noCookie,
  notCached,
  port,
  preflight,
  session,
  startServices,
  stopServices,
  waitingPoll,
} from '../test/protocol-kit.ts';
import { RawHttp, ask, get, post } from '../test/raw-http.ts';

beforeAll(startServices);
afterAll(stopServices);

const checks: Record<string, () => Promise<void>> = {
  'BaseUrlGreeting.greeting': async () => {
    for (const path of ['/echo', '/echo/']) {
      const reply = await get(port, path);
      expect(reply).toMatchObject({ status: 200, body: 'Welcome to SockJS!\n' });
      contentType(reply, 'text/plain;charset=UTF-8');
      noCookie(reply);
    }
  },
  'BaseUrlGreeting.notFound': async () => {
    for (const suffix of ['/a', '/a.html', '//', '///', '/a/a', '/a/a/', '/a/'])
      expect((await get(port, `/echo${suffix}`)).status, suffix).toBe(404);
  },
  'IframePage.simpleUrl': async () => {
    await iframe('/echo/iframe.html');
  },
  'IframePage.versionedUrl': async () => {
    for (const name of ['iframe-a', 'iframe-', 'iframe-0.1.2', 'iframe-0.1.2abc-dirty.2144'])
      await iframe(`/echo/${name}.html`);
  },
  'IframePage.queriedUrl': async () => {
    for (const name of [
      'iframe-a.html?t=1234',
      'iframe-0.1.2.html?t=123414',
      'iframe-0.1.2abc-dirty.2144.html?t=qweqweq123',
    ])
      await iframe(`/echo/${name}`);
  },
  'IframePage.invalidUrl': async () => {
    for (const name of ['iframe.htm', 'iframe', 'IFRAME.HTML', 'IFRAME', 'iframe.HTML', 'iframe.xml', 'iframe-/.html'])
      expect((await get(port, `/echo/${name}`)).status, name).toBe(404);
  },
  'IframePage.cacheability': async () => {
    const first = await iframe('/echo/iframe.html');
    const second = await iframe('/echo/iframe.html');
    expect(second.headers['etag']).toBe(first.headers['etag']);
    const third = await get(port, '/echo/iframe.html', { 'If-None-Match': first.headers['etag']! });
    expect(third).toMatchObject({ status: 304, body: '' });
    expect(third.headers).not.toHaveProperty('content-type');
  },
  'InfoTest.basic': async () => {
    const reply = await get(port, '/echo/info', { Origin: 'test' });
    expect(reply.status).toBe(200);
    contentType(reply, 'application/json;charset=UTF-8');
    noCookie(reply);
    notCached(reply);
    corsFor(reply, 'test');
    expect(JSON.parse(reply.body)).toEqual({
      websocket: true,
      cookie_needed: false,
      origins: ['*:*'],
      entropy: expect.any(Number),
    });
  },
  'InfoTest.entropy': async () => {
    const values = [1, 2].map(async () => JSON.parse((await get(port, '/echo/info')).body).entropy as number);
    const [a, b] = await Promise.all(values);
    expect(Number.isInteger(a)).toBe(true);
    expect(a).not.toBe(b);
  },
  'InfoTest.options': () => preflight('/echo/info', 'OPTIONS, GET'),
  'InfoTest.options_null_origin': async () => {
    const headers = { Origin: 'null', 'Access-Control-Request-Method': 'POST' };
    const reply = await ask(port, { method: 'OPTIONS', path: '/echo/info', headers });
    expect(reply).toMatchObject({ status: 204, body: '' });
    expect(reply.headers['access-control-allow-origin']).toBe('null');
  },
  'InfoTest.disabled_websocket': async () => {
    const reply = await get(port, '/disabled_websocket_echo/info');
    expect(JSON.parse(reply.body)).toMatchObject({ websocket: false });
  },
  'SessionURLs.anyValue': async () => {
    const r = randomUUID().slice(0, 6);
    for (const part of [`/a/a${r}`, `/_/_${r}`, `/1/${r}`, `/abcdefgh_i-j%20/abcdefg_i-j%20${r}`])
      expect(await post(port, `/echo${part}/xhr`)).toMatchObject({ status: 200, body: 'o\n' });
  },
  'SessionURLs.invalidPaths': async () => {
    for (const part of ['//', '/a./a', '/a/a.', '/./.', '/', '///']) {
      expect((await get(port, `/echo${part}/xhr`)).status, part).toBe(404);
      expect((await post(port, `/echo${part}/xhr`)).status, part).toBe(404);
    }
  },
  'SessionURLs.ignoringServerId': async () => {
    const id = randomUUID();
    expect((await post(port, `/echo/000/${id}/xhr`)).body).toBe('o\n');
    expect(await post(port, `/echo/000/${id}/xhr_send`, '["a"]')).toMatchObject({ status: 204, body: '' });
    expect(await post(port, `/echo/999/${id}/xhr`)).toMatchObject({ status: 200, body: 'a["a"]\n' });
  },
  'Protocol.simpleSession': async () => {
    const url = session();
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'o\n' });
    expect(await post(port, `${url}/xhr_send`, '["a"]')).toMatchObject({ status: 204, body: '' });
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'a["a"]\n' });
    expect((await post(port, '/echo/000/bad_session/xhr_send', '["a"]')).status).toBe(404);
    (await waitingPoll(url)).abort();
  },
  'Protocol.closeSession': async () => {
    const url = session('/close');
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    for (let i = 0; i < 2; i++)
      expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'c[3000,"Go away!"]\n' });
  },
  'WebsocketHttpErrors.httpMethod': async () => {
    expect((await get(port, '/echo/0/0/websocket')).status).toBe(400);
  },
  'WebsocketHttpErrors.invalidConnectionHeader': async () => {
    const reply = await get(port, '/echo/0/0/websocket', { Upgrade: 'WebSocket', Connection: 'close' });
    expect(reply).toMatchObject({ status: 400, body: 'Not a valid websocket request' });
  },
  'WebsocketHttpErrors.invalidMethod': async () => {
    for (const headers of [{ Upgrade: 'WebSocket', Connection: 'Upgrade' }, {}]) {
      const reply = await post(port, '/echo/0/0/websocket', '', headers);
      expect(reply).toMatchObject({ status: 405, body: '' });
      expect(reply.headers).not.toHaveProperty('content-type');
      expect(reply.headers['allow']).toBe('GET');
    }
  },
  'Websocket.transport': async () => {
    const client = new Client(`${session()}/websocket`);
    expect(await client.recv()).toBe('o');
    client.ws.send('["a"]');
    expect(await client.recv()).toBe('a["a"]');
    client.ws.close();
  },
  'Websocket.close': async () => {
    const client = new Client(`${session('/close')}/websocket`);
    expect(await client.recv()).toBe('o');
    expect(await client.recv()).toBe('c[3000,"Go away!"]');
    await client.closed;
    expect(client.waiting).toBe(0);
  },
  'Websocket.headersSanity': async () => {
    using http = new RawHttp(port);
    const headers = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Origin': 'http://asd',
      'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
    };
    http.request({ method: 'GET', path: `${session()}/websocket`, headers });
    const head = await http.head();
    expect(head.status).toBe(101);
    expect(head.headers['sec-websocket-accept']).toBe('HSmrc0sMlYUkAGmm5OPpG2HaGWk=');
    expect(head.headers['connection']?.toLowerCase()).toBe('upgrade');
    expect(head.headers['upgrade']?.toLowerCase()).toBe('websocket');
    expect(head.headers).not.toHaveProperty('content-length');
  },
  'Websocket.empty_frame': async () => {
    const client = new Client(`${session()}/websocket`);
    expect(await client.recv()).toBe('o');
    for (const text of ['', '[]', '["a"]']) client.ws.send(text);
    expect(await client.recv()).toBe('a["a"]');
    client.ws.close();
  },
  'Websocket.reuseSessionId': async () => {
    const url = `${session()}/websocket`;
    const one = new Client(url);
    const two = new Client(url);
    expect([await one.recv(), await two.recv()]).toEqual(['o', 'o']);
    one.ws.send('["a"]');
    two.ws.send('["b"]');
    expect([await one.recv(), await two.recv()]).toEqual(['a["a"]', 'a["b"]']);
    one.ws.close();
    two.ws.close();
    await Promise.all([one.closed, two.closed]);
    const three = new Client(url);
    expect(await three.recv()).toBe('o');
    three.ws.send('["a"]');
    expect(await three.recv()).toBe('a["a"]');
    three.ws.close();
  },
  'Websocket.haproxy': async () => {
    using http = new RawHttp(port);
    const path = `${session()}/websocket`;
    const origin = `http://127.0.0.1:${port}`;
    const headers = {
      Host: `127.0.0.1:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'WebSocket',
      Origin: origin,
      'Sec-WebSocket-Key1': '4 @1  46546xW%0l 1 5',
      'Sec-WebSocket-Key2': '12998 5 Y3 1  .P00',
    };
    http.request({ method: 'GET', path, headers });
    const head = await http.head();
    expect(head.status).toBe(101);
    expect(head.headers['connection']?.toLowerCase()).toBe('upgrade');
    expect(head.headers['upgrade']?.toLowerCase()).toBe('websocket');
    expect(head.headers['sec-websocket-location']).toBe(`ws://127.0.0.1:${port}${path}`);
    expect(head.headers['sec-websocket-origin']).toBe(origin);
    expect(head.headers).not.toHaveProperty('content-length');
    http.write('aaaaaaaa');
    expect((await http.bytes(16)).toString('latin1')).toBe('\xca4\x00\xd8\xa5\x08G\x97,\xd5qZ\xba\xbfC{');
    expect((await http.bytes(3)).toString('latin1')).toBe('\x00o\xff');
    http.write('\x00["a"]\xff');
    expect((await http.bytes(8)).toString('latin1')).toBe('\x00a["a"]\xff');
  },
  'Websocket.broken_json': async () => {
    const client = new Client(`${session()}/websocket`);
    expect(await client.recv()).toBe('o');
    client.ws.send('["a');
    expect(await client.closed).toEqual({ code: 3000, reason: 'Broken framing.' });
    expect(client.waiting).toBe(0);
  },
};

test('the table is whole', () => expect(Object.keys(checks)).toHaveLength(27));

for (const [name, check] of Object.entries(checks)) test(name, check);
