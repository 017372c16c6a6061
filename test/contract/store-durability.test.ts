import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import type { MessageId } from '../../packages/server/src/core/journal/index.ts';
import { ManualClock, reasonOf } from '../../packages/server/src/kit/index.ts';
import { describeWithPeers, findProgram } from '../kit/peer.ts';
import { scaled, seeded, seedOf } from '../kit/scale.ts';
import { until } from '../kit/wait.ts';
import { sqlitePlace } from './sqlite-place.ts';
import { type Acknowledged, startWriter, type StoreWriter } from './store-writer.ts';

/** How many commits a message may cost with many senders (design §10). */
const MAX_COMMITS_PER_MESSAGE = 0.1;
/** What a slow disk takes for a sync. */
const SYNC_MICROSECONDS = 2_000;

let place: Awaited<ReturnType<typeof sqlitePlace>>;
let writer: StoreWriter | null = null;
beforeEach(async () => {
  place = await sqlitePlace();
});
afterEach(async () => {
  writer?.process.kill('SIGKILL');
  await writer?.ended;
  writer = null;
  await place.dispose();
});

/** Every acknowledged message stands, each conversation without gaps, the journal dense. Returns the epoch. */
async function expectAllThere(acknowledged: readonly Acknowledged[]): Promise<string> {
  const opened = await place.open({ clock: new ManualClock(), bell: createMemoryBell() });
  const { store, journal } = opened;
  const found = await Promise.all(
    acknowledged.map(({ id }) => store.read('conversations.message', { id: id as MessageId })),
  );
  expect(found.map((message) => message && `${message.id} ${message.conversation} ${message.seq}`)).toEqual(
    acknowledged.map(({ id, conversation, seq }) => `${id} ${conversation} ${seq}`),
  );
  const seqs = new Map<string, number>();
  let after = 0;
  for (;;) {
    const entries = await journal.tail({ after, limit: 500 });
    for (const { position, event } of entries) {
      expect(position).toBe(++after);
      if (event.kind !== 'message' || position % 2 === 0) continue;
      const { conversation, seq } = event.message;
      expect(seq).toBe((seqs.get(conversation) ?? 0) + 1);
      seqs.set(conversation, seq);
    }
    if (entries.length === 0) break;
  }
  expect(after).toBe(await journal.head());
  await opened.close();
  return journal.epoch;
}

describe('durability: the process dies', () => {
  test('every acknowledged message is there after kill -9, again and again', async () => {
    const random = seeded(seedOf('store kill'));
    const acknowledged: Acknowledged[] = [];
    const epochs = new Set<string>();
    for (let round = 0; round < scaled({ verify: 3, soak: 40 }); round++) {
      writer = startWriter({ file: place.file, senders: 4, window: 8, messages: 0 });
      const enough = 1 + Math.floor(random() * 1_500);
      const { acknowledged: own, process: child } = writer;
      await until(() => own.length >= enough, `${enough} acknowledgements`, 60_000);
      child.kill('SIGKILL');
      await writer.ended;
      acknowledged.push(...own);
      epochs.add(await expectAllThere(acknowledged));
    }
    expect(epochs.size).toBe(1);
  }, 200_000);
});

interface Trace {
  /** Line in which the first part of a message was written to the file, and that file. */
  readonly written: Map<string, { readonly line: number; readonly fd: string }>;
  /** Lines in which a sync of this file had returned. */
  readonly synced: { readonly line: number; readonly fd: string }[];
  readonly told: Map<string, number>;
}

/** Reads what strace wrote: one system call a line, in the order in which they happened. */
async function readTrace(file: string): Promise<Trace> {
  const trace: Trace = { written: new Map(), synced: [], told: new Map() };
  const syncing = new Map<string, string>();
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    line++;
    const [, thread = '', call = ''] = /^([0-9]+) +(.*)$/.exec(text) ?? [];
    const [, fd = '', data = ''] = /^pwrite64\(([0-9]+), (.*)/.exec(call) ?? [];
    for (const [, id = ''] of data.matchAll(/#([0-9a-z]{26})#/g))
      if (!trace.written.has(id)) trace.written.set(id, { line, fd });
    const told = /^write\(1, "ack ([0-9a-z]{26}) /.exec(call)?.[1];
    if (told !== undefined) trace.told.set(told, line);
    const sync = /^f(?:data)?sync\(([0-9]+)(\) += 0| <unfinished)/.exec(call);
    if (sync?.[2] === ' <unfinished') syncing.set(thread, sync[1]!);
    else if (sync !== null) trace.synced.push({ line, fd: sync[1]! });
    if (/^<\.\.\. f(?:data)?sync resumed>\) += 0/.test(call)) trace.synced.push({ line, fd: syncing.get(thread)! });
  }
  return trace;
}

/** The exit code; where it does not come, what the process had done by then. */
async function endOf({ ended, acknowledged, said }: StoreWriter, traceFile: string): Promise<number | null> {
  let code: number | null | undefined;
  void ended.then((value) => (code = value));
  try {
    await until(() => code !== undefined, 'the writing process to end', 60_000);
  } catch (error) {
    const calls = await readFile(traceFile, 'latin1').catch(reasonOf);
    const last = calls
      .split('\n')
      .slice(-10)
      .map((line) => line.slice(0, 100));
    throw new Error(`${acknowledged.length} acknowledged, said ${said.join()}; ${last.join('\n')}`, { cause: error });
  }
  return code ?? null;
}

describeWithPeers(['strace'], 'durability: the disk', () => {
  test('each acknowledgement comes after the sync of its message; a commit serves many messages', async () => {
    const messages = scaled({ verify: 2_000, soak: 20_000 });
    const file = `${place.file}.trace`;
    writer = startWriter({ file: place.file, senders: 16, window: 8, messages }, [
      findProgram('strace')!,
      ...['-f', '-s', '4200', '-o', file],
      ...['-e', 'trace=fsync,fdatasync,write,pwrite64'],
      ...['-e', `inject=fsync,fdatasync:delay_enter=${SYNC_MICROSECONDS}`],
    ]);
    expect(await endOf(writer, file)).toBe(0);
    const { written, synced, told } = await readTrace(file);
    expect(told.size).toBe(messages);
    const early = [...told].filter(([id, toldAt]) => {
      const at = written.get(id);
      return at === undefined || !synced.some(({ line, fd }) => fd === at.fd && line > at.line && line < toldAt);
    });
    expect(early).toEqual([]);
    const [, commits, units] = /^done ([0-9]+) ([0-9]+)$/.exec(writer.said.at(-1) ?? '') ?? [];
    expect(Number(units)).toBe(messages);
    expect(Number(commits) / messages).toBeLessThanOrEqual(MAX_COMMITS_PER_MESSAGE);
    expect(synced.length / messages).toBeLessThanOrEqual(MAX_COMMITS_PER_MESSAGE);
    await expectAllThere(writer.acknowledged);
  }, 90_000);
});
