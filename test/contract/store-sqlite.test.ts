import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import type { Batch, NodeId } from '../../packages/server/src/core/index.ts';
import { ManualClock, randomIds } from '../../packages/server/src/kit/index.ts';
import { until } from '../kit/wait.ts';
import { sqlitePlace } from './sqlite-place.ts';
import { alice, bob, carol, guid, messageFrom, userNamed } from './store-samples.ts';
import { startWriter } from './store-writer.ts';

/** Every worker that was started, so that a test can end one. */
const { workers } = vi.hoisted(() => ({ workers: [] as Worker[] }));
vi.mock(import('node:worker_threads'), async (original) => {
  const real = await original();
  class Seen extends real.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      workers.push(this);
    }
  }
  return { ...real, Worker: Seen };
});

/** What no worker understands: it ends, as after any defect, before it looks at what was sent after this. */
const POISON = null;

type Place = Awaited<ReturnType<typeof sqlitePlace>>;
type Opened = Awaited<ReturnType<typeof createStoreSql>>;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  workers.length = 0;
});

async function newPlace(): Promise<Place> {
  const place = await sqlitePlace();
  cleanups.push(() => place.dispose());
  return place;
}

async function openAt(place: Place, clock = new ManualClock()): Promise<Opened> {
  const opened = await createStoreSql({ file: place.file, ids: randomIds, bell: createMemoryBell(), clock });
  cleanups.push(() => opened.close());
  return opened;
}

const codesOf = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code));

describe('SQLite: group commit', () => {
  test('what arrives together, or while a commit runs, is one commit', async () => {
    const { store, figures } = await openAt(await newPlace());
    await Promise.all(Array.from({ length: 300 }, () => store.write('conversations.append', messageFrom(alice, bob))));
    expect(figures()).toMatchObject({ commits: 1, units: 300, queueDepth: 0, failedUnits: 0, head: 600 });
    const first = store.write('conversations.append', messageFrom(alice, bob));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const late = Array.from({ length: 50 }, () => store.write('conversations.append', messageFrom(alice, bob)));
    await Promise.all([first, ...late]);
    expect(figures()).toMatchObject({ commits: 3, units: 351 });
  });

  test('writers with a window share commits', async () => {
    const { store, figures } = await openAt(await newPlace());
    const lane = async (sender: number) => {
      for (let i = 0; i < 25; i++) await store.write('conversations.append', messageFrom(guid(sender), bob));
    };
    await Promise.all(Array.from({ length: 16 * 8 }, (_, i) => lane(100 + (i % 16))));
    const { commits, units } = figures();
    expect(units).toBe(3_200);
    expect(commits / units).toBeLessThanOrEqual(0.1);
  });
});

describe('SQLite: positions', () => {
  test('it has rung, and the entries can be read, when the sender is told', async () => {
    const bell = createMemoryBell();
    const rung: Batch[] = [];
    bell.batches.add((batch) => rung.push(batch));
    const opened = await (await newPlace()).open({ bell, clock: new ManualClock() });
    cleanups.push(() => opened.close());
    for (let i = 0; i < 20; i++) {
      const { message } = await opened.store.write('conversations.append', messageFrom(alice, bob));
      expect(rung.at(-1)).toMatchObject({ last: await opened.journal.head() });
      const [entry] = await opened.journal.tail({ after: 2 * i, limit: 1 });
      expect(entry?.event).toEqual({ kind: 'message', message });
    }
  });
});

