import { readFileSync } from 'node:fs';
import type { Browser, Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithPeers, findProgram } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import type * as BrowserBuild from '../../src/browser.ts';
import type * as MyAppsBuild from '../../src/myapps.ts';
import { AppService } from '../../src/service/app-service.ts';
import type { Call } from '../../src/service/service-options.ts';
import { appLoginDigest, appSessionKey } from '../../src/crypto/digests.ts';
import { selfSigned } from '../certificate.ts';
import { PASSWORD, ScriptedPeer, TEXTS } from '../client/kit.ts';
import { bundle, gzippedBytes, Site } from './kit.ts';

/** What the test pages have as globals. */
interface Globals {
  readonly aw: typeof BrowserBuild & typeof MyAppsBuild;
  readonly runVector: (vector: unknown) => unknown;
}

const PAGE = `<!doctype html><title>test</title>
<script type="module">import * as aw from '/aw.js'; import * as myapps from '/myapps.js'; globalThis.aw = { ...aw, ...myapps };
import { runVector } from '/vectors.js'; globalThis.runVector = runVector; globalThis.isLoaded = true;</script>`;
const FRAME = `<!doctype html><iframe src="/page.htm?name=tool"></iframe>`;

const vectors = (
  JSON.parse(readFileSync(new URL('../appwebsocket-crypto.json', import.meta.url), 'utf8')) as {
    vectors: readonly { id: string; expected: unknown; expectedRaw?: unknown }[];
  }
).vectors;

