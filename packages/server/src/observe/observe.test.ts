import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { Http, type HttpObserver } from '../http/index.ts';
import { ManualClock, parseJsonObject, type JsonObject } from '../kit/index.ts';
import type { AppWsObserver } from '../protocols/appws/parts.ts';
import type { ChatApiObserver } from '../protocols/chat-api/parts.ts';
import {
  createLog,
  createMetrics,
  listenerObserver,
  registerHealth,
  silentLog,
  surfaceObserver,
  type HealthParts,
  type LogOptions,
} from './index.ts';
import { MAX_ITEMS, MAX_TEXT } from './redact.ts';

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function recorded(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(line), ...options });
  return { log, lines, entries: (): JsonObject[] => lines.map((line) => parseJsonObject(line)!) };
}

function metricsForTest() {
  const metrics = createMetrics();
  closers.push(() => metrics.close());
  return metrics;
}

test('a line is one JSON object with level, time, event and fields', () => {
  const { log, lines, entries } = recorded({ base: { node: 'n1' } });
  log.info('appws.logged-in', { name: 'line\nbreak' });
  expect(lines).toHaveLength(1);
  expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1);
  expect(entries()[0]).toMatchObject({ level: 'info', event: 'appws.logged-in', node: 'n1', name: 'line\nbreak' });
  expect(entries()[0]!['time']).toMatch(/^\d{4}-.*Z$/);
});

test('lines below the level are not written, and parts say sentences', () => {
  const { log, entries } = recorded({ level: 'warn' });
  log.info('quiet');
  log.part('store').warn('a worker has ended', { reason: 'x' });
  expect(entries()).toMatchObject([{ level: 'warn', event: 'store.note', what: 'a worker has ended', reason: 'x' }]);
});

test('neither secrets nor chat text get out, however deep they lie', () => {
  const { log, lines } = recorded();
  const hidden = 'hunter2';
  for (const name of [
    'password',
    'passcode',
    'secret',
    'sharedSecret',
    'Authorization',
    'cookie',
    'set-cookie',
    'digest',
    'token',
    'key',
    'secretKey',
    'tokenKey',
    'body',
    'html',
    'text',
    'data',
    'attach',
    'totp',
    'credentials',
  ])
    log.warn('x', { [name]: hidden, nested: { [name]: hidden, list: [{ [name]: [hidden] }] } });
  log.warn('x', { url: `postgres://root:${hidden}@db/x`, header: `Basic ${hidden}` });
  log.error('x', { error: new Error(`failed for nats://me:${hidden}@bus`, { cause: new Error(`Bearer ${hidden}`) }) });
  log.warn('x', { apex_session: `1452${hidden}` });
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => line.includes(hidden))).toEqual([]);
  expect(lines.at(-1)).toContain('1452…');
});

test('numbers are masked where that is asked for', () => {
  const { log, entries } = recorded({ maskNumbers: true });
  log.info('x', { number: '0606413737', phone: '734' });
  expect(entries()).toMatchObject([{ number: '…37', phone: '…34' }]);
});

test('a line stays short, whatever it is given', () => {
  const { log, lines, entries } = recorded();
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`m${i}`, 'x'.repeat(10_000)]));
  log.warn('x', {
    long: 'x'.repeat(1e6),
    list: Array.from({ length: 1e5 }, () => 'y'),
    loop,
    bytes: new Uint8Array(9),
  });
  log.warn('x', wide);
  expect(entries()[0]).toMatchObject({ bytes: '[9 bytes]' });
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan((MAX_ITEMS + 2) * (MAX_TEXT + 20));
});

test('lines for eyes', () => {
  const { log, lines } = recorded({ format: 'human' });
  log.warn('appws.trouble', { what: 'two words', error: new Error('broken') });
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}appws\.trouble what="two words" error="broken"\n$/);
});

test('an observer fits every surface, writes a line and counts', async () => {
  const { log, entries } = recorded();
  const metrics = metricsForTest();
  const parts = { log, metrics, clock: new ManualClock() };
  const observer = surfaceObserver(parts, 'appws') satisfies AppWsObserver & ChatApiObserver;
  const listener = listenerObserver(parts) satisfies HttpObserver;
  observer.opened();
  observer.loggedIn({ kind: 'user', name: 'alice' });
  observer.loginFailed('192.0.2.1', 'bob');
  observer.limitHit('ws.size', '192.0.2.1');
  observer.slowReader('bob');
  observer.messageSent();
  observer.trouble('sending', new Error('x'));
  observer.closed();
  listener.limitHit('http.host', '192.0.2.1');
  listener.handlerFailed('GET /', new Error('y'));
  listener.certificatesReloaded('a', new Error('z'));
  expect(entries().map((entry) => entry['event'])).toEqual([
    'appws.opened',
    'appws.logged-in',
    'appws.login-failed',
    'appws.limit-hit',
    'appws.slow-reader',
    'appws.trouble',
    'appws.closed',
    'http.limit-hit',
    'http.handler-failed',
    'http.certificates-unusable',
  ]);
  const { text } = await metrics.read();
  for (const line of [
    'tieline_sessions_opened_total{surface="appws"} 1',
    'tieline_sessions_closed_total{surface="appws"} 1',
    'tieline_logins_total{surface="appws",result="ok"} 1',
    'tieline_logins_total{surface="appws",result="failed"} 1',
    'tieline_limit_hits_total{surface="appws",limit="ws.size"} 1',
    'tieline_limit_hits_total{surface="http",limit="http.host"} 1',
    'tieline_slow_readers_total{surface="appws"} 1',
    'tieline_messages_sent_total{surface="appws"} 1',
    'tieline_troubles_total{surface="appws"} 1',
  ])
    expect(text).toContain(`${line}\n`);
});