describe('SQLite: a worker dies', () => {
  test('the writer: pending changes are refused for a retry, a new one starts, nothing is left half', async () => {
    const place = await newPlace();
    const opened = await openAt(place);
    const { store, journal } = opened;
    await store.write('conversations.append', messageFrom(alice, bob));
    const pending = Array.from({ length: 200 }, (_, i) =>
      store.write('conversations.append', messageFrom(alice, bob, { idem: { key: `k${i}`, hash: 'h' } })),
    );
    workers[0]!.postMessage(POISON);
    await new Promise(setImmediate);
    const more = Array.from({ length: 10 }, () => store.write('conversations.append', messageFrom(alice, bob)));
    const codes = new Set(codesOf(await Promise.allSettled([...pending, ...more])));
    expect([...codes]).toEqual(['store-unavailable']);
    const again = await Promise.all(
      pending.map((_, i) =>
        store.write('conversations.append', messageFrom(alice, bob, { idem: { key: `k${i}`, hash: 'h' } })),
      ),
    );
    expect(again.map(({ message }) => message.seq)).toEqual(again.map((_, i) => i + 2));
    expect(await journal.head()).toBe(402);
    expect(await journal.tail({ after: 0, limit: 500 })).toHaveLength(402);
    expect(opened.figures()).toMatchObject({ restarts: 1, queueDepth: 0 });
  });

  test('the reader: pending questions are refused for a retry, a new one starts', async () => {
    const { store, figures } = await openAt(await newPlace());
    const { message } = await store.write('conversations.append', messageFrom(alice, bob));
    workers[1]!.postMessage(POISON);
    const pending = Array.from({ length: 20 }, () => store.read('conversations.message', { id: message.id }));
    expect(new Set(codesOf(await Promise.allSettled(pending)))).toEqual(new Set(['store-unavailable']));
    expect(await store.read('conversations.message', { id: message.id })).toEqual(message);
    expect(figures()).toMatchObject({ restarts: 1, readDepth: 0 });
  });

  test('a new one that can not be opened is tried again, later and later; changes are refused meanwhile', async () => {
    const place = await newPlace();
    const clock = new ManualClock();
    const { store, figures } = await openAt(place, clock);
    await store.write('conversations.append', messageFrom(alice, bob));
    await rename(place.file, `${place.file}.away`);
    await rename(`${place.file}-wal`, `${place.file}.away-wal`);
    await writeFile(place.file, 'this is no database, but it is long enough to look like one\n'.repeat(40));
    workers[0]!.postMessage(POISON);
    for (let tries = 1; tries <= 3; tries++) {
      const refused = store.write('conversations.append', messageFrom(alice, bob));
      await expect(refused).rejects.toMatchObject({ code: 'store-unavailable', retry: true });
      await until(() => clock.pending === 2, 'the next attempt to be planned');
      if (tries < 3) clock.advance(10_000);
    }
    await rename(`${place.file}.away`, place.file);
    await rename(`${place.file}.away-wal`, `${place.file}-wal`);
    clock.advance(10_000);
    const { message } = await store.write('conversations.append', messageFrom(alice, bob));
    expect(message.seq).toBe(2);
    expect(figures().restarts).toBe(4);
  });
});

describe('SQLite: whose database it is', () => {
  test('a second process is refused with a clear message; so is a second store of this one', async () => {
    const place = await newPlace();
    const opened = await openAt(place);
    const second = startWriter({ file: place.file, senders: 1, window: 1, messages: 1 });
    expect(await second.ended).toBe(3);
    expect(second.said).toEqual([expect.stringMatching(/^refused store-in-use .*database/)]);
    await expect(openAt(place)).rejects.toMatchObject({ code: 'store-in-use', subject: place.file });
    await opened.close();
    const third = startWriter({ file: place.file, senders: 1, window: 1, messages: 1 });
    expect(await third.ended).toBe(0);
  });

  test('a database of a newer version, and a file that is none, are refused and left alone', async () => {
    const place = await newPlace();
    await (await openAt(place)).close();
    const raw = new DatabaseSync(place.file);
    raw.exec("insert into kysely_migration (name, timestamp) values ('2999-01-01-later', '')");
    raw.close();
    const before = await readFile(place.file);
    await expect(openAt(place)).rejects.toMatchObject({ code: 'store-too-new', subject: '2999-01-01-later' });
    expect(await readFile(place.file)).toEqual(before);
    await writeFile(place.file, 'no database\n'.repeat(500));
    await expect(openAt(place)).rejects.toThrow(/not a database/);
    await rm(place.file);
    await openAt(place);
  });

  test('other kinds of addresses are refused', async () => {
    const parts = { ids: randomIds, bell: createMemoryBell(), clock: new ManualClock() };
    await expect(createStoreSql({ ...parts, url: 'mysql://user:secret@host/db' })).rejects.toMatchObject({
      code: 'store-unsupported',
      subject: 'mysql',
    });
    const { file } = await newPlace();
    const opened = await createStoreSql({ ...parts, url: `sqlite://${file}` });
    await opened.close();
    expect(await readFile(file)).not.toHaveLength(0);
  });
});

