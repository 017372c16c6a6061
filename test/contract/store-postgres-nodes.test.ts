import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql, type SqlStore } from '../../packages/server/src/adapters/store-sql/index.ts';
import type { Batch, TielineBell } from '../../packages/server/src/core/index.ts';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { CuttingProxy } from '../kit/cutting-proxy.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { isSoak } from '../kit/scale.ts';
import { until } from '../kit/wait.ts';
import { alice, bob, carol, guid, messageFrom, userNamed } from './store-samples.ts';

const PATIENCE_MS = 60_000;

interface Node extends SqlStore {
  readonly heard: Batch[];
}

/** What was acknowledged, in the order of the acknowledgements. */
interface Sent {
  readonly id: string;
  readonly conversation: string;
  readonly seq: number;
}

describeWithPeers(POSTGRES_PROGRAMS, 'PostgreSQL: several nodes, and faults', () => {
  let server: PostgresServer;
  const cleanups: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function openNode(url: string, bell: TielineBell = createMemoryBell()): Promise<Node> {
    const heard: Batch[] = [];
    bell.batches.add((batch) => heard.push(batch));
    const opened = await createStoreSql({ url, bell, clock: systemClock, ids: randomIds });
    cleanups.push(() => opened.close());
    return { ...opened, heard };
  }

  const named = (name: string): string =>
    `from pg_stat_activity where datname = current_database() and application_name like '${name}'`;

  /** Ends connections of nodes, by the name that they give themselves. */
  function endConnections(url: string, name: string, which = ''): Promise<unknown> {
    return server.run(`select pg_terminate_backend(pid) ${named(name)} ${which}`, url);
  }

  /** How many of them wait for a lock. */
  async function waiting(url: string, name: string): Promise<number> {
    return (await server.run(`select 1 ${named(name)} and wait_event_type = 'Lock'`, url)).length;
  }

  type Pairs = readonly (readonly [number, number])[];

  /** Sends `count` messages in pairs of users, sixteen at a time; what fails for now is sent again with its key. */
  async function sendAll(node: Node, count: number, pairs: Pairs, sent: Sent[] = []): Promise<Sent[]> {
    let left = count;
    const lane = async (n: number): Promise<void> => {
      while (left-- > 0) {
        const [from, to] = pairs[n % pairs.length]!;
        const input = messageFrom(guid(from), guid(to), { idem: { key: randomIds.label(20), hash: 'h' } });
        const { id, conversation, seq } = await repeated(async () => {
          const { message } = await node.store.write('conversations.append', input);
          return message;
        });
        sent.push({ id, conversation, seq });
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, n) => lane(n)));
    return sent;
  }

  /** As a client does: the same again with the same key, until it is known to be stored. */
  function repeated<T>(work: () => Promise<T>): Promise<T> {
    return until<T>(
      async () => {
        try {
          return await work();
        } catch (error) {
          if ((error as { code?: string }).code !== 'store-unavailable') throw error;
          return undefined;
        }
      },
      'the store to take it',
      PATIENCE_MS,
    );
  }

  /** Does `harm` whenever `every` more messages are acknowledged, until `total` are. */
  async function harmEvery(sent: readonly Sent[], every: number, total: number, harm: () => Promise<unknown>) {
    for (let next = every; next < total; next += every) {
      await until(() => sent.length >= next, `${next} messages`, PATIENCE_MS);
      await harm();
    }
  }

  /** Every entry once, in dense positions; each conversation's messages in the order of `seq`, without gaps; all of `sent`. */
  async function expectWhole(node: Node, sent: readonly Sent[]): Promise<readonly Batch['entries'][number][]> {
    const ids = new Set(sent.map(({ id }) => id));
    const found = new Set<string>();
    const entries: Batch['entries'][number][] = [];
    await until(
      async () => {
        for (;;) {
          const page = await repeated(() => node.journal.tail({ after: entries.length, limit: 500 }));
          entries.push(...page);
          for (const { event } of page) if (event.kind === 'message') found.add(event.message.id);
          if (page.length === 0) break;
        }
        return [...ids].every((id) => found.has(id));
      },
      'every acknowledged message in the journal',
      PATIENCE_MS,
    );
    expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
    const seqs = new Map<string, number>();
    const streams = new Set<string>();
    for (const { event, stream } of entries) {
      if (event.kind !== 'message') continue;
      const { id, conversation, seq } = event.message;
      expect(streams.has(`${stream} ${id}`)).toBe(false);
      streams.add(`${stream} ${id}`);
      const last = seqs.get(`${stream} ${conversation}`) ?? 0;
      expect(seq).toBe(last + 1);
      seqs.set(`${stream} ${conversation}`, seq);
    }
    const bySeq = new Map(sent.map((one) => [one.id, one.seq]));
    for (const { event } of entries)
      if (event.kind === 'message' && bySeq.has(event.message.id))
        expect(event.message.seq).toBe(bySeq.get(event.message.id));
    return entries;
  }

  test('two nodes start at once on an empty database, and are one store with one sequencer', async () => {
    const url = await server.createDatabase();
    const bell = createMemoryBell();
    const [a, b] = await Promise.all([openNode(url, bell), openNode(url, bell)]);
    expect(a.journal.epoch).toBe(b.journal.epoch);
    expect([a.figures().isSequencer, b.figures().isSequencer].sort()).toEqual([false, true]);
    await a.store.write('directory.add-user', userNamed('alice', alice));
    expect(await b.store.read('directory.user', { by: 'name', value: 'alice' })).toMatchObject({ id: alice });
    await expect(b.store.write('directory.add-user', userNamed('alice', bob))).rejects.toMatchObject({
      code: 'name-taken',
    });
  });

  test('two nodes write into the same conversations at once: one order, and both hear all of it', async () => {
    const url = await server.createDatabase();
    const bell = createMemoryBell();
    const [a, b] = await Promise.all([openNode(url, bell), openNode(url, bell)]);
    const pairs = [
      [1, 2],
      [2, 1],
      [2, 3],
      [3, 1],
    ] as const;
    const sent = (await Promise.all([sendAll(a, 400, pairs), sendAll(b, 400, [...pairs].reverse())])).flat();
    expect(sent).toHaveLength(800);
    const entries = await expectWhole(a, sent);
    expect(entries).toHaveLength(1_600);
    for (const { heard } of [a, b]) {
      await until(() => heard.at(-1)?.last === 1_600, 'the last batch', PATIENCE_MS);
      expect(heard.flatMap((batch) => batch.entries)).toEqual(entries);
    }
  });

  test('the same name, number and idempotency key on two nodes at once: one wins, the other learns of it', async () => {
    const url = await server.createDatabase();
    const bell = createMemoryBell();
    const [a, b] = await Promise.all([openNode(url, bell), openNode(url, bell)]);
    for (let round = 0; round < 10; round++) {
      const named = (id: number) => userNamed(`user${round}`, guid(id), { number: String(round) });
      const made = await Promise.allSettled([
        a.store.write('directory.add-user', named(1_000 + round)),
        b.store.write('directory.add-user', named(2_000 + round)),
      ]);
      const codes = made.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code)).sort();
      expect(codes).toEqual(['done', 'name-taken']);
      const idem = { key: `k${round}`, hash: 'h' };
      const sent = await Promise.all(
        [a, b].map(({ store }) => store.write('conversations.append', messageFrom(carol, bob, { idem }))),
      );
      expect(sent.map(({ isRepeat }) => isRepeat).sort()).toEqual([false, true]);
      expect(sent[0]!.message).toEqual(sent[1]!.message);
      const clash = await Promise.allSettled([
        a.store.write('conversations.append', messageFrom(alice, bob, { idem })),
        b.store.write('conversations.append', messageFrom(alice, carol, { idem: { ...idem, hash: 'other' } })),
      ]);
      expect(clash.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code)).sort()).toEqual([
        'done',
        'idempotency-conflict',
      ]);
    }
  });

  test('the sequencer loses its connection, again and again: another goes on, no position twice', async () => {
    const url = await server.createDatabase();
    const bell = createMemoryBell();
    const [a, b] = await Promise.all([openNode(url, bell), openNode(url, bell)]);
    const sent: Sent[] = [];
    const pairs = [
      [2, 3],
      [1, 2],
    ] as const;
    const writing = Promise.all([sendAll(a, 400, [[1, 2]], sent), sendAll(b, 400, pairs, sent)]);
    await harmEvery(sent, 80, 800, () => endConnections(url, 'tieline sequencer'));
    await writing;
    expect(await expectWhole(b, sent)).toHaveLength(1_600);
    await until(() => a.figures().isSequencer !== b.figures().isSequencer, 'one sequencer', PATIENCE_MS);
  });

  test('positions that can not be given for a while are given afterwards, over the same connection', async () => {
    const url = await server.createDatabase();
    const node = await openNode(url);
    const office = () => server.run(`select pid ${named('tieline sequencer')}`, url);
    const before = await office();
    await server.run('alter table entries add constraint full_disk check (position < 0) not valid', url);
    const sent = await sendAll(node, 200, [[1, 2]]);
    expect(await office()).toEqual(before);
    await server.run('alter table entries drop constraint full_disk', url);
    expect(await expectWhole(node, sent)).toHaveLength(400);
  });

  test('a deadlock over a new stream is one, whichever statement shows it', async () => {
    const url = await server.createDatabase();
    const { store } = await openNode(url);
    const other = new Client({ connectionString: url });
    cleanups.push(() => other.end());
    await other.connect();
    const [first, second] = [alice, bob].map((id) => userStream(id)).sort();
    const make = (id: string | undefined) => other.query('insert into streams (id) values ($1)', [id]);
    await other.query('begin');
    // So that it is the node that gives way.
    await other.query("set local deadlock_timeout = '1min'");
    await make(second);
    const sent = store.write('conversations.append', messageFrom(alice, bob));
    sent.catch(() => undefined);
    await until(async () => (await waiting(url, 'tieline writer')) === 1, 'the group to wait');
    await make(first);
    await other.query('commit');
    expect((await sent).message.seq).toBe(1);
  });

  test('the node that gives positions goes; the other takes over', async () => {
    const url = await server.createDatabase();
    const bell = createMemoryBell();
    const a = await openNode(url, bell);
    const b = await openNode(url, bell);
    expect([a.figures().isSequencer, b.figures().isSequencer]).toEqual([true, false]);
    const sent = await sendAll(a, 50, [[1, 2]]);
    await a.close();
    sent.push(...(await sendAll(b, 50, [[1, 2]])));
    await until(() => b.figures().isSequencer, 'the other to be elected', PATIENCE_MS);
    await expectWhole(b, sent);
  });

  test('PostgreSQL is killed, stopped and started again under a stream of writes', { timeout: 120_000 }, async () => {
    const url = await server.createDatabase();
    const node = await openNode(url);
    const pairs = [
      [1, 2],
      [3, 4],
    ] as const;
    const sent: Sent[] = [];
    const writing = sendAll(node, 2_000, pairs, sent);
    let isKill = false;
    await harmEvery(sent, 600, 2_000, async () => {
      isKill = !isKill;
      await (isKill ? server.kill() : server.stop());
      await until(() => !node.figures().isAvailable, 'the loss to be noticed', PATIENCE_MS);
      const read = node.store.read('directory.is-empty', null);
      await expect(read).rejects.toMatchObject({ code: 'store-unavailable', retry: true });
      await server.start();
      await until(() => node.figures().isAvailable, 'the return', PATIENCE_MS);
    });
    await writing;
    expect(sent).toHaveLength(2_000);
    await expectWhole(node, sent);
    expect(node.figures()).toMatchObject({ queueDepth: 0, readDepth: 0 });
  });

  test('a deadlock with somebody else is tried again, and not shown', async () => {
    const url = await server.createDatabase();
    const { store } = await openNode(url);
    const send = () =>
      [messageFrom(alice, bob), messageFrom(bob, carol)].map((m) => store.write('conversations.append', m));
    await Promise.all(send());
    const other = new Client({ connectionString: url });
    cleanups.push(() => other.end());
    await other.connect();
    const touch = (num: number) => other.query('update conversations set last_seq = last_seq where num = $1', [num]);
    await other.query('begin');
    await touch(2);
    const sent = Promise.all(send());
    await until(async () => (await waiting(url, 'tieline writer')) === 1, 'the group to wait');
    // Whoever of the two is made to give way: then the other goes on.
    await touch(1).then(
      () => other.query('commit'),
      () => other.query('rollback'),
    );
    expect((await sent).map(({ message }) => message.seq)).toEqual([2, 2]);
  });

  test('a question whose connection is lost is asked once more, elsewhere', async () => {
    const url = await server.createDatabase();
    const { store } = await openNode(url);
    const other = new Client({ connectionString: url });
    cleanups.push(() => other.end());
    await other.connect();
    await other.query('begin; lock table users');
    const endOne = async () => {
      await until(async () => (await waiting(url, 'tieline reader')) === 1, 'the question to wait');
      await endConnections(url, 'tieline reader', "and wait_event_type = 'Lock'");
    };
    const first = store.read('directory.is-empty', null);
    await endOne();
    await until(async () => (await waiting(url, 'tieline reader')) === 1, 'the question to wait again');
    await other.query('commit');
    expect(await first).toBe(true);
    await other.query('begin; lock table users');
    const second = expect(store.read('directory.is-empty', null)).rejects.toMatchObject({ code: 'store-unavailable' });
    await endOne();
    await endOne();
    await second;
    await other.query('commit');
    expect(await store.read('directory.is-empty', null)).toBe(true);
  });

  test('PostgreSQL closes every connection: changes go on by themselves', async () => {
    const url = await server.createDatabase();
    const node = await openNode(url);
    const first = await sendAll(node, 20, [[1, 2]]);
    await endConnections(url, 'tieline %');
    const second = await sendAll(node, 20, [[1, 2]]);
    await expectWhole(node, [...first, ...second]);
    expect(node.figures().restarts).toBeGreaterThan(0);
  });

  // Seconds of waiting for an answer: too long for every day.
  if (isSoak) test('a network that hangs is noticed, and what hung is repeated', { timeout: 120_000 }, networkHangs);

  async function networkHangs(): Promise<void> {
    const direct = await server.createDatabase();
    await using proxy = await CuttingProxy.to(server.port);
    const node = await openNode(direct.replace(`:${server.port}`, `:${proxy.port}`));
    const sent: Sent[] = [];
    const writing = sendAll(node, 300, [[1, 2]], sent);
    await until(() => sent.length > 100, 'some messages', PATIENCE_MS);
    proxy.swallow();
    await until(() => node.figures().restarts > 0, 'the hanging to be noticed', PATIENCE_MS);
    await writing;
    await expectWhole(node, sent);
    await node.close();
  }

  test('what a cut network leaves unknown is repeated with its key, and applied once', async () => {
    const direct = await server.createDatabase();
    await using proxy = await CuttingProxy.to(server.port);
    const url = direct.replace(`:${server.port}`, `:${proxy.port}`);
    const node = await openNode(url);
    const sent: Sent[] = [];
    const pairs = [
      [1, 2],
      [2, 1],
    ] as const;
    const writing = sendAll(node, 400, pairs, sent);
    await harmEvery(sent, 70, 400, () => Promise.resolve(proxy.cut()));
    await expectWhole(node, await writing);
    await node.close();
  });
});
