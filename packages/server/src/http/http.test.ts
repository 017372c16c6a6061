import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { Http, type HttpOptions } from './http.ts';
import { type HttpObserver, MAX_PIPELINED } from './limits.ts';

const opened: Http[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((h) => h.close()));
});

interface Recorded {
  readonly limits: string[];
  readonly failures: string[];
  readonly observer: HttpObserver;
}

function recorder(): Recorded {
  const limits: string[] = [];
  const failures: string[] = [];
  return {
    limits,
    failures,
    observer: {
      limitHit: (name) => limits.push(name),
      handlerFailed: (where, error) => failures.push(`${where}: ${String(error)}`),
      certificatesReloaded: () => undefined,
    },
  };
}

async function start(options: Partial<HttpOptions> = {}, prepare?: (http: Http) => void): Promise<Http> {
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], ...options });
  opened.push(http);
  prepare?.(http);
  await http.listen();
  return http;
}

const portOf = (http: Http, index = 0): number => Number(new URL(http.urls[index]!).port);

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(
  http: Http,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = httpRequest({ port: portOf(http), host: '127.0.0.1', path, agent: false, ...options }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts).toString() }),
      );
    });
    req.on('error', reject);
    req.end();
  });
}

/** Sends raw text and returns everything until the server closes. */
async function raw(http: Http, text: string): Promise<string> {
  const socket = connect(portOf(http), '127.0.0.1');
  let got = '';
  socket.on('data', (part) => (got += part.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return got;
}

async function openSocket(http: Http): Promise<Socket> {
  const socket = connect(portOf(http), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('Fastify routes and raw mounts share the listener; the longest prefix owns a path, borders are slashes', async () => {
  const http = await start({}, (h) => {
    h.app.get('/rest', () => ({ by: 'fastify' }));
    h.mountRaw('/tapi-messenger', (_req, res) => void res.end('outer'));
    h.mountRaw('/tapi-messenger/deep', (_req, res) => void res.end('inner'));
  });
  expect((await ask(http, '/rest')).body).toBe('{"by":"fastify"}');
  expect((await ask(http, '/tapi-messenger')).body).toBe('outer');
  expect((await ask(http, '/tapi-messenger/x?y=/deep')).body).toBe('outer');
  expect((await ask(http, '/tapi-messenger/deep/1')).body).toBe('inner');
  expect((await ask(http, '/tapi-messengerish')).status).toBe(404);
  expect((await ask(http, '/nothing')).status).toBe(404);
});

test('a raw handler that throws, now or later, is answered with 500', async () => {
  const log = recorder();
  const http = await start({ observer: log.observer }, (h) => {
    h.mountRaw('/now', () => {
      throw new Error('now');
    });
    h.mountRaw('/later', async () => {
      await Promise.resolve();
      throw new Error('later');
    });
    h.mountRaw('/middle', (_req, res) => {
      res.writeHead(200).write('half');
      throw new Error('middle');
    });
  });
  expect((await ask(http, '/now')).status).toBe(500);
  expect((await ask(http, '/later')).status).toBe(500);
  await expect(ask(http, '/middle').then((a) => a.body)).rejects.toThrow();
  expect(log.failures).toEqual(['GET /now: Error: now', 'GET /later: Error: later', 'GET /middle: Error: middle']);
});

test('a Fastify route that fails tells the log why, and the client nothing', async () => {
  const log = recorder();
  const http = await start({ observer: log.observer }, (h) => {
    h.app.get('/bad', () => {
      throw new Error('password of the database is 1234');
    });
  });
  const answer = await ask(http, '/bad');
  expect(answer.status).toBe(500);
  expect(answer.body).not.toContain('1234');
  expect(log.failures).toHaveLength(1);
});

test('the same prefix twice is a mistake; a removed mount is gone', async () => {
  const http = await start();
  const stop = http.mountRaw('/a', (_req, res) => void res.end('a'));
  expect(() => http.mountRaw('/a', () => undefined)).toThrow('mounted twice');
  expect((await ask(http, '/a')).status).toBe(200);
  stop();
  expect((await ask(http, '/a')).status).toBe(404);
});

test.each([
  ['127.0.0.1:80', 200],
  ['localhost', 200],
  ['LOCALHOST:9', 200],
  ['[::1]:8080', 200],
  ['127.9.9.9', 200],
  ['chat.example.com', 200],
  ['CHAT.example.com.:443', 200],
  ['x.pbx.example.com', 200],
  ['evil.example', 421],
  ['chat.example.com.evil.example', 421],
  ['pbx.example.com', 421],
  ['192.168.1.5', 421],
  ['localhost@evil.example', 421],
  ['127.0.0.1.evil.example', 421],
])('Host %s is answered with %i', async (host, status) => {
  const http = await start({ names: ['chat.example.com', '*.pbx.example.com'] }, (h) => h.app.get('/x', () => 'ok'));
  expect((await ask(http, '/x', { headers: { host } })).status).toBe(status);
});

test('an unknown Host is refused before raw mounts and upgrades too, but not on the health paths', async () => {
  const log = recorder();
  const http = await start({ observer: log.observer }, (h) => {
    h.app.get('/healthz', () => 'ok');
    h.mountRaw('/raw', (_req, res) => void res.end('no'));
    h.mountUpgrade({ prefix: '/ws' }, (_req, socket) => void socket.end('no'));
  });
  const headers = { host: 'evil.example' };
  expect((await ask(http, '/raw', { headers })).status).toBe(421);
  expect((await ask(http, '/healthz', { headers })).status).toBe(200);
  expect(
    await raw(http, 'GET /ws HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  ).toMatch(/^HTTP\/1.1 421 /);
  expect(log.limits).toEqual(['http.host', 'http.host']);
});

test('HTTP/1.0 needs no Host, HTTP/1.1 does; the absolute form is refused', async () => {
  const http = await start({}, (h) => h.mountRaw('/x', (_req, res) => void res.end('here')));
  expect(await raw(http, 'GET /x HTTP/1.0\r\n\r\n')).toContain('here');
  expect(await raw(http, 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw(http, 'GET http://127.0.0.1/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400 /,
  );
});

test('header fields over the bound: 431', async () => {
  const log = recorder();
  const http = await start({ observer: log.observer, limits: { headerBytes: 2_000 } });
  expect(await raw(http, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(3_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  );
  expect(log.limits).toEqual(['http.header-bytes']);
});

test('a body over the bound: 413; broken JSON: 400', async () => {
  const http = await start({ limits: { bodyBytes: 100 } }, (h) => h.app.post('/x', () => 'ok'));
  const post = (body: string): Promise<string> =>
    raw(
      http,
      `POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  expect(await post(JSON.stringify({ x: 'x'.repeat(200) }))).toMatch(/^HTTP\/1.1 413 /);
  expect(await post('{"x":')).toMatch(/^HTTP\/1.1 400 /);
  expect(await post('{"x":1}')).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  ['nothing at all', ''],
  ['half a header', 'GET / HTTP/1.1\r\nHost: loc'],
  ['half a body', 'POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf'],
])('a client that sends %s is cut off in time', async (_name, text) => {
  const log = recorder();
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200, timeoutCheckMs: 20 };
  const http = await start({ observer: log.observer, limits }, (h) => h.app.post('/x', () => 'ok'));
  const answer = await raw(http, text);
  expect(answer === '' || answer.startsWith('HTTP/1.1 408 ')).toBe(true);
  await until(() => http.socketCount === 0, 'the socket is forgotten');
  expect(log.limits).toContain('http.request-timeout');
});

test('a path with a part that is too long: 400', async () => {
  const http = await start({}, (h) => h.app.get('/x/:name', () => 'ok'));
  const get = (name: string): Promise<string> =>
    raw(http, `GET /x/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(await get('a'.repeat(2_048))).toMatch(/^HTTP\/1.1 200 /);
  expect(await get('a'.repeat(2_049))).toMatch(/^HTTP\/1.1 4\d\d /);
});

test('requests of one connection are bounded while none is answered', async () => {
  const log = recorder();
  let asked = 0;
  const http = await start({ observer: log.observer }, (h) =>
    h.mountRaw('/x', () => {
      asked++;
    }),
  );
  expect(await raw(http, 'GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_000))).toBe('');
  expect([asked, log.limits[0]]).toEqual([MAX_PIPELINED, 'http.pipelined']);
  await until(() => http.socketCount === 0, 'the socket is forgotten');
});

test('an idle connection ends after keepAliveMs', async () => {
  const limits = { keepAliveMs: 50, timeoutCheckMs: 20 };
  const http = await start({ limits }, (h) => h.app.get('/x', () => 'ok'));
  // Without `Connection: close`: it is the server that ends it.
  expect(await raw(http, 'GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  await until(() => http.socketCount === 0, 'the socket is forgotten');
});

test('sockets over the total and over the address bound are refused; a place that is left can be taken', async () => {
  const log = recorder();
  const http = await start({ observer: log.observer, limits: { sockets: 3, socketsPerAddress: 2 } });
  const first = await openSocket(http);
  await openSocket(http);
  await until(() => http.socketCount === 2, 'two sockets');
  const third = await openSocket(http);
  await once(third, 'close');
  expect(log.limits).toEqual(['http.sockets-per-address']);
  first.destroy();
  await until(() => http.socketCount === 1, 'one socket');
  await openSocket(http);
  await until(() => http.socketCount === 2, 'the free place is taken');
});

test('trusted proxies are exempt from the bound per address, not from the total', async () => {
  const log = recorder();
  const limits = { sockets: 3, socketsPerAddress: 1 };
  const http = await start({ observer: log.observer, limits, trustProxy: ['loopback'] });
  for (let i = 0; i < 3; i++) await openSocket(http);
  await until(() => http.socketCount === 3, 'three sockets');
  await once(await openSocket(http), 'close');
  expect(log.limits).toEqual(['http.sockets']);
});

test('several listeners serve the same; a taken port leaves nothing behind', async () => {
  const two = [
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 0 },
  ];
  const http = await start({ listen: two }, (h) => h.app.get('/x', () => 'ok'));
  for (const url of http.urls) expect(await (await fetch(`${url}/x`)).text()).toBe('ok');
  const clash = new Http({ listen: [two[0]!, { host: '127.0.0.1', port: portOf(http, 1) }] });
  await expect(clash.listen()).rejects.toThrow('EADDRINUSE');
  expect(() => clash.urls).toThrow('not listening');
});

test('answers with a body carry the security headers; a route keeps its own', async () => {
  const http = await start({}, (h) => {
    h.app.get('/x', () => 'ok');
    h.app.get('/page', (_request, reply) => reply.header('content-security-policy', 'sandbox').send('page'));
    h.app.get('/empty', (_request, reply) => reply.send());
  });
  for (const path of ['/x', '/nothing', '/%zz']) {
    const { headers } = await ask(http, path);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  }
  expect((await ask(http, '/page')).headers['content-security-policy']).toBe('sandbox');
  expect((await ask(http, '/empty')).headers).not.toHaveProperty('content-security-policy');
});