test('SQLite: keys of commands on calls stand for a day, and are gone then', async () => {
  const clock = new ManualClock();
  const { store } = await openAt(await newPlace(), clock);
  const claim = { key: 'k', hash: 'h', node: 'n' as string as NodeId };
  expect(await store.write('calls.claim', claim)).toBeNull();
  clock.advance(24 * 3_600_000 - 1);
  expect(await store.write('calls.claim', claim)).not.toBeNull();
  clock.advance(1);
  expect(await store.write('calls.claim', { ...claim, hash: 'other' })).toBeNull();
});

describe('SQLite: epoch', () => {
  test('a restored older copy is another store, and so is a copy without its high-water mark', async () => {
    const place = await newPlace();
    const copy = `${place.file}.copy`;
    const first = await openAt(place);
    await first.store.write('conversations.append', messageFrom(alice, bob));
    await first.close();
    await copyFile(place.file, copy);
    const second = await openAt(place);
    expect(second.journal.epoch).toBe(first.journal.epoch);
    await second.store.write('conversations.append', messageFrom(alice, bob));
    await second.close();
    await copyFile(copy, place.file);
    const restored = await openAt(place);
    expect(restored.journal.epoch).not.toBe(first.journal.epoch);
    await restored.close();
    await rm(`${place.file}.high-water`);
    const bare = await openAt(place);
    expect(bare.journal.epoch).not.toBe(restored.journal.epoch);
    await bare.close();
    expect((await openAt(place)).journal.epoch).toBe(bare.journal.epoch);
  });
});

describe('SQLite: what stays open', () => {
  test('after closing no worker, no timer, no lock is left', async () => {
    const place = await newPlace();
    const clock = new ManualClock();
    const opened = await openAt(place, clock);
    await opened.store.write('directory.add-user', userNamed('carol', carol));
    const ended = workers.map((worker) => once(worker, 'exit'));
    await opened.close();
    await Promise.all(ended);
    expect(clock.pending).toBe(0);
    expect(process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name))).toEqual([]);
    await rm(`${place.file}.lock`);
    await expect(readFile(`${place.file}-wal`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('closing while no worker can be opened does not wait for one', async () => {
    const place = await newPlace();
    const clock = new ManualClock();
    const opened = await openAt(place, clock);
    await rename(place.file, `${place.file}.away`);
    await rename(`${place.file}-wal`, `${place.file}.away-wal`);
    await writeFile(place.file, 'no database\n'.repeat(500));
    workers[0]!.postMessage(POISON);
    await until(() => clock.pending === 2, 'the next attempt to be planned');
    const late = opened.store.write('conversations.append', messageFrom(alice, bob));
    const refused = expect(late).rejects.toMatchObject({ code: 'store-unavailable' });
    await opened.close();
    await refused;
    expect(clock.pending).toBe(0);
  });

  test('closing while a worker is being started again ends it', async () => {
    const opened = await openAt(await newPlace());
    workers[0]!.postMessage(POISON);
    await until(() => workers.length === 3, 'another worker to start');
    await opened.close();
    await until(() => workers.every((worker) => worker.threadId === -1), 'all workers to end');
  });
});
