import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import { type Server, startServer } from '../../packages/server/src/main.ts';
import { type Certificate, makeCertificate, trust } from '../kit/certificate.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { exampleOf, replaced } from '../kit/page.ts';
import { NatsServer } from '../kit/nats-server.ts';
import { Nginx } from '../kit/nginx.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { StompApp, type Transport } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

/** A database is made, nodes start, and clients come back by themselves after seconds. */
const PATIENCE_MS = 120_000;

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const TRANSPORTS: readonly Transport[] = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'];

/** The page's configuration as it stands there, with our addresses and files in place of those of its example. */
function configuration(port: number, upstreams: readonly number[], { cert, key }: Certificate): string {
  return replaced(exampleOf(page, 'nginx'), {
    'listen 443 ssl http2;': `listen 127.0.0.1:${port} ssl http2;`,
    'listen [::]:443 ssl http2;': '',
    'server 127.0.0.1:8080;': upstreams.map((upstream) => `server 127.0.0.1:${upstream};`).join(' '),
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
    nginx = await Nginx.start((port) => configuration(port, [world.port], certificate));
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

  talks(() => url);

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

const CLUSTER_PROGRAMS = ['nginx', 'nats-server', ...POSTGRES_PROGRAMS];

describeWithPeers(CLUSTER_PROGRAMS, 'two nodes behind nginx, requests in turn to one and the other', () => {
  const opened = new AsyncDisposableStack();
  const nodes: Server[] = [];
  let url: string;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tieline-proxied-nodes-'));
    opened.defer(() => rm(folder, { recursive: true }));
    const certificate = makeCertificate(folder, 'proxy');
    trust(certificate);
    const postgres = opened.use(await PostgresServer.start());
    const nats = opened.use(await NatsServer.start());
    const env = {
      TIELINE_DEMO: '1',
      TIELINE_DATABASE_URL: await postgres.createDatabase(),
      TIELINE_BUS_URL: nats.url,
      TIELINE_BLOBS_URL: `file://${folder}/blobs`,
      TIELINE_SECRET_KEY: randomBytes(32).toString('base64'),
      TIELINE_HTTP_TRUST_PROXY: 'loopback',
      TIELINE_HTTP_DRAIN_MS: '200',
      TIELINE_LOG_LEVEL: 'error',
      PORT: '0',
      SIP_PORT: '0',
    };
    for (let i = 0; i < 2; i++) nodes.push(opened.use(await startServer(loadConfig({ env }))));
    const ports = nodes.map(({ port }) => port);
    const nginx = opened.use(await Nginx.start((port) => configuration(port, ports, certificate)));
    url = `https://localhost:${nginx.port}`;
  }, PATIENCE_MS);
  afterAll(() => opened.disposeAsync(), PATIENCE_MS);

  talks(() => url);

  test(
    'an event stream hears both nodes, and goes on on the other one when its own stops',
    async () => {
      const alice = await ChatApiClient.signIn(url, 'alice');
      const bob = await ChatApiClient.signIn(url, 'bob');
      await using events = await bob.events();
      const said: string[] = [];
      const say = async (): Promise<void> => {
        said.push(`text ${said.length}`);
        await alice.say('bob', said.at(-1));
      };
      for (let i = 0; i < 6; i++) await say();
      await until(() => events.bodies.length === said.length, 'what was sent through both nodes', PATIENCE_MS);
      await nodes[0]?.close();
      for (let i = 0; i < 4; i++) await say();
      await until(() => new Set(events.bodies).size === said.length, 'what came meanwhile', PATIENCE_MS);
      const known = new Set<string>();
      expect(events.bodies.filter((body) => !known.has(body) && known.add(body))).toEqual(said);
    },
    PATIENCE_MS,
  );
});

/** Texts between sessions on all surfaces but the event stream. */
function talks(url: () => string): void {
  test('AppWebsocket', async () => {
    await using app = await PbxApp.signIn(url(), { sip: 'carol' });
    app.acceptChats();
    await app.register({ hw: 'chat-carol' });
    const alice = await ChatApiClient.signIn(url(), 'alice');
    await alice.say('carol', 'over wss');
    await app.take(() => app.texts.some(({ data }) => data === 'over wss'));
  });

  test.each(TRANSPORTS)('STOMP over SockJS: %s', async (transport) => {
    await using alice = await StompApp.signIn(url(), 'alice', transport);
    await using carol = await StompApp.signIn(url(), 'carol', transport);
    carol.subscribe('/user/queue/messages');
    await carol.send('/tapi/stop', '');
    for (const body of [`${transport} one`, `${transport} two`]) {
      await alice.send('/tapi/message', { to: 'carol', body });
      await carol.take(({ json }) => json?.['body'] === body);
    }
  });
}

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
