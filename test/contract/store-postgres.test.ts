import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql, renewEpochOfPostgres } from '../../packages/server/src/adapters/store-sql/index.ts';
import { PostgresConnection } from '../../packages/server/src/adapters/store-sql/dialect/postgres.ts';
import { LEASE_MS } from '../../packages/server/src/core/cluster/membership.ts';
import { ManualClock, randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { until } from '../kit/wait.ts';
import { type PostgresPlace, postgresPlace } from './postgres-place.ts';
import { storeContract } from './store.ts';
import { alice, bob, messageFrom, userNamed } from './store-samples.ts';

describeWithPeers(POSTGRES_PROGRAMS, 'PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  storeContract('PostgreSQL', () => postgresPlace(server));

  describe('PostgreSQL alone', () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });

    async function newPlace(): Promise<PostgresPlace> {
      const place = await postgresPlace(server);
      cleanups.push(() => place.dispose());
      return place;
    }

    async function openAt({ url }: { readonly url: string }, clock = new ManualClock()) {
      const warnings: string[] = [];
      const log = { warn: (text: string, fields = {}) => void warnings.push(`${text} ${JSON.stringify(fields)}`) };
      const opened = await createStoreSql({ url, bell: createMemoryBell(), clock, ids: randomIds, log });
      cleanups.push(() => opened.close());
      return { ...opened, warnings };
    }

    test('what arrives together, or while a commit runs, is one commit', async () => {
      const { store, figures } = await openAt(await newPlace());
      const send = () => store.write('conversations.append', messageFrom(alice, bob));
      await Promise.all(Array.from({ length: 300 }, send));
      expect(figures()).toMatchObject({ commits: 1, units: 300, queueDepth: 0, failedUnits: 0 });
      const first = send();
      await new Promise(setImmediate);
      await Promise.all([first, ...Array.from({ length: 50 }, send)]);
      expect(figures()).toMatchObject({ commits: 3, units: 351 });
    });

    test('more entries than one batch of positions are all given theirs, and rung', async () => {
      const place = await newPlace();
      const bell = createMemoryBell();
      let rung = 0;
      bell.batches.add(({ entries }) => (rung += entries.length));
      const opened = await place.open({ bell, clock: new ManualClock() });
      cleanups.push(() => opened.close());
      await Promise.all(
        Array.from({ length: 1_500 }, () => opened.store.write('conversations.append', messageFrom(alice, bob))),
      );
      await until(() => rung === 3_000, 'all entries');
      expect(await opened.journal.head()).toBe(3_000);
    });

    test('more statements than are kept prepared', async () => {
      const { store } = await openAt(await newPlace());
      const words = (n: number, m: number) => `${'x '.repeat(n)}${'y'.repeat(m)}`;
      const asks = Array.from({ length: 1_200 }, (_, i) => ({
        user: alice,
        limit: 5,
        ...(i % 2 === 0 ? { since: 1 } : {}),
        ...(i % 3 === 0 ? { until: 2 } : {}),
        ...(i % 5 === 0 ? { conversation: 'c' as never } : {}),
        keywords: words(i % 16, 1 + (i % 7)),
      }));
      for (const ask of asks) await store.read('conversations.history', ask);
      await store.write('conversations.append', messageFrom(alice, bob));
      expect(await store.read('conversations.history', { user: alice, limit: 5 })).toHaveLength(1);
    });

    test('a database of a newer version, and one that can not hold all text, are refused and left alone', async () => {
      const place = await newPlace();
      await (await openAt(place)).close();
      await place.ask("insert into kysely_migration (name, timestamp) values ('2999-01-01-later', '')");
      await expect(openAt(place)).rejects.toMatchObject({ code: 'store-too-new', subject: '2999-01-01-later' });
      await server.run("create database latin encoding 'LATIN1' template template0");
      await expect(openAt({ url: server.url('latin') })).rejects.toMatchObject({ code: 'store-unsupported' });
    });

    test('acknowledged is on disk, whatever the database says; what it may lose is said', async () => {
      const place = await newPlace();
      await place.ask('select 1');
      await server.run(`alter database ${place.name} set synchronous_commit = off`);
      const opened = await openAt(place);
      const { store, warnings } = opened;
      const { message } = await store.write('conversations.append', messageFrom(alice, bob));
      await server.kill();
      await opened.close();
      await server.start();
      const again = await openAt(place);
      expect(await again.store.read('conversations.message', { id: message.id })).toEqual(message);
      expect(warnings).toContainEqual(expect.stringContaining('fsync = off'));
    });

    test('connections of a node that is gone or frozen end soon, whatever they were about', async () => {
      const { url } = await newPlace();
      const connection = await PostgresConnection.open({ url, role: 'sequencer', onLost: () => undefined });
      cleanups.push(() => connection.close());
      const setting = async (name: string) =>
        (await connection.query<{ ms: number }>('select setting::int as ms from pg_settings where name = $1', [name]))
          .rows[0]?.ms;
      // Keep-alive says nothing while an answer waits to be taken; an advisory lock stands outside of transactions.
      expect(await setting('tcp_user_timeout')).toBe(11_000);
      // Who waits for the locks of such a node must not lose its own lease: renewals are three seconds apart.
      expect(await setting('idle_in_transaction_session_timeout')).toBeLessThanOrEqual(LEASE_MS - 2 * 3_000);
      expect(await setting('idle_session_timeout')).toBe(10_000);
    });

    test('a renewed epoch: a node that runs takes and tells nothing more when it reconnects, a new one goes on', async () => {
      const place = await newPlace();
      const clock = new ManualClock();
      const first = await openAt(place, clock);
      await first.store.write('directory.add-user', userNamed('alice', alice));
      await renewEpochOfPostgres(place.url);
      const second = await openAt(place);
      await server.run(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tieline %'",
      );
      expect(second.journal.epoch).not.toBe(first.journal.epoch);
      await until(() => !first.figures().isAvailable, 'the change to be noticed');
      const late = first.store.write('conversations.append', messageFrom(alice, bob));
      await expect(late).rejects.toMatchObject({ code: 'store-unavailable' });
      expect(first.warnings).toContainEqual(expect.stringContaining('another history'));
      await until(() => !first.figures().isSequencer, 'the office to be left');
      await until(async () => (await first.journal.head().catch(() => null)) === null, 'questions to be refused');
      await until(() => second.figures().isAvailable, 'the new one to be back');
      expect(await second.store.read('directory.user', { by: 'id', value: alice })).not.toBeNull();
    });

    test('nothing is left after closing: no connection, no timer', async () => {
      const place = await newPlace();
      const clock = new ManualClock();
      const opened = await openAt(place, clock);
      await opened.store.write('conversations.append', messageFrom(alice, bob));
      await opened.close();
      expect(clock.pending).toBe(0);
      const nodes = () => place.ask("select 1 from pg_stat_activity where application_name like 'tieline %'");
      await until(async () => (await nodes()).length === 0, 'the connections to go');
    });

    test('a PostgreSQL that is not there: opening fails, nothing goes on', async () => {
      const url = 'postgres://tieline@127.0.0.1:1/none';
      const parts = { url, bell: createMemoryBell(), clock: systemClock, ids: randomIds };
      await expect(createStoreSql(parts)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
  });
});