test('a flood of failed logins is counted in full and logged in part', async () => {
  const { log, entries } = recorded();
  const clock = new ManualClock();
  const metrics = metricsForTest();
  const observer = surfaceObserver({ log, metrics, clock }, 'appws');
  for (let i = 0; i < 5_000; i++) observer.loginFailed('192.0.2.1', `u${i}`);
  expect(entries()).toHaveLength(20);
  clock.advance(2_000);
  observer.loginFailed('192.0.2.1', 'last');
  expect(entries().at(-1)).toMatchObject({ event: 'appws.login-failed', leftOut: 4_980 });
  expect((await metrics.read()).text).toContain('result="failed"} 5001\n');
});

test('figures of other parts are read when somebody asks', async () => {
  const metrics = metricsForTest();
  let commits = 3;
  metrics.watchStore(() => ({ commits, units: 9, queueDepth: 2 }));
  metrics.watchDelivery(() => 4);
  metrics.watchCalls(() => 5);
  await metrics.read();
  commits = 7;
  const { text } = await metrics.read();
  for (const line of [
    'store_commits_total 7',
    'store_units_total 9',
    'store_queue_depth 2',
    'delivery_sessions 4',
    'calls_live 5',
  ])
    expect(text).toContain(`tieline_${line}\n`);
  expect(text).toMatch(/tieline_process_resident_memory_bytes \d{7,}/);
  expect(text).toMatch(/tieline_event_loop_lag_p99_seconds \d/);
});

async function serve(parts: Partial<HealthParts> = {}) {
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }] });
  registerHealth({
    app: http.app,
    log: silentLog(),
    metrics: metricsForTest(),
    telephony: () => ({ tapi: 'disconnected', sessions: 2, phones: 1 }),
    isDraining: () => http.isDraining,
    checks: {},
    mayReadMetrics: () => true,
    ...parts,
  });
  await http.listen();
  closers.push(() => http.close());
  return (path: string, headers: Record<string, string> = {}) => fetch(new URL(path, http.urls[0]), { headers });
}

test('/healthz has the members of TM AP-2', async () => {
  const get = await serve();
  const answer = await get('/healthz');
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await answer.text()).toBe('{"status":"ok","tapi":"disconnected","sessions":2,"phones":1}');
});

test('/readyz follows its checks and draining, and logs changes once', async () => {
  const { log, entries } = recorded();
  let store: boolean | Error = true;
  let draining = false;
  const check = async () => {
    if (store instanceof Error) throw store;
    return store;
  };
  const get = await serve({ log, checks: { store: check, engine: () => true }, isDraining: () => draining });
  const ask = async () => {
    const answer = await get('/readyz');
    return [answer.status, await answer.json()];
  };
  expect(await ask()).toEqual([200, { status: 'ready', checks: { store: 'ok', engine: 'ok' } }]);
  store = new Error('disk gone');
  expect(await ask()).toEqual([503, { status: 'not-ready', checks: { store: 'failed', engine: 'ok' } }]);
  await ask();
  store = true;
  await ask();
  expect(entries().map((entry) => entry['event'])).toEqual(['ready.check-failed', 'ready.check-recovered']);
  draining = true;
  expect((await ask())[1]).toMatchObject({ status: 'draining' });
});

test('a check that never answers counts as no', async () => {
  const get = await serve({ checks: { store: () => new Promise(() => {}) }, checkMs: 20 });
  expect((await get('/readyz')).status).toBe(503);
});

test('/metrics is for those who may read it', async () => {
  const get = await serve({ mayReadMetrics: () => false, metricsToken: 'sesame' });
  expect((await get('/metrics')).status).toBe(403);
  expect((await get('/metrics', { authorization: 'Bearer sesamE' })).status).toBe(403);
  const answer = await get('/metrics', { authorization: 'Bearer sesame' });
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  expect(await answer.text()).toContain('# TYPE tieline_logins_total counter');
});

test('standard output that nobody reads loses lines, and the program goes on', async () => {
  const log = new URL('./log.ts', import.meta.url).href;
  const script = `
    const { createLog } = await import(${JSON.stringify(log)});
    const log = createLog();
    for (let i = 0; i < 40_000; i++) log.info('line', { text: 'x'.repeat(400) });
    process.stderr.write('written');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    log.flush();
    process.exit(0);`;
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', script]);
  await once(child.stderr, 'data');
  let bytes = 0;
  child.stdout.on('data', (part: Buffer) => (bytes += part.length));
  child.stdin.write('go on');
  await once(child, 'close');
  expect(bytes).toBeGreaterThan(0);
  // 16 MB were written; 4 MiB may wait, and the system takes some.
  expect(bytes).toBeLessThan(12_000_000);
});
