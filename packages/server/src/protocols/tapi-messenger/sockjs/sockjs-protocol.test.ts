/**
 * The 68 checks of the public sockjs-protocol suite (main branch), by its names, against the self-test services (TM SJ-60).
 * The suite is a Python 2 program; these are the same demands in our words.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../../kit/index.ts';
import { acceptWithWs } from '../test/accept-with-ws.ts';
import { RawHttp, ask, get, post } from '../test/raw-http.ts';
import type { RawReply } from '../test/raw-http.ts';
import { serve } from '../test/serve.ts';
import type { Served } from '../test/serve.ts';
import { createSelfTestEndpoints } from './index.ts';

let served: Served;
let port = 0;
const defects: unknown[] = [];

beforeAll(async () => {
  const parts = { clock: systemClock, acceptWebSocket: acceptWithWs(), onDefect: (e: unknown) => void defects.push(e) };
  served = await serve(createSelfTestEndpoints(parts));
  port = served.port;
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  expect(defects).toEqual([]);
});

const session = (base = '/echo'): string => `${base}/000/${randomUUID()}`;
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const prelude = `${'h'.repeat(2048)}\n`;
const refused = 'c[2010,"Another connection still open"]\n';

function contentType(reply: { headers: Readonly<Record<string, string>> }, type: string): void {
  expect(reply.headers['content-type']?.replaceAll(' ', '')).toBe(type);
}
function notCached({ headers }: { headers: Readonly<Record<string, string>> }): void {
  expect(headers['cache-control']).toBe('no-store, no-cache, no-transform, must-revalidate, max-age=0');
  expect(headers).not.toHaveProperty('expires');
  expect(headers).not.toHaveProperty('last-modified');
}
function strongCache({ headers }: { headers: Readonly<Record<string, string>> }): void {
  expect(headers['cache-control']).toMatch(/public/);
  expect(headers['cache-control']).toMatch(/max-age=[1-9][0-9]{6}/);
  expect(new Date(headers['expires'] ?? '').getTime()).toBeGreaterThan(Date.now());
}
function corsFor({ headers }: { headers: Readonly<Record<string, string>> }, origin: string | undefined): void {
  expect(headers['access-control-allow-origin']).toBe(origin ?? '*');
  expect(headers['access-control-allow-credentials']).toBe(origin === undefined ? undefined : 'true');
}
async function preflight(path: string, methods: string): Promise<void> {
  for (const origin of ['test', 'null']) {
    const headers = { 'Access-Control-Request-Method': methods, Origin: origin };
    const reply = await ask(port, { method: 'OPTIONS', path, headers });
    expect(reply).toMatchObject({ status: 204, body: '' });
    strongCache(reply);
    expect(Number(reply.headers['access-control-max-age'])).toBeGreaterThan(1_000_000);
    for (const method of methods.split(', ')) expect(reply.headers['access-control-allow-methods']).toContain(method);
    corsFor(reply, origin);
  }
}
function noCookie(reply: RawReply): void {
  expect(reply.headers).not.toHaveProperty('set-cookie');
}
function cookie({ headers }: { headers: Readonly<Record<string, string>> }, value = 'dummy'): void {
  const [name, path] = (headers['set-cookie'] ?? '').split(';');
  expect(name?.trim()).toBe(`JSESSIONID=${value}`);
  expect(path?.trim().toLowerCase()).toBe('path=/');
}
/** A streaming response, its head read; `chunk()` gives what the server wrote, write by write. */
async function stream(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}) {
  const http = new RawHttp(port);
  http.request({ method, path, headers, ...(method === 'POST' ? { body: '' } : {}) });
  const head = await http.head();
  expect(head.status).toBe(200);
  return { http, head, chunk: () => http.chunk(), abort: () => http.abort() };
}

/** A WebSocket client that keeps what it receives. */
class Client {
  readonly ws: WebSocket;
  readonly #frames: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    this.ws.on('message', (data: Buffer) => {
      this.#frames.push(data.toString());
      this.#wake?.();
    });
    this.ws.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      this.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  async recv(): Promise<string> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#frames.shift()!;
  }

  get waiting(): number {
    return this.#frames.length;
  }

  async opened(): Promise<void> {
    await new Promise((resolve) => this.ws.once('open', resolve));
  }
}

