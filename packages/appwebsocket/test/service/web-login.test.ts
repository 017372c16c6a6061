import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { appLoginDigest, appSessionKey } from '../../src/crypto/digests.ts';
import type { WebLoginOptions } from '../../src/service/web-login.ts';
import { WebLogin } from '../../src/service/web-login.ts';
import { PASSWORD } from './kit.ts';

const USER = { app: 'tool', domain: 'example.com', sip: 'alice', guid: '0'.repeat(32), dn: 'Ä & Ö' };

/** A web server with the login, and a browser that keeps its cookie. */
class Site implements AsyncDisposable {
  readonly login: WebLogin;
  readonly server;
  cookie = '';

  constructor(options: Partial<WebLoginOptions> = {}) {
    this.login = new WebLogin({ password: PASSWORD, ...options });
    this.server = createServer((request, response) => {
      if (this.login.handle(request, response)) return;
      response.end(this.login.identityOf(request)?.sip ?? 'stranger');
    });
  }

  static async start(options?: Partial<WebLoginOptions>): Promise<Site> {
    const site = new Site(options);
    await once(site.server.listen(0, '127.0.0.1'), 'listening');
    return site;
  }

  async get(path: string, cookie = this.cookie, method = 'GET'): Promise<Response> {
    const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
    const response = await fetch(url, { method, headers: { cookie, connection: 'close' } });
    this.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? this.cookie;
    return response;
  }

  async ask(query: Record<string, string>): Promise<Record<string, unknown>> {
    return (await (await this.get(`/login?${new URLSearchParams(query).toString()}`)).json()) as Record<
      string,
      unknown
    >;
  }

  async challenge(): Promise<string> {
    return String((await this.ask({ mt: 'AppChallenge' }))['challenge']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await once(this.server.close(), 'close');
  }
}

const loginQuery = (challenge: string, info?: string, password = PASSWORD): Record<string, string> => ({
  mt: 'AppLogin',
  ...USER,
  ...(info === undefined ? {} : { info }),
  digest: appLoginDigest({ ...USER, info }, challenge, password),
  challenge,
});

describe('a login over HTTP GET (AW §3.10)', () => {
  test.each([
    ['with info', '{"appobj":"tool","appdn":"Ä & \\u00d6","apps":[]}'],
    ['with an empty info', '{}'],
    ['without info', undefined],
  ])('%s', async (_name, info) => {
    await using site = await Site.start();
    const challenge = await site.challenge();
    const before = site.cookie;
    expect(await site.ask(loginQuery(challenge, info))).toEqual({ mt: 'AppLoginResult', ok: true });
    expect(site.cookie).not.toBe(before);
    expect(await (await site.get('/')).text()).toBe('alice');
    expect(await (await site.get('/', before)).text()).toBe('stranger');
  });

  const failure = { mt: 'AppLoginResult', ok: false, errorText: 'login failed' };
  test('refuses a wrong password, and a challenge that was used', async () => {
    await using site = await Site.start();
    const challenge = await site.challenge();
    expect(await site.ask(loginQuery(challenge, '{}', 'wrong'))).toEqual(failure);
    expect(await site.ask(loginQuery(challenge, '{}'))).toEqual(failure);
    expect(await (await site.get('/')).text()).toBe('stranger');
  });

  test('takes the challenge of the session, not of the query', async () => {
    await using site = await Site.start();
    await site.challenge();
    expect(await site.ask(loginQuery('0123456789abcdef'))).toEqual(failure);
  });

  test('refuses a login without the session', async () => {
    await using site = await Site.start();
    const challenge = await site.challenge();
    site.cookie = '';
    expect(await site.ask(loginQuery(challenge))).toEqual(failure);
  });

  test.each([['{"a":1},"digest":"x"'], ['{'], ['[]'], ['7'], [`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`]])(
    'refuses info %s',
    async (info) => {
      await using site = await Site.start();
      expect(await site.ask(loginQuery(await site.challenge(), info))).toEqual(failure);
    },
  );

  test('asks for the password, and reports a look-up that fails', async () => {
    const errors: unknown[] = [];
    await using site = await Site.start({
      password: ({ app }) => (app === 'tool' ? Promise.reject(new Error('database')) : undefined),
      onError: (error) => errors.push(error),
    });
    const query = loginQuery(await site.challenge());
    const response = await site.get(`/login?${new URLSearchParams(query).toString()}`);
    expect(response.status).toBe(500);
    expect(errors).toEqual([new Error('database')]);
  });

  test('refuses what is no login', async () => {
    await using site = await Site.start();
    expect((await site.get('/login')).status).toBe(400);
    expect((await site.get('/login?mt=AppChallenge', '', 'POST')).status).toBe(405);
    expect((await site.get('/login?mt=AppGetLogin&challenge=1&app=a')).status).toBe(403);
  });

  test('keeps the session key, logs out, and marks the cookie for frames', async () => {
    await using site = await Site.start({ isSecure: true });
    const response = await site.get('/login?mt=AppChallenge');
    expect(response.headers.get('set-cookie')).toContain('HttpOnly; Secure; SameSite=None');
    const { challenge } = (await response.json()) as { challenge: string };
    await site.ask(loginQuery(challenge));
    const keys: unknown[] = [];
    site.server.prependListener('request', (request) => {
      keys.push(site.login.sessionKeyOf(request));
      site.login.logout(request);
    });
    expect(await (await site.get('/')).text()).toBe('stranger');
    expect(keys).toEqual([appSessionKey(challenge, PASSWORD)]);
  });

  test('slows down who guesses', async () => {
    await using site = await Site.start();
    for (let i = 0; i < 10; i++) await site.ask(loginQuery(await site.challenge(), '{}', 'wrong'));
    expect(await site.ask(loginQuery(await site.challenge(), '{}'))).toEqual(failure);
  });

  test('creates a login for a page of its own', async () => {
    await using site = await Site.start({ issue: (app) => (app === 'pbxobj' ? { password: 'obj' } : undefined) });
    const answer = await site.ask({ mt: 'AppGetLogin', app: 'pbxobj', challenge: '77' });
    expect(answer).toEqual({
      mt: 'AppGetLoginResult',
      app: 'pbxobj',
      ...{ domain: '', sip: '', guid: '', dn: '', challenge: '77' },
      digest: appLoginDigest({ app: 'pbxobj' }, '77', 'obj'),
    });
  });

  test('on Fastify', async () => {
    const login = new WebLogin({ password: PASSWORD });
    const app = fastify();
    await app.register(login.plugin);
    app.get('/', (request) => login.identityOf(request.raw)?.sip ?? 'stranger');
    const first = await app.inject('/login?mt=AppChallenge');
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    const query = loginQuery(first.json<{ challenge: string }>().challenge);
    const second = await app.inject({ url: '/login', query, headers: { cookie } });
    expect(second.json()).toEqual({ mt: 'AppLoginResult', ok: true });
    const headers = { cookie: String(second.headers['set-cookie']).split(';')[0] ?? '' };
    expect((await app.inject({ url: '/', headers })).body).toBe('alice');
    await app.close();
  });

  test('on Fastify below a prefix', async () => {
    const app = fastify();
    await app.register(new WebLogin({ password: PASSWORD }).plugin, { prefix: '/shop' });
    const answered = await app.inject('/shop/login?mt=AppChallenge');
    expect(answered.json()).toMatchObject({ mt: 'AppChallengeResult' });
    await app.close();
  });
});
