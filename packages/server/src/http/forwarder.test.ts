import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { ManualClock, systemClock } from '../kit/index.ts';
import { createForwarder, FORWARD_CONNECT_MS, type ForwarderParts } from './forwarder.ts';
import { createHops, HOP_HEADER, MAX_HOP_AGE_MS } from './hops.ts';
import { Http, type HttpOptions } from './http.ts';
import { silentObserver } from './limits.ts';
import type { RawHandler } from './mounts.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tieline-hop-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=node', '-addext', 'subjectAltName=DNS:localhost'];
  const out = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...out], { stdio: 'ignore' });
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Node {
  readonly http: Http;
  readonly limits: string[];
}

async function node(self: string, handler: RawHandler, options: Partial<HttpOptions> = {}): Promise<Node> {
  const limits: string[] = [];
  const observer = { ...silentObserver, limitHit: (name: string) => void limits.push(name) };
  const hops = createHops({ keys: ['shared'], self, clock: systemClock });
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], observer, hops, ...options });
  opened.push(http);
  http.mountRaw('/s', handler);
  await http.listen();
  return { http, limits };
}

/** A node that sends everything on to `base`; `outcomes` are what came of it. */
async function front(base: string, more: Partial<ForwarderParts> = {}, options: Partial<HttpOptions> = {}) {
  const outcomes: string[] = [];
  const forward: RawHandler = async (req, res) => {
    const outcome = await forwarder.forward(req, res, { node: 'owner', base, isOpenEnded: req.method !== 'POST' });
    outcomes.push(outcome);
    if (outcome === 'unreachable') res.writeHead(299, { 'content-length': 0 }).end();
  };
  const { http, limits } = await node('front', forward, options);
  const hops = createHops({ keys: ['shared', 'old'], self: 'front', clock: systemClock });
  const observer = { limitHit: (name: string) => void limits.push(name) };
  const forwarder = createForwarder({ hops, addresses: http.addresses, clock: systemClock, observer, ...more });
  opened.push(forwarder);
  return { url: http.urls[0]!, http, forwarder, outcomes, limits };
}

async function bodyOf(stream: IncomingMessage | Response): Promise<string> {
  if (stream instanceof Response) return stream.text();
  let text = '';
  for await (const part of stream) text += String(part);
  return text;
}