const iframeBody = (url: string): string =>
  [
    '<!DOCTYPE html>',
    '<html>',
    '<head>',
    '  <meta http-equiv="X-UA-Compatible" content="IE=edge" />',
    '  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />',
    `  <script src="${url}"></script>`,
    '  <script>',
    '    document.domain = document.domain;',
    '    SockJS.bootstrap_iframe();',
    '  </script>',
    '</head>',
    '<body>',
    "  <h2>Don't panic!</h2>",
    "  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>",
    '</body>',
    '</html>',
  ].join('\n');

async function iframe(path: string): Promise<RawReply> {
  const reply = await get(port, path);
  expect(reply.status).toBe(200);
  contentType(reply, 'text/html;charset=UTF-8');
  strongCache(reply);
  expect(reply.headers['etag']).toBeTruthy();
  expect(reply.headers).not.toHaveProperty('last-modified');
  const url = /<script src="([^"]*)">/.exec(reply.body)?.[1] ?? '';
  expect(url).toMatch(/^(\/|http)/);
  expect(reply.body.trim()).toBe(iframeBody(url));
  noCookie(reply);
  return reply;
}

const serverEscapes = Array.from({ length: 65536 - 255 }, (_, i) => String.fromCharCode(i + 255)).filter((unit) =>
  /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/.test(unit),
);
const escapeAll = (units: readonly string[]): string =>
  units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

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
  'IframePage.simpleUrl': async () => void (await iframe('/echo/iframe.html')),
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
  'XhrPolling.options': async () => {
    for (const name of ['xhr', 'xhr_send']) await preflight(`/echo/abc/abc/${name}`, 'OPTIONS, POST');
  },
  'XhrPolling.transport': async () => {
    const url = session();
    const open = await post(port, `${url}/xhr`, '', { Origin: 'test' });
    expect(open).toMatchObject({ status: 200, body: 'o\n' });
    contentType(open, 'application/javascript;charset=UTF-8');
    corsFor(open, 'test');
    notCached(open);
    const sent = await post(port, `${url}/xhr_send`, '["x"]', { Origin: 'test' });
    expect(sent).toMatchObject({ status: 204, body: '' });
    contentType(sent, 'text/plain;charset=UTF-8');
    corsFor(sent, 'test');
    notCached(sent);
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'a["x"]\n' });
  },
  'XhrPolling.invalid_session': async () => {
    expect((await post(port, `${session()}/xhr_send`, '["x"]')).status).toBe(404);
  },
  'XhrPolling.invalid_json': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect(await post(port, `${url}/xhr_send`, '["x')).toMatchObject({ status: 500, body: 'Broken JSON encoding.' });
    expect(await post(port, `${url}/xhr_send`, '')).toMatchObject({ status: 500, body: 'Payload expected.' });
    expect(await post(port, `${url}/xhr_send`, '["a"]')).toMatchObject({ status: 204, body: '' });
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'a["a"]\n' });
  },
  'XhrPolling.content_types': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    const types = [
      'text/plain',
      'T',
      'application/json',
      'application/xml',
      '',
      'application/json; charset=utf-8',
      'text/xml; charset=utf-8',
      'text/xml',
    ];
    for (const type of types)
      expect(await post(port, `${url}/xhr_send`, '["a"]', { 'Content-Type': type })).toMatchObject({ status: 204 });
    expect((await post(port, `${url}/xhr`)).body).toBe(`a[${types.map(() => '"a"').join(',')}]\n`);
  },
  'XhrPolling.request_headers_cors': async () => {
    for (const asked of ['a, b, c', '', undefined]) {
      const headers = {
        Origin: 'test',
        'Access-Control-Request-Method': 'POST',
        ...(asked === undefined ? {} : { 'Access-Control-Request-Headers': asked }),
      };
      const reply = await ask(port, { method: 'OPTIONS', path: `${session()}/xhr`, headers });
      expect(reply.status).toBe(204);
      corsFor(reply, 'test');
      expect(reply.headers['access-control-allow-headers']).toBe(asked === '' ? undefined : asked);
    }
  },
  'XhrPolling.sending_empty_frame': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect((await post(port, `${url}/xhr_send`, '[]')).status).toBe(204);
    expect((await post(port, `${url}/xhr_send`, '["a"]')).status).toBe(204);
    expect((await post(port, `${url}/xhr`)).body).toBe('a["a"]\n');
  },
  'XhrStreaming.options': () => preflight('/echo/abc/abc/xhr_streaming', 'OPTIONS, POST'),
  'XhrStreaming.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('POST', `${url}/xhr_streaming`, { Origin: 'test' });
    contentType(head, 'application/javascript;charset=UTF-8');
    corsFor(head, 'test');
    notCached(head);
    expect(await chunk()).toBe(prelude);
    expect(await chunk()).toBe('o\n');
    expect(await post(port, `${url}/xhr_send`, '["x"]')).toMatchObject({ status: 204, body: '' });
    expect(await chunk()).toBe('a["x"]\n');
    abort();
  },
  'XhrStreaming.response_limit': async () => {
    const url = session();
    const { chunk } = await stream('POST', `${url}/xhr_streaming`);
    expect(await chunk()).toBe(prelude);
    expect(await chunk()).toBe('o\n');
    const message = `"${'x'.repeat(128)}"`;
    for (let i = 0; i < 31; i++) {
      expect((await post(port, `${url}/xhr_send`, `[${message}]`)).status).toBe(204);
      expect(await chunk()).toBe(`a[${message}]\n`);
    }
    expect(await chunk()).toBe('');
  },
  'EventSource.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('GET', `${url}/eventsource`);
    contentType(head, 'text/event-stream');
    notCached(head);
    expect(await chunk()).toBe('\r\n');
    expect(await chunk()).toBe('data: o\r\n\r\n');
    expect((await post(port, `${url}/xhr_send`, '["x"]')).status).toBe(204);
    expect(await chunk()).toBe('data: a["x"]\r\n\r\n');
    expect((await post(port, `${url}/xhr_send`, '["  \\u0000\\n\\r "]')).status).toBe(204);
    expect(await chunk()).toBe('data: a["  \\u0000\\n\\r "]\r\n\r\n');
    abort();
  },
  'EventSource.response_limit': () => limitOf('GET', 'eventsource', (frame) => `data: ${frame}\r\n\r\n`),
  'HtmlFile.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('GET', `${url}/htmlfile?c=%63allback`);
    contentType(head, 'text/html;charset=UTF-8');
    notCached(head);
    const page = await chunk();
    expect(page.length).toBeGreaterThan(1024);
    expect(page.trim().split('\n')).toEqual([
      '<!doctype html>',
      '<html><head>',
      '  <meta http-equiv="X-UA-Compatible" content="IE=edge" />',
      '  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />',
      "</head><body><h2>Don't panic!</h2>",
      '  <script>',
      '    document.domain = document.domain;',
      '    var c = parent.callback;',
      '    c.start();',
      '    function p(d) {c.message(d);};',
      '    window.onload = function() {c.stop();};',
      '  </script>',
    ]);
    expect(await chunk()).toBe('<script>\np("o");\n</script>\r\n');
    expect((await post(port, `${url}/xhr_send`, '["x"]')).status).toBe(204);
    expect(await chunk()).toBe('<script>\np("a[\\"x\\"]");\n</script>\r\n');
    abort();
  },
  'HtmlFile.no_callback': () => noCallback('htmlfile'),
  'HtmlFile.invalid_callback': () => invalidCallback('htmlfile'),
  'HtmlFile.response_limit': () =>
    limitOf('GET', 'htmlfile?c=callback', (frame) => `<script>\np(${JSON.stringify(frame)});\n</script>\r\n`),
  'JsonPolling.transport': async () => {
    const url = session();
    const open = await get(port, `${url}/jsonp?c=%63allback`);
    expect(open).toMatchObject({ status: 200, body: '/**/callback("o");\r\n' });
    contentType(open, 'application/javascript;charset=UTF-8');
    notCached(open);
    const sent = await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form);
    expect(sent).toMatchObject({ status: 200, body: 'ok' });
    contentType(sent, 'text/plain;charset=UTF-8');
    notCached(sent);
    expect((await get(port, `${url}/jsonp?c=%63allback`)).body).toBe('/**/callback("a[\\"x\\"]");\r\n');
  },
  'JsonPolling.no_callback': () => noCallback('jsonp'),
  'JsonPolling.invalid_callback': () => invalidCallback('jsonp'),
  'JsonPolling.invalid_json': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect(await post(port, `${url}/jsonp_send`, 'd=%5B%22x', form)).toMatchObject({
      status: 500,
      body: 'Broken JSON encoding.',
    });
    for (const body of ['', 'd=', 'p=p'])
      expect(await post(port, `${url}/jsonp_send`, body, form)).toMatchObject({
        status: 500,
        body: 'Payload expected.',
      });
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22b%22%5D', form)).body).toBe('ok');
    expect(await get(port, `${url}/jsonp?c=x`)).toMatchObject({ status: 200, body: '/**/x("a[\\"b\\"]");\r\n' });
  },
  'JsonPolling.content_types': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22abc%22%5D', form)).body).toBe('ok');
    expect((await post(port, `${url}/jsonp_send`, '["%61bc"]', { 'Content-Type': 'text/plain' })).body).toBe('ok');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("a[\\"abc\\",\\"%61bc\\"]");\r\n');
  },
  'JsonPolling.close': async () => {
    const url = session('/close');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    for (let i = 0; i < 2; i++)
      expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("c[3000,\\"Go away!\\"]");\r\n');
  },
  'JsonPolling.sending_empty_frame': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%5D', form)).body).toBe('ok');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form)).body).toBe('ok');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("a[\\"x\\"]");\r\n');
  },
  'JsessionidCookie.basic': async () => {
    const reply = await get(port, '/cookie_needed_echo/info');
    noCookie(reply);
    expect(JSON.parse(reply.body)).toMatchObject({ cookie_needed: true });
  },
  'JsessionidCookie.xhr': async () => {
    const reply = await post(port, `${session('/cookie_needed_echo')}/xhr`);
    expect(reply.body).toBe('o\n');
    cookie(reply);
    cookie(await post(port, `${session('/cookie_needed_echo')}/xhr`, '', { Cookie: 'JSESSIONID=abcdef' }), 'abcdef');
  },
  'JsessionidCookie.xhr_streaming': () => streamCookie('POST', 'xhr_streaming'),
  'JsessionidCookie.eventsource': () => streamCookie('GET', 'eventsource'),
  'JsessionidCookie.htmlfile': () => streamCookie('GET', 'htmlfile?c=%63allback'),
  'JsessionidCookie.jsonp': async () => {
    const url = session('/cookie_needed_echo');
    const reply = await get(port, `${url}/jsonp?c=%63allback`);
    expect(reply.body).toBe('/**/callback("o");\r\n');
    cookie(reply);
    const sent = await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form);
    expect(sent).toMatchObject({ status: 200, body: 'ok' });
    cookie(sent);
  },
  'RawWebsocket.transport': async () => {
    const client = new Client('/echo/websocket');
    await client.opened();
    client.ws.send('Hello world!\uffff');
    expect(await client.recv()).toBe('Hello world!\uffff');
    client.ws.close();
  },
  'RawWebsocket.close': async () => {
    expect(await new Client('/close/websocket').closed).toEqual({ code: 3000, reason: 'Go away!' });
  },
  'JSONEncoding.xhr_server_encodes': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect((await post(port, `${url}/xhr_send`, `["${serverEscapes.join('')}"]`)).status).toBe(204);
    expect((await post(port, `${url}/xhr`)).body).toBe(`a["${escapeAll(serverEscapes)}"]\n`);
  },
  'JSONEncoding.xhr_server_decodes': async () => {
    // A superset of what the client escapes: every code unit of the plane, lone surrogates included.
    const units = Array.from({ length: 65536 }, (_, i) => String.fromCharCode(i));
    for (const part of [units.slice(0, 30_000), units.slice(30_000)]) {
      const url = session();
      expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
      expect((await post(port, `${url}/xhr_send`, `["${escapeAll(part)}"]`)).status).toBe(204);
      const { body } = await post(port, `${url}/xhr`);
      expect(JSON.parse(body.slice(1))).toEqual([part.join('')]);
    }
  },
  'HandlingClose.close_frame': async () => {
    const url = session('/close');
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n', 'c[3000,"Go away!"]\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk()]).toEqual([prelude, 'c[3000,"Go away!"]\n']);
    expect([await one.chunk(), await two.chunk()]).toEqual(['', '']);
  },
  'HandlingClose.close_request': async () => {
    const url = session();
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk(), await two.chunk()]).toEqual([prelude, refused, '']);
    one.abort();
  },
  'HandlingClose.abort_xhr_streaming': async () => {
    const url = session();
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk(), await two.chunk()]).toEqual([prelude, refused, '']);
    one.abort();
    const three = await stream('POST', `${url}/xhr_streaming`);
    expect(await three.chunk()).toBe(prelude);
    expect(['o\n', 'c[1002,"Connection interrupted"]\n']).toContain(await three.chunk());
    three.abort();
  },
  'HandlingClose.abort_xhr_polling': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    (await waitingPoll(url)).abort();
    expect(['o\n', 'c[1002,"Connection interrupted"]\n']).toContain((await post(port, `${url}/xhr`)).body);
  },
  'Http10.synchronous': async () => {
    using http = new RawHttp(port);
    for (let i = 0; i < 2; i++) {
      http.request({ method: 'GET', path: '/echo', version: '1.0', headers: { Connection: 'Keep-Alive' } });
      const head = await http.head();
      expect(head.status).toBe(200);
      expect(head.headers).not.toHaveProperty('transfer-encoding');
      expect(head.headers['content-length']).toBe('19');
      expect((await http.bytes(19)).toString()).toBe('Welcome to SockJS!\n');
      if (head.headers['connection']?.toLowerCase() !== 'keep-alive') return void (await http.closed());
    }
  },
  'Http10.streaming': async () => {
    using http = new RawHttp(port);
    const headers = { Connection: 'Keep-Alive' };
    http.request({ method: 'POST', path: `${session('/close')}/xhr_streaming`, version: '1.0', headers });
    const head = await http.head();
    expect(head.status).toBe(200);
    expect(head.headers).not.toHaveProperty('transfer-encoding');
    expect(head.headers).not.toHaveProperty('content-length');
    expect((await http.bytes(2049)).toString()).toBe(prelude);
    expect((await http.bytes(2)).toString()).toBe('o\n');
    expect((await http.bytes(19)).toString()).toBe('c[3000,"Go away!"]\n');
    await http.closed();
  },
  'Http11.synchronous': async () => {
    using http = new RawHttp(port);
    for (let i = 0; i < 2; i++) {
      http.request({ method: 'GET', path: '/echo', headers: { Connection: 'Keep-Alive' } });
      const head = await http.head();
      expect(head.status).toBe(200);
      expect(['keep-alive', undefined]).toContain(head.headers['connection']?.toLowerCase());
      expect(head.headers['content-length']).toBe('19');
      expect(head.headers).not.toHaveProperty('transfer-encoding');
      expect((await http.bytes(19)).toString()).toBe('Welcome to SockJS!\n');
    }
  },
  'Http11.streaming': async () => {
    using http = new RawHttp(port);
    const headers = { Connection: 'Keep-Alive' };
    // No Content-Length, as the suite sends it: a POST without one has no body.
    http.request({ method: 'POST', path: `${session('/close')}/xhr_streaming`, headers });
    const head = await http.head();
    expect(head.headers['transfer-encoding']).toBe('chunked');
    expect(head.headers).not.toHaveProperty('content-length');
    expect(await http.chunk()).toBe(prelude);
    expect(await http.chunk()).toBe('o\n');
    expect(await http.chunk()).toBe('c[3000,"Go away!"]\n');
    expect(await http.chunk()).toBe('');
  },
};