describeWithPeers(['chromium', 'openssl'], 'Chromium against Node', () => {
  let browser: Browser;
  let service: AppService;
  const sites = new Map<string, Site>();

  beforeAll(async () => {
    const executablePath = findProgram('chromium') ?? '';
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    service = new AppService({ path: '/example.com/tool', password: PASSWORD, domain: 'example.com', build: '1046' });
    service.api('', { Echo: (message) => message, Flood: ({ count }, call) => flood(count, call) });
    service.api('com.acme.hello', {
      Hello: ({ name }) => ({ text: `Hello ${String(name)}` }),
      SubscribeTicks: (_message, call) => {
        setImmediate(() => [1, 2, 3].forEach((n) => call.tell('Tick', { n })));
        return {};
      },
      UnsubscribeTicks: () => ({}),
      Drop: (_message, { connection }) => setImmediate(() => connection.close(1012, 'restart')) && undefined,
    });
    const files = {
      '/page.htm': PAGE,
      '/frame.htm': FRAME,
      '/aw.js': await bundle(`export * from './browser.ts'`),
      '/myapps.js': await bundle(`export * from './myapps.ts'`),
      '/vectors.js': await bundle(`export { runVector } from '../test/run-vector.ts'`),
    };
    sites.set('ws', await Site.start(files, service));
    sites.set('wss', await Site.start(files, service, selfSigned()));
  });

  afterAll(async () => {
    await browser?.close();
    await service?.close();
    for (const site of sites.values()) await site[Symbol.asyncDispose]();
  });

  const flood = (count: unknown, call: Call): void => {
    for (let n = 0; n < Number(count); n++) call.tell('Flood', { n, x: 'x'.repeat(1_000) });
  };

  async function openPage(scheme: string, path = '/page.htm'): Promise<Page & AsyncDisposable> {
    await until(() => service.connections.length === 0, 'the connections of the last test to end');
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(sites.get(scheme)!.origin + path);
    if (path === '/page.htm') await page.waitForFunction('globalThis.isLoaded');
    return Object.assign(page, { [Symbol.asyncDispose]: () => context.close() });
  }

  const urlOf = (scheme: string): string => `${sites.get(scheme)!.origin.replace('http', 'ws')}/example.com/tool`;

  describe.each(['ws', 'wss'])('over %s', (scheme) => {
    test('AppWebsocketClient logs in, and every text makes the round trip, in the clear and encrypted', async () => {
      await using page = await openPage(scheme);
      const told = await page.evaluate(
        async ([url, password, texts]) => {
          const { aw } = globalThis as unknown as Globals;
          const conn = aw.AppWebsocketClient.connect(url, password, 'tool', 'example.com', 'bob', 'b2', 'Bob');
          conn.send(JSON.stringify({ mt: 'Echo', src: 0, t: 'early' }));
          await new Promise((resolve) => conn.onopen(resolve));
          const answers: unknown[] = [];
          const isDone = new Promise((resolve) =>
            conn.onmessage((_conn, _text, message) => answers.push(message) > texts.length && resolve(undefined)),
          );
          texts.forEach((t, i) => {
            const encrypted = conn.encrypt(`s${i}`, t);
            conn.send(JSON.stringify({ mt: 'Echo', src: i + 1, t, encrypted, hash: conn.hash('h', t) }));
            if (conn.decrypt(`s${i}`, encrypted) !== t) throw new Error('decrypt');
          });
          await isDone;
          const key = conn.encrypt('probe', 'probe');
          const isClosed = new Promise((resolve) => conn.onclose((_conn, error) => resolve(error ?? 'ok')));
          conn.close();
          return { answers, key, isClosed: await isClosed };
        },
        [urlOf(scheme), PASSWORD, Object.values(TEXTS)] as const,
      );
      expect(told.isClosed).toBe('ok');
      const answers = told.answers as { t: string; src: number; encrypted: string; hash: string }[];
      expect(answers.map(({ t }) => t)).toEqual(['early', ...Object.values(TEXTS)]);
      await until(() => service.connections.length === 0, 'the service sees it closed');
    });

    test('both ends hold the same session key', async () => {
      await using page = await openPage(scheme);
      await page.evaluate(
        async ([url, password]) => {
          const { aw } = globalThis as unknown as Globals;
          const session = await aw.AppSession.open({ url, app: 'tool', login: { password } });
          Object.assign(globalThis, { session });
        },
        [urlOf(scheme), PASSWORD] as const,
      );
      const sealed = await page.evaluate(`session.encrypt('seed', 'Grüße 😀\\r\\n')`);
      const [connection] = service.connections;
      expect(connection!.decrypt('seed', sealed as string)).toBe('Grüße 😀\r\n');
      expect(await page.evaluate(`session.hash('seed', 'ä')`)).toBe(connection!.hash('seed', 'ä'));
    });

    test('a session asks, is refused, is told, and comes back after a loss', async () => {
      await using page = await openPage(scheme);
      const told = await page.evaluate(
        async ([url, password]) => {
          const { aw } = globalThis as unknown as Globals;
          let logins = 0;
          let back: (() => void) | undefined;
          const isBack = new Promise<void>((resolve) => (back = resolve));
          const reconnect = { firstMs: 1, maxMs: 10, jitter: 0, resetAfterMs: 0 };
          const onLogin = (): void => {
            if (++logins === 2) back?.();
          };
          const session = await aw.AppSession.open({ url, app: 'tool', login: { password }, reconnect, onLogin });
          const hello = await session.request('com.acme.hello', 'Hello', { name: 'Zoë' });
          const refused = await session.request('com.acme.none', 'X').catch((error: unknown) => error);
          const ticks: unknown[] = [];
          for await (const { n } of session.subscribe('com.acme.hello', 'SubscribeTicks')) {
            ticks.push(n);
            if (n === 3) break;
          }
          const lost = await session.request('com.acme.hello', 'Drop').catch((error: unknown) => error);
          await isBack;
          const again = await session.request('com.acme.hello', 'Hello', { name: 'again' });
          await session.close();
          const codeOf = (error: unknown): unknown => (error instanceof aw.AppWebsocketError ? error.code : error);
          return { hello, refused: codeOf(refused), ticks, lost: codeOf(lost), again };
        },
        [urlOf(scheme), PASSWORD] as const,
      );
      expect(told).toMatchObject({
        hello: { text: 'Hello Zoë' },
        refused: 'request-refused',
        ticks: [1, 2, 3],
        lost: 'connection-lost',
        again: { text: 'Hello again' },
      });
    });

    test('flow control: one message at a time; at 1 MiB waiting the connection is closed with a clear reason', async () => {
      await using page = await openPage(scheme);
      const told = await page.evaluate(
        async ([url, password]) => {
          const { aw } = globalThis as unknown as Globals;
          const conn = aw.AppWebsocketClient.connect(url, password, 'tool').setFlowControl(true);
          await new Promise((resolve) => conn.onopen(resolve));
          const seen: unknown[] = [];
          await new Promise((resolve) => {
            conn.onmessage((c, _text, { n }) => {
              setTimeout(() => (seen.push(n) === 100 ? resolve(undefined) : c.messageComplete()), 0);
            });
            conn.send(JSON.stringify({ mt: 'Flood', count: 100 }));
          });
          let count = 0;
          conn.onmessage(() => count++).messageComplete();
          const isClosed = new Promise<unknown>((resolve) => conn.onclose((_conn, error) => resolve(error?.code)));
          conn.send(JSON.stringify({ mt: 'Flood', count: 2_000 }));
          return { seen, code: await isClosed, count, text: aw.ERRORS['slow-receiver'].text };
        },
        [urlOf(scheme), PASSWORD] as const,
      );
      expect(told.seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(told).toMatchObject({
        code: 'slow-receiver',
        count: 1,
        text: 'more than 1 MiB waits for messageComplete',
      });
    });

    test('before the login 64 KiB are kept, then send throws; a refused login is told', async () => {
      await using page = await openPage(scheme);
      const told = await page.evaluate(async (url) => {
        const { aw } = globalThis as unknown as Globals;
        const conn = aw.AppWebsocketClient.connect(url, 'wrong', 'tool');
        conn.send('ä'.repeat(32_000));
        let code: unknown;
        try {
          conn.send('ä'.repeat(1_000));
        } catch (error) {
          code = (error as BrowserBuild.AppWebsocketError).code;
        }
        return new Promise<unknown[]>((resolve) => conn.onclose((_c, e) => resolve([code, e?.code, e?.reason])));
      }, urlOf(scheme));
      expect(told).toEqual(['queue-full', 'login-failed', 'login failed']);
    });
  });

  test('the peer of a page that is too slow reads why it was closed', async () => {
    await using peer = await ScriptedPeer.start();
    await using page = await openPage('ws');
    await page.evaluate(
      async ([url, password]) => {
        const { aw } = globalThis as unknown as Globals;
        const conn = aw.AppWebsocketClient.connect(url, password, 'tool').setFlowControl(true);
        await new Promise((resolve) => conn.onopen(resolve));
      },
      [peer.url, PASSWORD] as const,
    );
    for (let n = 0; n < 3; n++) peer.sockets[0]!.send({ mt: 'N', x: 'x'.repeat(600_000) });
    const reason = 'more than 1 MiB waits for messageComplete';
    expect(await until(() => peer.sockets[0]!.closed, 'closed')).toEqual({ code: 4013, reason });
  });

  test('the login of myApps comes from the window around the page (AW §3.9)', async () => {
    await using page = await openPage('ws', '/frame.htm');
    await page.exposeFunction('answerLogin', (app: string, challenge: string) => {
      const names = { app: 'acme-tool.htm', domain: 'example.com', sip: 'alice', guid: 'a1', dn: 'Alice' };
      const info = { appobj: app, apps: [] };
      const digest = appLoginDigest({ ...names, info: JSON.stringify(info) }, challenge, PASSWORD);
      return { mt: 'Login', ...names, info, digest, pbxObj: app, key: appSessionKey(challenge, PASSWORD) };
    });
    await page.evaluate(() => {
      window.addEventListener('message', (event: MessageEvent<string>) => {
        const { mt, src, app, challenge } = JSON.parse(event.data) as Record<string, string>;
        const { answerLogin } = window as unknown as { answerLogin: (a: unknown, c: unknown) => Promise<object> };
        const post = (message: object): void => (event.source as Window).postMessage(JSON.stringify(message), '*');
        post({ mt: 'Login', pbxObj: 'other', src: '' });
        if (mt === 'getLogin') void answerLogin(app, challenge).then((login) => post({ ...login, src }));
      });
    });
    const frame = await until(() => page.frames().find((candidate) => candidate.url().includes('/page.htm')), 'frame');
    await frame.waitForFunction('globalThis.isLoaded');
    const hash = await frame.evaluate(async (url) => {
      const { aw } = globalThis as unknown as Globals;
      const name = new URLSearchParams(location.search).get('name') ?? '';
      const session = await aw.AppSession.open({ url, app: name, login: aw.loginFromMyApps(name) });
      Object.assign(globalThis, { session });
      return session.hash('seed', 'x');
    }, urlOf('ws'));
    const [connection] = service.connections;
    expect(connection!.identity).toMatchObject({ app: 'acme-tool', sip: 'alice', pbxObj: 'tool', isPbxUser: true });
    expect(connection!.hash('seed', 'x')).toBe(hash);
  });

  test('all vectors, by name, with the cryptography for browsers', async () => {
    await using page = await openPage('ws');
    const results = await page.evaluate(
      (all) => all.map((vector) => (globalThis as unknown as Globals).runVector(vector)),
      vectors as never[],
    );
    expect(results).toHaveLength(30);
    const named = (values: readonly unknown[]): unknown =>
      Object.fromEntries(values.map((value, i) => [vectors[i]!.id, value]));
    expect(named(results)).toEqual(named(vectors.map(({ expected, expectedRaw }) => expectedRaw ?? expected)));
  });
});

describe('size of the browser build', () => {
  test('everything a browser gets is at most 8 KB gzipped', async () => {
    const size = gzippedBytes(await bundle(`export * from './browser.ts'`));
    console.log(`browser build: ${size} bytes gzipped`);
    expect(size).toBeLessThanOrEqual(8_192);
  });

  test('what is not used is left out', async () => {
    const client = gzippedBytes(await bundle(`export { AppWebsocketClient } from './browser.ts'`));
    const errors = gzippedBytes(await bundle(`export { ERRORS } from './browser.ts'`));
    const nothing = await bundle(`import './browser.ts'`);
    console.log(`AppWebsocketClient alone: ${client} bytes; ERRORS alone: ${errors} bytes`);
    expect(client).toBeLessThan(6_000);
    expect(errors).toBeLessThan(1_000);
    expect(nothing.trim()).toBe('');
  });

  test('nothing of Node is in it', async () => {
    const code = await bundle(`export * from './browser.ts'; export * from './myapps.ts'`);
    expect(/\bnode:|\brequire\(|\bprocess\.|\bBuffer\b/.exec(code)).toBeNull();
  });
});
