import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { NatsServer } from '../kit/nats-server.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';

/** Longer than a lease lasts, on a busy machine. */
const PATIENCE_MS = 60_000;

describeWithPeers(
  [...POSTGRES_PROGRAMS, 'nats-server'],
  'a TapiServer, and two processes on PostgreSQL and NATS',
  () => {
    test(
      'its holder is killed: the other takes over, calls end as lost; NATS goes and comes',
      { timeout: 240_000 },
      async () => {
        await using stack = new AsyncDisposableStack();
        const postgres = stack.use(await PostgresServer.start());
        const nats = stack.use(await NatsServer.start());
        const simulator = stack.use(new TapiServerSimulator({ hello: true }));
        await simulator.open();
        const blobs = await mkdtemp(join(tmpdir(), 'tieline-blobs-'));
        stack.defer(() => rm(blobs, { recursive: true, force: true }));
        const env = {
          TIELINE_DATABASE_URL: await postgres.createDatabase(),
          TIELINE_BUS_URL: nats.url,
          TIELINE_BLOBS_URL: pathToFileURL(blobs).href,
          TIELINE_SECRET_KEY: randomBytes(32).toString('base64'),
          TIELINE_TAPI_SERVER: `127.0.0.1:${simulator.port}`,
        };
        const holder = stack.use(await ServerProcess.start(env));
        await until(() => simulator.state.connected, 'the first to connect', PATIENCE_MS);
        const other = stack.use(await ServerProcess.start(env));
        const alice = await ChatApiClient.signIn(other.url, 'alice');
        await using events = await alice.events();
        const isListenedTo = () =>
          until(() => simulator.state.registered.join() === '201', 'alice to be listened to', PATIENCE_MS);
        const shows = (source: string, state: string) =>
          until(
            () => events.of('call').some(({ data }) => data['source'] === source && data['state'] === state),
            `${source} to be ${state}`,
            PATIENCE_MS,
          );
        await isListenedTo();

        simulator.ring('0606', '201');
        await shows('0606', 'RINGING');
        await nats.kill();
        simulator.say('CALLSTATE,7,CONNECTED,0606,201');
        await nats.start();
        // What was told while NATS was away is missed, and asked for.
        await shows('0606', 'ACTIVE');

        await until(
          async () => (await alice.ask('POST', '/chat/calls', { to: '800' })).status === 201,
          'a dial',
          PATIENCE_MS,
        );
        expect(simulator.state.log.filter(({ payload }) => payload === 'CALL,201,800')).toHaveLength(1);

        await holder.stop('SIGKILL');
        await until(() => simulator.state.connections === 2, 'the other to connect', PATIENCE_MS);
        await isListenedTo();
        simulator.ring('0707', '201');
        await shows('0707', 'RINGING');
        const { json } = await alice.ask('GET', '/chat/calls/history');
        expect(json['call']).toContainEqual(expect.objectContaining({ source: '0606', reason: 'lost' }));
        expect(simulator.state.violations).toEqual([]);
      },
    );
  },
);
