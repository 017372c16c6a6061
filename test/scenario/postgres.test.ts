import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdministration } from '../../packages/server/src/administration.ts';
import { type Config, loadConfig } from '../../packages/server/src/config/index.ts';
import { startServer } from '../../packages/server/src/main.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { until } from '../kit/wait.ts';

const PATIENCE_MS = 60_000;

describeWithPeers(POSTGRES_PROGRAMS, 'a node on PostgreSQL', () => {
  let server: PostgresServer;
  let folder: string;
  beforeAll(async () => {
    server = await PostgresServer.start();
    folder = await mkdtemp(join(tmpdir(), 'tieline-node-'));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const configOf = (database: string): Config =>
    loadConfig({
      env: {
        TIELINE_DEMO: '1',
        TIELINE_DATABASE_URL: database,
        TIELINE_BLOBS_URL: `file://${folder}/blobs`,
        TIELINE_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        TIELINE_DATA: folder,
        TIELINE_LOG_LEVEL: 'error',
        TIELINE_HTTP_DRAIN_MS: '200',
        PORT: '0',
        SIP_PORT: '0',
      },
    });
  const isReady = async (url: string): Promise<boolean> => (await fetch(`${url}/readyz`)).status === 200;

  test('accounts are made while it runs, and can log in at once', async () => {
    const config = configOf(await server.createDatabase());
    await using node = await startServer(config);
    await using administration = await openAdministration(config);
    await administration.addUser({ name: 'eve', displayName: 'Eve', number: '299', password: 'demo' });
    const alice = await ChatApiClient.signIn(node.url, 'alice');
    const eve = await ChatApiClient.signIn(node.url, 'eve');
    await using events = await eve.events();
    await alice.say('eve', 'welcome');
    await until(() => events.bodies.includes('welcome'), 'the message');
  });

  test(
    'PostgreSQL goes and comes back: the node says so, and chat goes on where it was',
    { timeout: 120_000 },
    async () => {
      await using node = await startServer(configOf(await server.createDatabase()));
      const alice = await ChatApiClient.signIn(node.url, 'alice');
      const bob = await ChatApiClient.signIn(node.url, 'bob');
      await using events = await bob.events();
      await alice.say('bob', 'before');
      await until(() => events.bodies.includes('before'), 'the first message');
      expect(await isReady(node.url)).toBe(true);
      await server.kill();
      await until(async () => !(await isReady(node.url)), 'the node to be unready', PATIENCE_MS);
      await expect(alice.say('bob', 'into the void')).rejects.toThrow('503');
      await server.start();
      await until(() => isReady(node.url), 'the node to be ready', PATIENCE_MS);
      await alice.say('bob', 'after');
      await until(() => events.bodies.includes('after'), 'the next message', PATIENCE_MS);
      expect(events.bodies).toEqual(['before', 'after']);
    },
  );
});