/** Two polls at once: one of them waits, the other is refused. The one that waits is given back. */
async function waitingPoll(url: string): Promise<RawHttp> {
  const polls = [new RawHttp(port), new RawHttp(port)];
  for (const poll of polls) poll.request({ method: 'POST', path: `${url}/xhr`, body: '' });
  const answered = await Promise.race(polls.map(async (poll) => ({ poll, reply: await poll.reply() })));
  expect(answered.reply).toMatchObject({ status: 200, body: refused });
  return polls.find((poll) => poll !== answered.poll)!;
}

async function limitOf(method: 'GET' | 'POST', name: string, wrap: (frame: string) => string): Promise<void> {
  const url = session();
  const { chunk } = await stream(method, `${url}/${name}`);
  expect(await chunk()).not.toBe('');
  expect(await chunk()).toBe(wrap('o'));
  const message = `["${'x'.repeat(4096)}"]`;
  expect((await post(port, `${url}/xhr_send`, message)).status).toBe(204);
  expect(await chunk()).toBe(wrap(`a${message}`));
  expect(await chunk()).toBe('');
}

async function noCallback(name: string): Promise<void> {
  const reply = await get(port, `/echo/a/a/${name}`);
  expect(reply.status).toBe(500);
  expect(reply.body).toContain('"callback" parameter required');
}

async function invalidCallback(name: string): Promise<void> {
  for (const callback of ['%20', '*', 'abc(', 'abc%28']) {
    const reply = await get(port, `/echo/a/a/${name}?c=${callback}`);
    expect(reply.status).toBe(500);
    expect(reply.body).toContain('invalid "callback" parameter');
  }
}

async function streamCookie(method: 'GET' | 'POST', name: string): Promise<void> {
  const { head, abort } = await stream(method, `${session('/cookie_needed_echo')}/${name}`);
  cookie(head);
  abort();
}

test('the table has all 68 checks', () => expect(Object.keys(checks)).toHaveLength(68));

for (const [name, check] of Object.entries(checks)) test(name, check);
