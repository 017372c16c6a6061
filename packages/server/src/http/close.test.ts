import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { ManualClock } from '../kit/index.ts';
import { Http } from './http.ts';
import { silentObserver } from './limits.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tieline-http-'));
  for (const name of ['first', 'second']) makeCertificate(name);
});
afterAll(() => rmSync(folder, { recursive: true }));

function makeCertificate(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const out = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...out], { stdio: 'ignore' });
}

const use = (name: string, part: 'pem' | 'key'): void =>
  copyFileSync(join(folder, `${name}.${part}`), join(folder, `live.${part}`));

/** The common name of the certificate that a new connection is shown. */
async function shownName(url: string): Promise<unknown> {
  const socket = tlsConnect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

test('certificates are taken up when their files change and on demand; a pair that does not fit changes nothing', async () => {
  use('first', 'pem');
  use('first', 'key');
  const reloads: string[] = [];
  const clock = new ManualClock();
  const http = new Http({
    listen: [
      { host: '127.0.0.1', port: 0, tls: { cert: join(folder, 'live.pem'), key: join(folder, 'live.key') } },
      { host: '127.0.0.1', port: 0 },
    ],
    clock,
    observer: {
      ...silentObserver,
      certificatesReloaded: (_l, error) => reloads.push(error === undefined ? 'ok' : 'bad'),
    },
  });
  http.app.get('/x', () => 'ok');
  await http.listen();
  const url = http.urls[0]!;
  expect(url).toMatch(/^https:/);
  expect(await shownName(url)).toBe('first');
  clock.advance(60_000);
  expect(reloads).toEqual([]);
  use('second', 'pem');
  clock.advance(60_000);
  expect(reloads).toEqual(['bad']);
  expect(await shownName(url)).toBe('first');
  use('second', 'key');
  clock.advance(60_000);
  expect(reloads).toEqual(['bad', 'ok']);
  expect(await shownName(url)).toBe('second');
  writeFileSync(join(folder, 'live.key'), 'no key');
  http.reloadCertificates();
  expect(await shownName(url)).toBe('second');
  use('second', 'key');
  http.reloadCertificates();
  expect(reloads).toEqual(['bad', 'ok', 'bad', 'ok']);
  const ca = readFileSync(join(folder, 'second.pem'));
  const ws = new WebSocket(`wss${url.slice(5)}/none`, { ca });
  const [, response] = await once(ws, 'unexpected-response');
  expect(response.statusCode).toBe(404);
  ws.on('error', () => undefined);
  ws.terminate();
  await http.close();
  expect(clock.pending).toBe(0);
});

test('a TLS listener without its files does not start', () => {
  const tls = { cert: join(folder, 'none.pem'), key: join(folder, 'none.key') };
  expect(() => new Http({ listen: [{ host: '127.0.0.1', port: 0, tls }] })).toThrow('ENOENT');
});

/** How many sockets and servers, and how many timers that keep the process alive, there are. */
function resources(): { readonly sockets: number; readonly timers: number } {
  const all = process.getActiveResourcesInfo();
  return { sockets: all.filter((r) => /TCP|TLS/.test(r)).length, timers: all.filter((r) => r === 'Timeout').length };
}

function nothingIsLeft(before: { readonly sockets: number; readonly timers: number }): boolean {
  const { sockets, timers } = resources();
  return sockets <= before.sockets && timers <= before.timers;
}

test('close tells the mounts, lets requests under way finish, refuses new ones, and leaves nothing behind', async () => {
  const before = resources();
  const order: string[] = [];
  const gate = Promise.withResolvers<string>();
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }] });
  http.app.get('/slow', () => {
    order.push('asked');
    return gate.promise;
  });
  http.mountUpgrade({ prefix: '/ws' }, async (req, socket, head) => {
    const port = await http.acceptWebSocket(req, socket, head, { maxPayloadBytes: 1_000 });
    port.onMessage(() => undefined);
    http.onDrain(() => {
      order.push('drain');
      port.close(1001, 'Server shutting down');
    });
  });
  await http.listen();
  const url = http.urls[0]!;
  const ws = new WebSocket(`ws${url.slice(4)}/ws`);
  await once(ws, 'open');
  const slow = fetch(`${url}/slow`);
  await until(() => order.includes('asked'), 'the slow request');
  const ended = once(ws, 'close');
  const closed = http.close({ drainMs: 20_000 });
  expect(http.isDraining).toBe(true);
  expect(http.close()).toBe(closed);
  const [code, reason] = await ended;
  expect([code, String(reason)]).toEqual([1001, 'Server shutting down']);
  await expect(fetch(url)).rejects.toThrow();
  gate.resolve('done');
  expect(await (await slow).text()).toBe('done');
  await closed;
  expect(order).toEqual(['asked', 'drain']);
  expect(http.socketCount).toBe(0);
  await until(() => nothingIsLeft(before), 'no more sockets and timers than before');
});

