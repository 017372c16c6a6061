import { afterEach, describe, expect, test } from 'vitest';
import { directoryStream, userStream } from '../../packages/server/src/core/journal/index.ts';
import { until } from '../kit/wait.ts';
import { type Bench, benches, type MakePlace } from './store-place.ts';
import { alice, bob, callOf, carol, messageFrom, userNamed } from './store-samples.ts';

const HOUR_MS = 3_600_000;

export function journalContract(makePlace: MakePlace): void {
  describe('journal: reading', () => reading(makePlace));
  describe('journal: bell', () => bell(makePlace));
  describe('journal: retention and epoch', () => retention(makePlace));
}

/** Positions 1, 2: alice's and bob's; 3, 4: bob's and carol's; and so on in turns. */
async function fill(bench: Bench, messages: number): Promise<void> {
  const inputs = Array.from({ length: messages }, (_, i) =>
    i % 2 === 0 ? messageFrom(bob, alice) : messageFrom(carol, bob),
  );
  await Promise.all(inputs.map((input) => bench.store.write('conversations.append', input)));
}

function reading(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('an empty journal', async () => {
    const { journal } = await at.open();
    expect([await journal.head(), await journal.oldest()]).toEqual([0, 1]);
    expect(await journal.tail({ after: 0, limit: 5 })).toEqual([]);
    const ask = { streams: [userStream(alice)], after: 0, until: 0, limit: 5 };
    expect(await journal.range(ask)).toEqual({ entries: [], scannedTo: 0 });
  });

  test('positions are dense from 1, over every kind of entry and after reopening', async () => {
    const bench = await at.open();
    await bench.store.write('directory.add-user', userNamed('alice', alice));
    await fill(bench, 40);
    await bench.reopen();
    await Promise.all([
      bench.store.write('calls.record', { call: callOf(alice) }),
      bench.store.write('directory.add-user', userNamed('bob', bob)),
      fill(bench, 5),
    ]);
    const head = await bench.journal.head();
    expect(head).toBe(1 + 80 + 2 + 10);
    const entries = await bench.journal.tail({ after: 0, limit: 1_000 });
    expect(entries.map((entry) => entry.position)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
    expect(await bench.journal.tail({ after: 50, limit: 3 })).toEqual(entries.slice(50, 53));
    expect(await bench.journal.tail({ after: head, limit: 3 })).toEqual([]);
  });

  test('a range holds the asked streams, in order, between its bounds', async () => {
    const bench = await at.open();
    await fill(bench, 10);
    const all = await bench.journal.tail({ after: 0, limit: 100 });
    const asked = [alice, carol].map(userStream);
    const own = all.filter((entry) => asked.includes(entry.stream));
    const range = (after: number, end: number, limit: number) =>
      bench.journal.range({ streams: asked, after, until: end, limit });
    expect(await range(0, 20, 100)).toEqual({ entries: own, scannedTo: 20 });
    expect(await range(4, 10, 100)).toEqual({
      entries: own.filter(({ position }) => position > 4 && position <= 10),
      scannedTo: 10,
    });
    const page = await range(0, 20, 3);
    expect(page).toEqual({ entries: own.slice(0, 3), scannedTo: own[2]!.position });
    const none = await bench.journal.range({ streams: [directoryStream], after: 2, until: 9, limit: 5 });
    expect(none).toEqual({ entries: [], scannedTo: 9 });
    const twice = await bench.journal.range({ streams: [...asked, ...asked], after: 0, until: 20, limit: 100 });
    expect(twice.entries).toEqual(own);
  });

  test('what is not written yet is never counted as scanned', async () => {
    const bench = await at.open();
    await fill(bench, 2);
    const ask = { streams: [userStream(alice)], after: 0, until: 1_000, limit: 100 };
    expect(await bench.journal.range(ask)).toMatchObject({ scannedTo: 4 });
    expect(await bench.journal.range({ ...ask, after: 4 })).toEqual({ entries: [], scannedTo: 4 });
    await fill(bench, 2);
    expect((await bench.journal.range({ ...ask, after: 4 })).entries).toHaveLength(1);
  });

  test('walking page by page yields everything once', async () => {
    const bench = await at.open();
    await fill(bench, 60);
    const streams = [alice, bob, carol].map(userStream);
    const seen: number[] = [];
    for (let after = 0; after < 120;) {
      const page = await bench.journal.range({ streams, after, until: 120, limit: 7 });
      seen.push(...page.entries.map(({ position }) => position));
      after = page.scannedTo;
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });
}

function bell(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('every batch is whole, consecutive and what the journal holds', async () => {
    const bench = await at.open();
    await bench.store.write('directory.add-user', userNamed('alice', alice));
    for (let i = 0; i < 5; i++) await fill(bench, 20);
    await bench.store.write('calls.record', { call: callOf(alice) });
    await bench.caughtUp();
    const rung = bench.rung.flatMap(({ first, last, entries }) => {
      expect(entries.map(({ position }) => position)).toEqual(
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      );
      return entries;
    });
    expect(rung).toEqual(await bench.journal.tail({ after: 0, limit: 1_000 }));
  });
}

function retention(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('entries stand for their time; then the oldest moves, and what went is not passed over in silence', async () => {
    const bench = await at.open({ retentionMs: HOUR_MS });
    const { journal, clock } = bench;
    await fill(bench, 700);
    clock.advance(HOUR_MS / 2);
    await fill(bench, 10);
    expect(await journal.oldest()).toBe(1);
    clock.advance(HOUR_MS / 2 + 120_000);
    await until(async () => (await journal.oldest()) === 1_401, 'the oldest entries to go');
    expect(await journal.head()).toBe(1_420);
    const ask = { streams: [userStream(alice)], until: 1_420, limit: 10 };
    expect((await journal.range({ ...ask, after: 1_400 })).entries[0]?.position).toBe(1_401);
    await expect(journal.range({ ...ask, after: 1_399 })).rejects.toMatchObject({ code: 'resync', subject: 'expired' });
    await expect(journal.tail({ after: 0, limit: 1 })).rejects.toMatchObject({ code: 'resync' });
    expect(await bench.store.read('conversations.history', { user: bob, limit: 5 })).toHaveLength(5);
  });

  test('an emptied journal goes on where it was, also after reopening', async () => {
    const bench = await at.open({ retentionMs: HOUR_MS });
    await fill(bench, 3);
    bench.clock.advance(2 * HOUR_MS);
    await until(async () => (await bench.journal.oldest()) === 6, 'all entries but the last to go');
    await bench.reopen();
    expect(await bench.journal.head()).toBe(6);
    await fill(bench, 1);
    expect(await bench.journal.head()).toBe(8);
    expect(bench.rung.at(-1)).toMatchObject({ first: 7, last: 8 });
  });

  test('the epoch stays, and no two stores share one', async () => {
    const bench = await at.open();
    const { epoch } = bench.journal;
    expect(epoch).toMatch(/^[0-9a-z]{1,64}$/);
    await fill(bench, 3);
    await bench.reopen();
    expect(bench.journal.epoch).toBe(epoch);
    expect((await at.open()).journal.epoch).not.toBe(epoch);
  });
}
