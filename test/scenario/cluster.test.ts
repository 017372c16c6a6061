import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { CLUSTER_PROGRAMS, type ClusterNode, ProcessCluster } from '../kit/cluster.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { type CommandOutcome, ServerProcess } from '../kit/server-process.ts';
import { StompApp, type Transport } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

async function readiness(server: ServerProcess): Promise<{ status: number; checks: Record<string, string> }> {
  const response = await fetch(`${server.url}/readyz`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  return { status: response.status, checks };
}

async function pageAt({ server }: ClusterNode, transport: Transport, resume?: string): Promise<StompApp> {
  const page = await StompApp.signIn(server.port, 'bob', transport);
  page.subscribe('/user/queue/messages', resume === undefined ? {} : { resume });
  // Its receipt comes after the subscription stands.
  await page.send('/tapi/stop', '');
  return page;
}

async function deviceAt({ server }: ClusterNode, resume = ''): Promise<PbxApp> {
  const app = await PbxApp.signIn(server.port, { sip: 'bob' });
  app.acceptChats();
  expect((await app.register({ hw: 'chat-bob', resume }))['err']).toBeUndefined();
  return app;
}

const bodiesOf = (page: StompApp): readonly string[] => page.messages.map(({ json }) => String(json?.['body']));

describeWithPeers(CLUSTER_PROGRAMS, 'two nodes as processes', () => {
  let cluster: ProcessCluster;
  let one: ClusterNode;
  let two: ClusterNode;
  let lonely: Promise<CommandOutcome>;
  beforeAll(async () => {
    cluster = await ProcessCluster.start(2);
    [one, two] = cluster.nodes as [ClusterNode, ClusterNode];
    // It gives a lease that stands time to run out, so it begins early.
    lonely = ServerProcess.fail(settings());
  }, 130_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  /** Of one more node, without a bus. */
  function settings(): Record<string, string> {
    return {
      TIELINE_DATABASE_URL: cluster.postgres.url('tieline'),
      TIELINE_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
      TIELINE_BLOBS_URL: 'file:///nowhere',
      TIELINE_LOG_FORMAT: 'json',
      TIELINE_LOG_LEVEL: 'info',
      PORT: '0',
    };
  }

  test('they know each other, and say so', async () => {
    for (const { server } of cluster.nodes) {
      expect(await readiness(server)).toEqual({ status: 200, checks: { store: 'ok', bus: 'ok', lease: 'ok' } });
      expect(await server.figure('tieline_bus_up')).toBe(1);
      expect(await server.figure('tieline_cluster_lease')).toBe(1);
      expect(server.output).toContain('"event":"cluster.node-up"');
    }
    const alice = await ChatApiClient.signIn(one.server.url, 'alice');
    const bob = await ChatApiClient.signIn(two.server.url, 'bob');
    await using events = await bob.events();
    await alice.say('bob', 'across');
    await until(() => events.bodies.includes('across'));
    await until(async () => (await two.server.figure('tieline_journal_lag')) === 0);
  });

  test('a node that cannot start says why, and leaves nothing running', async () => {
    const [deaf, stranger] = await Promise.all([
      ServerProcess.fail({ ...settings(), TIELINE_BUS_URL: 'nats://me:s3cret@127.0.0.1:1' }),
      ServerProcess.fail({ ...settings(), TIELINE_BUS_URL: cluster.nats.url.replace('//', '//me:s3cret@') }),
    ]);
    const { code: status, output: said } = await lonely;
    expect(status).toBe(1);
    expect(said).toMatch(/"lonely-node".*bus\.url.*"event":"server.start-failed"/);
    expect(said).toMatch(/"event":"cluster.lease-awaited"/);
    for (const { code, output } of [deaf, stranger]) {
      expect(code).toBe(1);
      expect(output).toMatch(/NATS at 127\.0\.0\.1:\d+ \(bus\.url\) can't be used/);
      expect(output).not.toContain('s3cret');
    }
    expect((await readiness(one.server)).status).toBe(200);
    await cluster.settled();
  }, 130_000);

  test('a node drains: on every surface its clients go on at the other one, and miss nothing', async () => {
    const alice = await ChatApiClient.signIn(one.server.url, 'alice');
    const bob = await ChatApiClient.signIn(two.server.url, 'bob');
    const events = await bob.events();
    const page = await pageAt(two, 'websocket');
    const poller = await pageAt(two, 'xhr-polling');
    const device = await deviceAt(two);
    let sent = 0;
    let isOver = false;
    const talk = (async () => {
      while (!isOver) await alice.say('bob', `text ${sent++}`);
    })();
    await until(
      () => Math.min(events.bodies.length, page.messages.length, poller.messages.length, device.texts.length) >= 50,
      'the first texts',
      30_000,
    );
    expect(await two.server.stop('SIGTERM')).toBe(0);
    await until(() => page.closes > 0 && poller.closes > 0 && device.closeCode !== null, 'all to see the end');
    expect(device.closeCode).toBe(1001);
    events.close();
    await using eventsAgain = await (
      await ChatApiClient.signIn(one.server.url, 'bob')
    ).events({ lastEventId: events.lastId });
    await using pageAgain = await pageAt(one, 'websocket', page.messages.at(-1)?.headers['position']);
    await using pollerAgain = await pageAt(one, 'xhr-polling', poller.messages.at(-1)?.headers['position']);
    await using deviceAgain = await deviceAt(one, String(device.texts.at(-1)?.['pos']));
    isOver = true;
    await talk;
    const all = Array.from({ length: sent }, (_, i) => `text ${i}`);
    const both = {
      events: () => [...events.bodies, ...eventsAgain.bodies],
      page: () => [...bodiesOf(page), ...bodiesOf(pageAgain)],
      poller: () => [...bodiesOf(poller), ...bodiesOf(pollerAgain)],
      device: () => [...device.texts, ...deviceAgain.texts].map((text) => String(text['data'])),
    };
    for (const [name, seen] of Object.entries(both)) {
      await until(() => seen().length >= sent, `${name}: all ${sent} texts`, 30_000);
      expect([name, seen()]).toEqual([name, all]);
    }
    await two.server.start();
    await cluster.settled();
  }, 130_000);

  test('a node that is killed is missed, and is another one when it comes again on its port', async () => {
    const { port } = two.server;
    await two.server.stop('SIGKILL');
    await until(() => one.server.output.includes('"event":"cluster.node-down"'), 'the death to be noticed', 30_000);
    await two.server.start();
    expect(two.server.port).toBe(port);
    const alice = await ChatApiClient.signIn(one.server.url, 'alice');
    const bob = await ChatApiClient.signIn(two.server.url, 'bob');
    await using events = await bob.events();
    await alice.say('bob', 'again');
    await until(() => events.bodies.includes('again'));
  }, 130_000);
});