test('what has not ended after drainMs is destroyed: idle sockets, open streams, WebSockets, hooks that hang or fail', async () => {
  const before = resources();
  const failures: string[] = [];
  const observer = { ...silentObserver, handlerFailed: (where: string) => void failures.push(where) };
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], observer });
  http.mountRaw('/stream', (_req, res) => void res.writeHead(200).write('first'));
  http.mountUpgrade({ prefix: '/ws' }, async (req, socket, head) => {
    await http.acceptWebSocket(req, socket, head, { maxPayloadBytes: 1_000 });
  });
  http.onDrain(() => new Promise(() => undefined));
  http.onDrain(() => Promise.reject(new Error('no')));
  await http.listen();
  const port = Number(new URL(http.urls[0]!).port);
  const idle = netConnect(port, '127.0.0.1');
  const stream = netConnect(port, '127.0.0.1');
  stream.write('GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  for (const s of [idle, stream, ws]) s.on('error', () => undefined);
  await Promise.all([once(idle, 'connect'), once(stream, 'data'), once(ws, 'open')]);
  const gone = Promise.all([once(idle, 'close'), once(stream, 'close'), once(ws, 'close')]);
  await http.close({ drainMs: 100 });
  await gone;
  expect(http.socketCount).toBe(0);
  await until(() => nothingIsLeft(before), 'no more sockets and timers than before');
  expect(failures).toEqual([]);
});

test('a failing drain hook is reported and stops nobody', async () => {
  const failures: string[] = [];
  const observer = { ...silentObserver, handlerFailed: (where: string) => void failures.push(where) };
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], observer });
  const order: string[] = [];
  http.onDrain(() => {
    throw new Error('no');
  });
  http.onDrain(() => void order.push('second'));
  http.onDrain(() => void order.push('removed'))();
  await http.listen();
  await http.close({ drainMs: 1_000 });
  expect([failures, order]).toEqual([['drain'], ['second']]);
});

test('a connection kept alive gets its answer while draining, with Connection: close', async () => {
  const gate = Promise.withResolvers<undefined>();
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }] });
  http.app.get('/x', () => 'ok');
  http.onDrain(() => gate.promise);
  await http.listen();
  const socket = netConnect(Number(new URL(http.urls[0]!).port), '127.0.0.1');
  let got = '';
  socket.on('data', (part) => (got += part.toString()));
  // Half a request: this connection is not idle, so closing leaves it open.
  socket.write('GET /x HTTP/1.1\r\nHost: localhost\r\n');
  await until(() => http.socketCount === 1, 'the socket');
  const closed = http.close({ drainMs: 20_000 });
  socket.write('\r\n');
  await once(socket, 'close');
  expect(got).toMatch(/^HTTP\/1.1 200 /);
  expect(got.toLowerCase()).toContain('connection: close');
  gate.resolve(undefined);
  await closed;
});

test('closing what never listened is harmless', async () => {
  await using http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }] });
  expect(http.socketCount).toBe(0);
});

test('a TLS handshake that does not end is cut off in time', async () => {
  use('first', 'pem');
  use('first', 'key');
  const tls = { cert: join(folder, 'live.pem'), key: join(folder, 'live.key') };
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0, tls }], limits: { headersTimeoutMs: 100 } });
  await http.listen();
  const socket = netConnect(Number(new URL(http.urls[0]!).port), '127.0.0.1').on('error', () => undefined);
  socket.resume();
  await once(socket, 'close');
  await http.close();
});
