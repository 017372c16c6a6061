import { expect, test } from 'vitest';
import type { UserId } from '../../packages/server/src/core/journal/index.ts';
import { randomIds } from '../../packages/server/src/kit/index.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { CuttingProxy } from '../kit/cutting-proxy.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { scaled } from '../kit/scale.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

const SESSIONS = scaled({ verify: 500, soak: 5_000 });
/** Each of their logins costs a password hash. */
const ON_STOMP = 12;
/** Sessions that are opened at a time. */
const AT_ONCE = 50;
const PATIENCE_MS = 120_000;

/** Users with bob's password and secrets: hashing one for each would take longer than the test. */
async function addUsers({ nodes, store }: Nodes, count: number): Promise<readonly string[]> {
  const { id } = await nodes[0]!.core.directory.requireUser({ by: 'name', value: 'bob' });
  const secrets = await store.read('directory.secrets', { id });
  if (secrets === null) throw new Error('bob has no secrets');
  const names = Array.from({ length: count }, (_, i) => `user${i}`);
  await Promise.all(
    names.map((name) => {
      const own = randomIds.guid() as UserId;
      const device = { id: `chat-${name}`, user: own, kind: 'chat', label: 'Chat', secret: '' } as const;
      const flags = { isAdmin: false, hasStorage: true, isLocked: false };
      const user = { id: own, name, displayName: name, number: null, email: null, apps: [], ...flags };
      const { passwordHash, sealedMyApps } = secrets;
      return store.write('directory.add-user', { user, secrets: { passwordHash }, sealedMyApps, device });
    }),
  );
  return names;
}

/** All of them, a few at a time. */
async function forAll<T>(items: readonly T[], run: (item: T, i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE)
    await Promise.all(items.slice(i, i + AT_ONCE).map((item, k) => run(item, i + k)));
}

test(
  `${SESSIONS} sessions are cut at once and come back, some on another node: watchers see nothing of it`,
  async () => {
    await using open = new AsyncDisposableStack();
    const cluster = open.use(await startNodes(2, { TIELINE_PRESENCE_LINGER_MS: String(PATIENCE_MS) }));
    const { nodes } = cluster;
    const proxies = [await CuttingProxy.to(nodes[0]!.port), await CuttingProxy.to(nodes[1]!.port)] as const;
    for (const proxy of proxies) open.use(proxy);
    const names = await addUsers(cluster, SESSIONS);

    let events = 0;
    /** Who has not been seen on which node. */
    const offline = new Set(nodes.flatMap((_node, i) => names.map((name) => `${i} ${name}`)));
    for (const [i, { core }] of nodes.entries())
      for (const name of names) {
        const { id } = await core.directory.requireUser({ by: 'name', value: name });
        await core.presence.watch({ kind: 'server' }, id, ({ isOnline }) => {
          events++;
          if (isOnline) offline.delete(`${i} ${name}`);
        });
      }
    const page = open.use(await StompApp.signIn(nodes[0]!.port, 'carol'));
    for (const name of names.slice(0, 60)) page.subscribe(`/topic/presence.${name}`);
    await until(() => page.frames.length === 60, 'what is watched', PATIENCE_MS);

    const apps = new Set<PbxApp>();
    open.defer(() => apps.forEach(({ socket }) => socket.terminate()));
    /** A session of its user; `round` 1 comes in on the other node. */
    async function connect(name: string, i: number, round: number): Promise<void> {
      const proxy = proxies[(i + round) % 2]!;
      if (i < ON_STOMP) {
        const app = open.use(await StompApp.signIn(proxy.port, name));
        // On a busy machine the client may give up; as a page does, it tries again.
        if (app.connected === null) return connect(name, i, round);
        return app.subscribe('/user/queue/messages');
      }
      if (i % 2 === 0) {
        // Not through the proxy: all of these sockets are this process's, which may have only so many.
        const app = await PbxApp.signIn(nodes[(i + round) % 2]!.port, { sip: name });
        apps.add(app);
        await app.register();
        return;
      }
      // Event streams come back by themselves.
      if (round > 0) return;
      const client = new ChatApiClient(proxy.url, name, { authorization: 'demo-secret' });
      await client.login();
      open.use(await client.events());
    }
    const live = (): number => nodes.reduce((sum, { delivery }) => sum + delivery.size, 0);

    await forAll(names, (name, i) => connect(name, i, 0));
    await until(() => live() === SESSIONS && offline.size === 0, 'everybody to be there', PATIENCE_MS);
    await until(() => page.frames.length >= 120, 'the page to see them', PATIENCE_MS);

    const [before, frames] = [events, page.frames.length];
    for (const proxy of proxies) proxy.cut();
    for (const { socket } of apps) socket.terminate();
    apps.clear();
    await until(() => live() < SESSIONS / 2, 'the cut', PATIENCE_MS);
    await forAll(names, (name, i) => connect(name, i, 1));
    await until(() => live() === SESSIONS, 'everybody to be back', PATIENCE_MS);
    expect([events - before, page.frames.length - frames]).toEqual([0, 0]);
    console.log(
      `${SESSIONS} sessions: ${before} events of watchers until all were there, ${events - before} when they were cut and came back`,
    );
  },
  2 * PATIENCE_MS,
);
