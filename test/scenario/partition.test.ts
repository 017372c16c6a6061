import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient, type EventLog } from '../kit/chat-api-client.ts';
import { CLUSTER_PROGRAMS, type ClusterNode, ProcessCluster } from '../kit/cluster.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { isSoak } from '../kit/scale.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

/** Connections are cut and refused; what is sent is dropped, which takes longer to notice. */
const WAYS: readonly ('block' | 'freeze')[] = isSoak ? ['block', 'freeze'] : ['block'];
const PATIENCE_MS = 30_000;

/** `200`, or `503 bus lease`: what is not ready. */
async function readiness({ server }: ClusterNode): Promise<string> {
  const response = await fetch(`${server.url}/readyz`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  const failed = Object.entries(checks).flatMap(([name, outcome]) => (outcome === 'ok' ? [] : [name]));
  return [response.status, ...failed].join(' ');
}

const becomes = (node: ClusterNode, wanted: string): Promise<unknown> =>
  until(async () => (await readiness(node)) === wanted, `readiness ${wanted}`, PATIENCE_MS);

describeWithPeers(CLUSTER_PROGRAMS, 'a node that loses one of what it stands on', () => {
  let cluster: ProcessCluster;
  let one: ClusterNode;
  let two: ClusterNode;
  let alice: ChatApiClient;
  let bob: ChatApiClient;
  let toAlice: EventLog;
  let toBob: EventLog;
  beforeAll(async () => {
    cluster = await ProcessCluster.start(2);
    [one, two] = cluster.nodes as [ClusterNode, ClusterNode];
    alice = await ChatApiClient.signIn(one.server.url, 'alice');
    bob = await ChatApiClient.signIn(two.server.url, 'bob');
    toAlice = await alice.events();
    toBob = await bob.events();
  }, 120_000);
  afterAll(async () => {
    toAlice.close();
    toBob.close();
    await cluster[Symbol.asyncDispose]();
  });

  const arrives = (at: EventLog, text: string): Promise<unknown> =>
    until(() => at.bodies.includes(text), text, PATIENCE_MS);

  test('NATS alone: messages are stored and arrive, later; the others miss the node; all is as before when it is back', async () => {
    two.toNats.freeze();
    await becomes(two, '503 bus');
    expect(await readiness(one)).toBe('200');
    await until(() => one.server.output.includes('"event":"cluster.node-down"'), 'the others to miss it', PATIENCE_MS);
    await alice.say('bob', 'no bus, to');
    await bob.say('alice', 'no bus, from');
    await arrives(toBob, 'no bus, to');
    await arrives(toAlice, 'no bus, from');
    await until(() => two.server.output.includes('"event":"bus.went-away"'), 'the loss to be told', PATIENCE_MS);
    expect(await two.server.figure('tieline_bus_up')).toBe(0);
    two.toNats.heal();
    await becomes(two, '200');
    await cluster.settled();
    await alice.say('bob', 'bus again');
    await arrives(toBob, 'bus again');
    await until(() => two.server.output.includes('"event":"bus.came-back"'), 'its end to be told', PATIENCE_MS);
  }, 120_000);

  test.each(WAYS)(
    'PostgreSQL alone (%s): nothing is acknowledged, sockets stay; what was missed comes',
    async (way) => {
      await using page = await StompApp.signIn(two.server.port, 'bob');
      page.subscribe('/user/queue/errors');
      page.subscribe('/user/queue/messages');
      await page.send('/tapi/stop', '');
      const [opened, before] = [toBob.opened, two.server.output.length];
      two.toPostgres[way]();
      await becomes(two, '503 store lease');
      const refused = await bob.ask('POST', '/chat/messages/alice', 'never stored');
      expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true]);
      page.client.publish({
        destination: '/tapi/message',
        body: JSON.stringify({ to: 'alice', body: 'never stored' }),
      });
      await page.take(({ destination }) => destination === '/user/queue/errors');
      await until(
        () => two.server.output.slice(before).includes('"event":"cluster.lease-lost"'),
        'the loss to be told',
        PATIENCE_MS,
      );
      expect(await two.server.figure('tieline_cluster_roles')).toBe(0);
      expect(await readiness(one)).toBe('200');
      for (let i = 0; i < 5; i++) await alice.say('bob', `meanwhile ${way} ${i}`);
      two.toPostgres.heal();
      await becomes(two, '200');
      for (let i = 0; i < 5; i++) await arrives(toBob, `meanwhile ${way} ${i}`);
      await until(() => page.messages.length === 5, 'the page to have them', PATIENCE_MS);
      expect(toBob.bodies.filter((body) => body.startsWith(`meanwhile ${way}`))).toHaveLength(5);
      expect([toBob.opened, page.closes]).toEqual([opened, 0]);
      await bob.say('alice', `stored again ${way}`);
      await arrives(toAlice, `stored again ${way}`);
      expect(toAlice.bodies).not.toContain('never stored');
      await until(
        () => two.server.output.slice(before).includes('"event":"cluster.lease-back"'),
        'its end to be told',
        PATIENCE_MS,
      );
    },
    120_000,
  );
});
