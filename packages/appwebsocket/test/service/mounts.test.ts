import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../../../../test/kit/wait.ts';
import { AppService } from '../../src/service/app-service.ts';
import { loggedIn, openResources, PASSWORD, RawPeer, TestService } from './kit.ts';

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

describe('mounted on a plain Node server', () => {
  test('leaves pages and the upgrades of others alone', async () => {
    await using tested = await TestService.start();
    const others = new WebSocketServer({ noServer: true });
    tested.server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') others.handleUpgrade(request, socket, head, (ws) => ws.send('{"mt":"Theirs"}'));
      else if (!tested.service.takesPath(request.url ?? '')) socket.destroy();
    });
    using own = await loggedIn(tested.url);
    using other = await RawPeer.connect(`${tested.origin}/other`);
    expect(await other.next('Theirs')).toEqual({ mt: 'Theirs' });
    expect(own.closedWith).toBeUndefined();
    const page = await fetch(tested.url.replace('ws', 'http'), { headers: { connection: 'close' } });
    expect(await page.text()).toBe('page');
  });

  test('several services share a server; what none of them takes is answered once', async () => {
    await using tested = await TestService.start();
    const second = new AppService({ path: '/second', password: 'two' });
    second.mount(tested.server);
    using a = await loggedIn(tested.url);
    using b = await loggedIn(`${tested.origin}/second`, undefined, 'two');
    await expect(RawPeer.connect(`${tested.origin}/third`)).rejects.toThrow('404');
    expect([tested.service.connections.length, second.connections.length]).toEqual([1, 1]);
    await second.close();
    expect(await b.closed()).toEqual({ code: 1001, reason: 'going away' });
    await expect(RawPeer.connect(`${tested.origin}/second`)).rejects.toThrow('404');
    expect(a.closedWith).toBeUndefined();
  });

  test('an unmounted service keeps its connections and takes no new ones', async () => {
    const service = new AppService({ password: PASSWORD });
    const server = createServer();
    const unmount = service.mount(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    using peer = await loggedIn(`ws://127.0.0.1:${portOf(server)}/`);
    unmount();
    unmount();
    expect(server.listenerCount('upgrade')).toBe(0);
    peer.send({ mt: 'KeepAlive' });
    await peer.next('KeepAlive');
    await service.close();
    server.close();
  });

  test('refuses what is no WebSocket handshake', async () => {
    await using tested = await TestService.start();
    const socket = connect(portOf(tested.server), '127.0.0.1');
    socket.write('GET /example.com/tool HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toContain('HTTP/1.1 400');
    socket.destroy();
    expect(tested.service.strangerCount).toBe(0);
  });
});

describe('mounted on Fastify', () => {
  test('by `mount` and as a plugin; closes with the instance', async () => {
    const app = fastify({ forceCloseConnections: true });
    const service = new AppService({ path: '/d/tool', password: PASSWORD });
    await app.register(service.plugin);
    app.get('/d/tool', () => 'page');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const url = `127.0.0.1:${portOf(app.server)}`;
    using peer = await loggedIn(`ws://${url}/d/tool`);
    expect(await (await fetch(`http://${url}/d/tool`, { headers: { connection: 'close' } })).text()).toBe('page');
    await app.close();
    expect(await peer.closed()).toMatchObject({ code: 1001 });
  });
});

test('over wss', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'appws-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    [...request, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) });
  const ca = readFileSync(cert, 'utf8');
  rmSync(folder, { recursive: true });
  const service = new AppService({ password: PASSWORD });
  service.api('', { Echo: ({ text }) => ({ text }) });
  service.mount(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  using peer = await RawPeer.connect(`wss://127.0.0.1:${portOf(server)}/`, { ca });
  expect(await peer.login()).toMatchObject({ ok: true });
  const text = 'ä😀'.repeat(20_000);
  expect(await peer.ask({ mt: 'Echo', text })).toEqual({ mt: 'EchoResult', text });
  await expect(RawPeer.connect(`wss://127.0.0.1:${portOf(server)}/`)).rejects.toThrow();
  await service.close();
  server.closeAllConnections();
  await once(server.close(), 'close');
});

test('after closing nothing is left: no timer, no socket, no listener', async () => {
  const before = openResources();
  {
    const service = new AppService({ password: () => new Promise(() => undefined) });
    const named = new AppService({ path: '/named', password: PASSWORD });
    const server = createServer();
    service.mount(server);
    named.mount(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `ws://127.0.0.1:${portOf(server)}`;
    const peers: RawPeer[] = [];
    for (let i = 0; i < 20; i++) peers.push(await loggedIn(`${url}/named`));
    // In the middle of a login: a stranger, one with a challenge, one whose look-up never ends, a refused one.
    peers.push(await RawPeer.connect(url), await RawPeer.connect(url), await RawPeer.connect(url));
    await peers[20]!.challenge();
    await peers[21]!.challenge();
    peers[21]!.send({ mt: 'AppLogin', digest: 'x' });
    const refused = await RawPeer.connect(`${url}/named`);
    await refused.login(undefined, 'wrong');
    peers.push(refused);
    await Promise.all([service.close(), named.close(), service.close()]);
    for (const peer of peers) await peer.closed();
    expect(server.listenerCount('upgrade')).toBe(0);
    expect([service.strangerCount, named.strangerCount, named.connections.length]).toEqual([0, 0, 0]);
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
  // The runner's own timers come and go, so for timers there must be a moment without any.
  const allowed = (kind: string): number => (kind === 'Timeout' ? 0 : (before[kind] ?? 0));
  const excess = (): string[] =>
    Object.entries(openResources()).flatMap(([kind, n]) => (n > allowed(kind) ? [kind] : []));
  await until(() => excess().length === 0, 'resources as before');
});

test('a closed service answers upgrades with 503', async () => {
  const service = new AppService({ password: PASSWORD });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => service.handleUpgrade(request, socket, head));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await service.close();
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toContain('503');
  server.close();
});