test('the other node sees the request, its body and its client; the client sees the answer', async () => {
  const seen: unknown[] = [];
  const owner = await node('owner', async (req, res) => {
    const { host, cookie, te } = req.headers;
    const body = await bodyOf(req);
    seen.push([
      req.method,
      req.url,
      host,
      cookie,
      te,
      owner.http.addresses.addressOf(req),
      owner.http.isHop(req),
      body,
    ]);
    res.writeHead(207, { 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('answer');
  });
  const { url, outcomes } = await front(owner.http.urls[0]!, {}, { trustProxy: ['loopback'], names: ['chat.example'] });
  const headers = { host: 'chat.example', cookie: 'c=1', te: 'trailers', 'x-forwarded-for': '203.0.113.7' };
  const asked = request(`${url}/s/1/x?q=ä`.replace('ä', '%C3%A4'), { method: 'POST', headers });
  asked.end('żółw');
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  expect(await bodyOf(answer)).toBe('answer');
  expect([answer.statusCode, answer.headers['x-own'], answer.headers['set-cookie']]).toEqual([
    207,
    'yes',
    ['a=1', 'b=2'],
  ]);
  // `chat.example` is no name of the owner's: the node that the client asked has checked it.
  expect(seen).toEqual([['POST', '/s/1/x?q=%C3%A4', 'chat.example', 'c=1', undefined, '203.0.113.7', true, 'żółw']]);
  await until(() => outcomes.length === 1);
  expect(outcomes).toEqual(['answered']);
});

test('the body of a poll is not sent on, nor promised', async () => {
  const seen: unknown[] = [];
  const owner = await node('owner', async (req, res) => {
    seen.push([req.method, req.headers['content-length'], await bodyOf(req)]);
    res.end();
  });
  const { url } = await front(owner.http.urls[0]!);
  for (const method of ['PUT', 'POST']) await (await fetch(`${url}/s`, { method, body: 'GET / HTTP/1.1' })).text();
  expect(seen).toEqual([
    ['PUT', '0', ''],
    ['POST', '14', 'GET / HTTP/1.1'],
  ]);
});

test('nobody else can make a hop, nor use one again for something else or later', async () => {
  let served = 0;
  const owner = await node('owner', (_req, res) => {
    served++;
    res.writeHead(200, { 'content-length': 0 }).end();
  });
  const base = owner.http.urls[0]!;
  const clock = new ManualClock(Date.now());
  const hops = createHops({ keys: ['shared'], self: 'front', clock });
  const hop = { to: 'owner', method: 'GET', url: '/s/1', address: '203.0.113.7' };
  const ask = async (value: string, path = '/s/1', method = 'GET'): Promise<number> => {
    const response = await fetch(`${base}${path}`, { method, headers: { [HOP_HEADER]: value } });
    return response.status;
  };
  expect(await ask(hops.sign(hop))).toBe(200);
  const refused = [
    await ask('1'),
    await ask(hops.sign(hop).replace('203.0.113.7', '203.0.113.8')),
    await ask(hops.sign(hop), '/s/2'),
    await ask(hops.sign(hop), '/s/1', 'POST'),
    await ask(hops.sign({ ...hop, to: 'another' })),
    await ask(createHops({ keys: ['guessed'], self: 'front', clock }).sign(hop)),
  ];
  clock.advance(-MAX_HOP_AGE_MS - 5_000);
  refused.push(await ask(hops.sign(hop)));
  clock.advance(2 * MAX_HOP_AGE_MS + 60_000);
  refused.push(await ask(hops.sign(hop)));
  expect(refused).toEqual(Array.from({ length: 8 }, () => 421));
  expect(served).toBe(1);
  expect(new Set(owner.limits)).toEqual(new Set(['http.hop']));
});

test('a key that is being replaced is still accepted', () => {
  const parts = { self: 'owner', clock: systemClock };
  const value = createHops({ ...parts, keys: ['old', 'new'] }).sign({
    to: 'owner',
    method: 'GET',
    url: '/',
    address: 'a',
  });
  const req = { method: 'GET', url: '/', headers: { [HOP_HEADER]: value } } as unknown as IncomingMessage;
  expect(createHops({ ...parts, keys: ['new', 'old'] }).read(req)).toEqual({ address: 'a' });
  expect(createHops({ ...parts, keys: ['new'] }).read(req)).toBe('forged');
});

test('a node that is not there: the client has got nothing yet', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as { port: number };
  closed.close();
  await once(closed, 'close');
  const { url, outcomes } = await front(`http://127.0.0.1:${port}`);
  expect((await fetch(`${url}/s`)).status).toBe(299);
  expect((await fetch(`${url}/s`, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(299);
  expect(outcomes).toEqual(['unreachable', 'unreachable']);
});

test('a node that another one has taken the place of is not there', async () => {
  let served = 0;
  const successor = await node('successor', () => void served++);
  const { url, outcomes, forwarder } = await front(successor.http.urls[0]!);
  expect((await fetch(`${url}/s`)).status).toBe(299);
  expect((await fetch(`${url}/s`, { method: 'POST', body: 'x'.repeat(1_000_000) })).status).toBe(299);
  expect([outcomes, forwarder.size, served]).toEqual([['unreachable', 'unreachable'], 0, 0]);
});

test('a long body that nobody takes does not hold up the next request of its connection', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as { port: number };
  closed.close();
  await once(closed, 'close');
  const { url, http } = await front(`http://127.0.0.1:${port}`);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  opened.push({ close: () => agent.destroy() });
  for (const [method, body] of [
    ['POST', Buffer.alloc(4_000_000)],
    ['GET', ''],
  ] as const) {
    const asked = request(`${url}/s`, { method, agent }).end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await bodyOf(answer)]).toEqual([299, '']);
  }
  expect(http.socketCount).toBe(1);
});

test('a node that does not take the connection in time counts as one that is not there', async () => {
  const mute = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  opened.push(mute);
  const clock = new ManualClock();
  const { port } = mute.address() as { port: number };
  const { url, forwarder } = await front(`https://127.0.0.1:${port}`, { clock });
  const answer = fetch(`${url}/s`);
  await until(() => forwarder.size === 1);
  clock.advance(FORWARD_CONNECT_MS);
  expect((await answer).status).toBe(299);
  expect(clock.pending).toBe(0);
});

test('either side that breaks off ends the other', async () => {
  const responses: ServerResponse[] = [];
  let gone = 0;
  const owner = await node('owner', (req, res) => {
    responses.push(res);
    res.on('close', () => gone++);
    if (req.method === 'GET') res.writeHead(200).write('begun');
  });
  const { url, forwarder } = await front(owner.http.urls[0]!);
  const leaving = new AbortController();
  const left = await fetch(`${url}/s`, { signal: leaving.signal });
  leaving.abort();
  await until(() => gone === 1, 'the owner to see its client go');
  await expect(left.text()).rejects.toThrow();
  const broken = await fetch(`${url}/s`);
  responses[1]!.destroy();
  await expect(broken.text()).rejects.toThrow();
  // A poll that waits for its answer.
  const waiting = new AbortController();
  const poll = fetch(`${url}/s`, { method: 'POST', signal: waiting.signal });
  await until(() => responses.length === 3);
  waiting.abort();
  await expect(poll).rejects.toThrow();
  await until(() => gone === 3, 'the owner to see its poll go');
  await until(() => forwarder.size === 0);
});

test('for a client that has gone meanwhile nothing is asked', async () => {
  const owner = await node('owner', () => undefined);
  const { forwarder } = await front(owner.http.urls[0]!);
  const outcomes: string[] = [];
  let hasCome = false;
  const late = await node('late', async (req, res) => {
    hasCome = true;
    await once(res, 'close');
    outcomes.push(await forwarder.forward(req, res, { node: 'owner', base: owner.http.urls[0]!, isOpenEnded: true }));
  });
  const asked = request(`${late.http.urls[0]!}/s`, { method: 'POST' }).end();
  asked.on('error', () => undefined);
  await until(() => hasCome, 'the request');
  asked.destroy();
  await until(() => outcomes.length === 1, 'the outcome');
  expect([outcomes, forwarder.size, owner.http.socketCount]).toEqual([['answered'], 0, 0]);
});

test('a client that does not read holds the other node back, and gets everything in the end', async () => {
  const chunk = Buffer.alloc(64 * 1024, 7);
  const all = 600;
  let rest = all;
  const owner = await node('owner', async (req, res) => {
    if (req.method === 'POST') return void res.end();
    for (; rest > 0; rest--) if (!res.write(chunk)) await once(res, 'drain');
    res.end();
  });
  const { url } = await front(owner.http.urls[0]!);
  const asked = request(`${url}/s`).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  await until(async () => {
    const before = rest;
    for (let i = 0; i < 20; i++) await fetch(`${url}/s`, { method: 'POST' });
    return before === rest;
  }, 'the owner to stop writing');
  expect(rest).toBeGreaterThan(0);
  let got = 0;
  for await (const part of answer) got += (part as Buffer).length;
  expect(got).toBe(all * chunk.length);
});

test('no more at once than the bound; what is open-ended is cut when the node stops', async () => {
  const owner = await node('owner', (_req, res) => void res.writeHead(200).write('begun'));
  const { url, forwarder, limits } = await front(owner.http.urls[0]!, { max: 1 });
  const first = await fetch(`${url}/s`);
  const second = await fetch(`${url}/s`);
  expect([second.status, second.headers.get('retry-after'), limits]).toEqual([503, '5', ['http.forwarded']]);
  forwarder.drain();
  await expect(first.text()).rejects.toThrow();
  await until(() => forwarder.size === 0);
});

test('over TLS the other node must show a certificate of the authority that is named', async () => {
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const listen = [{ host: '127.0.0.1', port: 0, tls }];
  const owner = await node('owner', (_req, res) => void res.end('private'), { listen });
  const base = owner.http.urls[0]!.replace('127.0.0.1', 'localhost');
  const trusting = await front(base, { ca: readFileSync(tls.cert, 'utf8') });
  expect(await (await fetch(`${trusting.url}/s`)).text()).toBe('private');
  const wary = await front(base);
  expect((await fetch(`${wary.url}/s`)).status).toBe(299);
});
