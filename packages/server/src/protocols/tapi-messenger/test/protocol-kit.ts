/** What the checks of the SockJS protocol share: the self-test services (TM SJ-60) on a free port, and the suite's own words. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../../kit/index.ts';
import { createSelfTestEndpoints } from '../sockjs/index.ts';
import { acceptWithWs } from './accept-with-ws.ts';
import { RawHttp, ask, get, post } from './raw-http.ts';
import type { RawReply } from './raw-http.ts';
import { serve } from './serve.ts';
import type { Served } from './serve.ts';

let served: Served;
export let port = 0;
const defects: unknown[] = [];

export async function startServices(): Promise<void> {
  const parts = { clock: systemClock, acceptWebSocket: acceptWithWs(), onDefect: (e: unknown) => void defects.push(e) };
  served = await serve(createSelfTestEndpoints(parts));
  port = served.port;
}

export async function stopServices(): Promise<void> {
  await served[Symbol.asyncDispose]();
  expect(defects).toEqual([]);
}

export const session = (base = '/echo'): string => `${base}/000/${randomUUID()}`;
export const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
export const prelude = `${'h'.repeat(2048)}\n`;
export const refused = 'c[2010,"Another connection still open"]\n';

export function contentType(reply: { headers: Readonly<Record<string, string>> }, type: string): void {
  expect(reply.headers['content-type']?.replaceAll(' ', '')).toBe(type);
}
export function notCached({ headers }: { headers: Readonly<Record<string, string>> }): void {
  expect(headers['cache-control']).toBe('no-store, no-cache, no-transform, must-revalidate, max-age=0');
  expect(headers).not.toHaveProperty('expires');
  expect(headers).not.toHaveProperty('last-modified');
}
function strongCache({ headers }: { headers: Readonly<Record<string, string>> }): void {
  expect(headers['cache-control']).toMatch(/public/);
  expect(headers['cache-control']).toMatch(/max-age=[1-9][0-9]{6}/);
  expect(new Date(headers['expires'] ?? '').getTime()).toBeGreaterThan(Date.now());
}
export function corsFor({ headers }: { headers: Readonly<Record<string, string>> }, origin: string | undefined): void {
  expect(headers['access-control-allow-origin']).toBe(origin ?? '*');
  expect(headers['access-control-allow-credentials']).toBe(origin === undefined ? undefined : 'true');
}
export async function preflight(path: string, methods: string): Promise<void> {
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
export function noCookie(reply: RawReply): void {
  expect(reply.headers).not.toHaveProperty('set-cookie');
}
export function cookie({ headers }: { headers: Readonly<Record<string, string>> }, value = 'dummy'): void {
  const [name, path] = (headers['set-cookie'] ?? '').split(';');
  expect(name?.trim()).toBe(`JSESSIONID=${value}`);
  expect(path?.trim().toLowerCase()).toBe('path=/');
}
/** A streaming response, its head read; `chunk()` gives what the server wrote, write by write. */
export async function stream(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}) {
  const http = new RawHttp(port);
  http.request({ method, path, headers, ...(method === 'POST' ? { body: '' } : {}) });
  const head = await http.head();
  expect(head.status).toBe(200);
  return { http, head, chunk: () => http.chunk(), abort: () => http.abort() };
}

/** A WebSocket client that keeps what it receives. */
export class Client {
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

export async function iframe(path: string): Promise<RawReply> {
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

export const serverEscapes = Array.from({ length: 65536 - 255 }, (_, i) => String.fromCharCode(i + 255)).filter(
  (unit) => /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/.test(unit),
);
export const escapeAll = (units: readonly string[]): string =>
  units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** Two polls at once: one of them waits, the other is refused. The one that waits is given back. */
export async function waitingPoll(url: string): Promise<RawHttp> {
  const polls = [new RawHttp(port), new RawHttp(port)];
  for (const poll of polls) poll.request({ method: 'POST', path: `${url}/xhr`, body: '' });
  const answered = await Promise.race(polls.map(async (poll) => ({ poll, reply: await poll.reply() })));
  expect(answered.reply).toMatchObject({ status: 200, body: refused });
  return polls.find((poll) => poll !== answered.poll)!;
}

export async function limitOf(method: 'GET' | 'POST', name: string, wrap: (frame: string) => string): Promise<void> {
  const url = session();
  const { chunk } = await stream(method, `${url}/${name}`);
  expect(await chunk()).not.toBe('');
  expect(await chunk()).toBe(wrap('o'));
  const message = `["${'x'.repeat(4096)}"]`;
  expect((await post(port, `${url}/xhr_send`, message)).status).toBe(204);
  expect(await chunk()).toBe(wrap(`a${message}`));
  expect(await chunk()).toBe('');
}

export async function noCallback(name: string): Promise<void> {
  const reply = await get(port, `/echo/a/a/${name}`);
  expect(reply.status).toBe(500);
  expect(reply.body).toContain('"callback" parameter required');
}

export async function invalidCallback(name: string): Promise<void> {
  for (const callback of ['%20', '*', 'abc(', 'abc%28']) {
    const reply = await get(port, `/echo/a/a/${name}?c=${callback}`);
    expect(reply.status).toBe(500);
    expect(reply.body).toContain('invalid "callback" parameter');
  }
}

export async function streamCookie(method: 'GET' | 'POST', name: string): Promise<void> {
  const { head, abort } = await stream(method, `${session('/cookie_needed_echo')}/${name}`);
  cookie(head);
  abort();
}
