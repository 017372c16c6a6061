import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { chromium, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { describeWithPeers, findProgram } from '../kit/peer.ts';
import { until } from '../kit/wait.ts';

/** What a page has kept of its events. */
interface Kept extends Window {
  kept: { readonly event: string; readonly data: Record<string, unknown> }[];
  source: EventSource;
}

/** Another origin on this machine. */
interface Site {
  readonly origin: string;
  readonly server: Server;
}

async function site(): Promise<Site> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<p>blank</p>'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

describeWithPeers(['chromium'], 'the Chat API from pages in Chromium', () => {
  let world: ChatApiWorld;
  let browser: Browser;
  let friend: Site;
  let stranger: Site;
  beforeAll(async () => {
    [friend, stranger] = [await site(), await site()];
    world = await ChatApiWorld.start({ limits: { retryMs: 50 }, allowedOrigins: [friend.origin] });
    browser = await chromium.launch({ executablePath: findProgram('chromium') ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    for (const { server } of [friend, stranger]) server.close();
    expect(world.troubles).toEqual([]);
    await world[Symbol.asyncDispose]();
  });

  /** An empty page of this origin. */
  async function pageOf(origin: string, context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await browser.newContext())).newPage();
    // Only our own origin is played: what is played has no address, and pages without one may not reach this machine.
    if (origin === world.url)
      await page.route(`${origin}/blank`, (route) => route.fulfill({ contentType: 'text/html', body: '<p>blank</p>' }));
    await page.goto(`${origin}/blank`);
    return page;
  }

  /** Signs in with `fetch`; the token, or the reason why a page could not. */
  function signIn(page: Page, url: string, name: string): Promise<{ token: string; stream: string } | string> {
    return page.evaluate(
      async ({ url, name }) => {
        try {
          const authorization = `Basic ${btoa(`${name}:demo`)}`;
          const answer = await fetch(`${url}/restapi/v1/chat/${name}/login`, {
            method: 'POST',
            headers: { authorization },
          });
          return { token: answer.headers.get('x-session-token') ?? '', stream: await answer.text() };
        } catch (error) {
          return String(error);
        }
      },
      { url, name },
    );
  }

  function openEvents(page: Page, url: string): Promise<void> {
    return page.evaluate((url) => {
      const own = globalThis as unknown as Kept;
      own.kept = [];
      own.source = new EventSource(url);
      for (const event of ['chat', 'sent', 'presence', 'end'])
        own.source.addEventListener(`chatapi.${event}`, ({ data }) => own.kept.push({ event, data: JSON.parse(data) }));
    }, url);
  }

  function bodies(page: Page): Promise<readonly unknown[]> {
    return page.evaluate(() =>
      (globalThis as unknown as Kept).kept.filter(({ event }) => event === 'chat').map(({ data }) => data['body']),
    );
  }

  test('docs/chat-api.md, "From a web page": sign in, events, send, a restart, leave', async () => {
    const alice = await ChatApiClient.signIn(world.url, 'alice');
    const page = await pageOf(world.url);
    const session = await signIn(page, world.url, 'bob');
    if (typeof session === 'string') throw new Error(session);
    await openEvents(page, '/sse/bob');
    await alice.say('bob', 'to a page');
    await until(async () => (await bodies(page)).includes('to a page'));

    // Another user in another tab of the same browser.
    const second = await pageOf(world.url, page.context());
    await signIn(second, world.url, 'carol');
    await openEvents(second, '/sse/carol');
    await alice.say('carol', 'to the other');
    await until(async () => (await bodies(second)).includes('to the other'));

    const sent = await page.evaluate(async (token) => {
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': crypto.randomUUID() };
      const answer = await fetch('/restapi/v1/chat/messages/alice', { method: 'POST', headers, body: 'from a page' });
      return { status: answer.status, id: answer.headers.get('x-message-id') };
    }, session.token);
    expect(sent.status).toBe(200);
    const history = await alice.history('/chat/messages?to=bob&max=1');
    expect(history[0]).toMatchObject({ id: sent.id, body: 'from a page' });

    // The browser comes back by itself, with the cookie and its position.
    await world.restart();
    await alice.say('bob', 'after the restart');
    await until(async () => (await bodies(page)).includes('after the restart'));
    expect((await bodies(page)).filter((body) => body === 'to a page')).toHaveLength(1);

    await page.evaluate(async ({ token, stream }) => {
      const headers = { authorization: `Bearer ${token}` };
      await fetch(`/restapi/v1/chat/${stream}/logoff`, { method: 'POST', headers });
    }, session);
    await until(() => page.evaluate(() => (globalThis as unknown as Kept).source.readyState === EventSource.CLOSED));
    await page.context().close();
  });

  test('a page of a listed origin uses a ticket; one of another origin gets nothing', async () => {
    const alice = await ChatApiClient.signIn(world.url, 'alice');
    const guest = await pageOf(friend.origin);
    const session = await signIn(guest, world.url, 'bob');
    if (typeof session === 'string') throw new Error(session);
    const ticket = await guest.evaluate(
      async ({ url, token }) => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(`${url}/restapi/v1/chat/ticket`, { method: 'POST', headers })).text();
      },
      { url: world.url, token: session.token },
    );
    await openEvents(guest, `${world.url}/sse/bob?ticket=${ticket}`);
    await alice.say('bob', 'across origins');
    await until(async () => (await bodies(guest)).includes('across origins'));
    await guest.context().close();

    const foreign = await pageOf(stranger.origin);
    expect(await signIn(foreign, world.url, 'bob')).toContain('TypeError');
    await foreign.context().close();
  });
});
