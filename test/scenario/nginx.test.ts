import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Certificate, makeCertificate, trust } from '../kit/certificate.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { exampleOf, replaced } from '../kit/page.ts';
import { Nginx } from '../kit/nginx.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { StompApp, type Transport } from '../kit/stomp-app.ts';
import { startWorld, type World } from '../kit/world.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const TRANSPORTS: readonly Transport[] = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'];

/** The page's configuration as it stands there, with our addresses and files in place of those of its example. */
function configuration(port: number, upstream: number, { cert, key }: Certificate): string {
  return replaced(exampleOf(page, 'nginx'), {
    'listen 443 ssl http2;': `listen 127.0.0.1:${port} ssl http2;`,
    'listen [::]:443 ssl http2;': '',
    'server 127.0.0.1:8080;': `server 127.0.0.1:${upstream};`,
    '/etc/tieline/chain.pem': cert,
    '/etc/tieline/key.pem': key,
  });
}

describeWithPeers(['nginx'], 'behind nginx, as docs/operations.md configures it', () => {
  let folder: string;
  let world: World;
  let nginx: Nginx;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tieline-proxied-'));
    const certificate = makeCertificate(folder, 'proxy');
    trust(certificate);
    world = await startWorld({
      // Not all of loopback: the test's clients come from there, too.
      TIELINE_HTTP_TRUST_PROXY: '127.0.0.1',
      TIELINE_LOGIN_PER_ACCOUNT_BURST: '2',
      TIELINE_LOGIN_PER_ACCOUNT_REFILL_MS: '3600000',
    });
    nginx = await Nginx.start((port) => configuration(port, world.port, certificate));
    url = `https://localhost:${nginx.port}`;
  });
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]();
    await world.close();
    await rm(folder, { recursive: true });
  });

  test('REST, and an event stream that tells at once and goes on where it was', async () => {
    const alice = await ChatApiClient.signIn(url, 'alice');
    const bob = new ChatApiClient(url, 'bob');
    expect((await bob.login()).headers.get('set-cookie')).toContain('Secure');
    await using events = await bob.events();
    await events.take(({ event }) => event === 'ready');
    // The stream stays open: what nginx held back would never come.
    for (const body of ['one', 'two', 'three']) {
      await alice.say('bob', body);
      await events.take(({ data }) => data.body === body, `"${body}" while the stream is open`);
    }
    await nginx.stop();
    const direct = new ChatApiClient(world.url, 'alice');
    await direct.say('bob', 'meanwhile');
    await nginx.start();
    await events.take(({ data }) => data.body === 'meanwhile', 'what came while nginx was away');
    expect(events.bodies).toEqual(['one', 'two', 'three', 'meanwhile']);
    expect((await alice.history('/chat/messages?to=bob')).map(({ body }) => body)).toEqual(events.bodies);
  });

  test('AppWebsocket', async () => {
    await using app = await PbxApp.signIn(url, { sip: 'carol' });
    app.acceptChats();
    await app.register({ hw: 'chat-carol' });
    const alice = await ChatApiClient.signIn(url, 'alice');
    await alice.say('carol', 'over wss');
    await app.take(() => app.texts.some(({ data }) => data === 'over wss'));
  });

  test.each(TRANSPORTS)('STOMP over SockJS: %s', async (transport) => {
    await using alice = await StompApp.signIn(url, 'alice', transport);
    await using carol = await StompApp.signIn(url, 'carol', transport);
    carol.subscribe('/user/queue/messages');
    await carol.send('/tapi/stop', '');
    for (const body of [`${transport} one`, `${transport} two`]) {
      await alice.send('/tapi/message', { to: 'carol', body });
      await carol.take(({ json }) => json?.['body'] === body);
    }
  });

  test('a page of the public name may use the APIs with its cookie', async () => {
    const alice = new ChatApiClient(url, 'alice');
    const answer = await alice.ask('POST', '/chat/alice/login', '', { origin: url });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(url);
    const other = await alice.ask('POST', '/chat/alice/login', '', { origin: 'https://elsewhere.test' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  test("failed logins count for the client's address, not for nginx's, and not for one that the client writes", async () => {
    const from = (address: string, forged?: string) => failLogin(url, address, forged);
    expect([await from('127.0.0.2'), await from('127.0.0.2')]).toEqual([401, 401]);
    expect(await from('127.0.0.2')).toBe(429);
    expect(await from('127.0.0.2', '127.0.0.9')).toBe(429);
    expect(await from('127.0.0.3')).toBe(401);
  });

  test('the figures are nothing for the outside', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

/** A login of dora with a wrong password from this address of the machine. @returns the status */
async function failLogin(url: string, localAddress: string, forged?: string): Promise<number> {
  const headers = {
    authorization: `Basic ${btoa('dora:wrong')}`,
    ...(forged === undefined ? {} : { 'x-forwarded-for': forged }),
  };
  const asked = request(`${url}/restapi/v1/chat/dora/login`, { method: 'POST', localAddress, family: 4, headers });
  asked.end();
  const [response] = await once(asked, 'response');
  await text(response);
  return Number(response.statusCode);
}
