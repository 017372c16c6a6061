import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DurableEvent, TielineBell, TielineJournal, TielineStore } from '../../core/index.ts';
import type { JournalRange } from '../../core/journal/index.ts';
import { type Clock, every, type Ids } from '../../kit/index.ts';
import { lockSqlite } from './dialect/sqlite.ts';
import { figuresOf, type StoreFigures } from './figures.ts';
import { silentLog, type StoreLog } from './log.ts';
import { storeUnsupported } from './problems.ts';
import { createPostgresStore } from './postgres/store.ts';
import { ReadDesk } from './read-desk.ts';
import { ringing } from './ring.ts';
import { SETTLE_AFTER } from './settle.ts';
import { queryOf, type WorkerPart, type WrittenEntry } from './wire.ts';
import { readerCrossing, writerCrossing } from './pack.ts';
import { WorkerLink } from './worker-link.ts';
import { WriteDesk } from './write-desk.ts';

/** How long entries of the journal stand unless it is said otherwise (design §5). */
const RETENTION_MS = 7 * 24 * 3_600_000;
/** How often what has had its time is looked for. */
const SWEEP_MS = 60_000;
/** 16 characters of 32: two stores never have the same epoch. */
const EPOCH_LENGTH = 16;

export type StoreSqlOptions = ({ readonly file: string } | { readonly url: string }) & {
  readonly bell: TielineBell;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log?: StoreLog;
  readonly retentionMs?: number;
  /** How many journal entries gather before they are sorted into streams and mailboxes (settle.ts). */
  readonly settleAfter?: number;
};

export interface SqlStore {
  readonly store: TielineStore;
  readonly journal: TielineJournal;
  readonly figures: () => StoreFigures;
  /** Waits for what was asked, then closes. Idempotent. */
  close(): Promise<void>;
}

/** @throws store-unsupported | store-in-use | store-too-new, or what the database says. */
export async function createStoreSql(options: StoreSqlOptions): Promise<SqlStore> {
  const { clock, ids, bell, log = silentLog, retentionMs = RETENTION_MS, settleAfter = SETTLE_AFTER } = options;
  const freshId = (): string => ids.label(EPOCH_LENGTH);
  if ('url' in options && /^postgres(?:ql)?:/.test(options.url))
    return createPostgresStore({ url: options.url, bell, clock, log, retentionMs, freshId: freshId() });
  const file = fileOf(options);
  mkdirSync(dirname(file), { recursive: true });
  const lock = lockSqlite(file);
  // Made by hand so that it is its owner's alone; what SQLite makes beside it has the same rights.
  closeSync(openSync(file, 'a', 0o600));
  const part = (): WorkerPart => ({
    part: 'writer',
    file,
    retentionMs,
    settleAfter,
    freshEpoch: freshId(),
  });
  const writes = new WriteDesk({
    clock,
    log,
    onBatch: ringing(bell, log),
    link: (events) => new WorkerLink({ ...events, crossing: writerCrossing, part, clock, log }),
  });
  const reads = new ReadDesk(
    (events) =>
      new WorkerLink({ ...events, crossing: readerCrossing, part: () => ({ part: 'reader', file }), clock, log }),
  );
  try {
    await Promise.all([writes.open(), reads.open()]);
  } catch (error) {
    await closeAll(writes, reads);
    lock.release();
    throw error;
  }
  const sweeper = every(clock, SWEEP_MS, () => writes.sweep());
  let closing: Promise<void> | null = null;
  return {
    store: {
      write: (kind, input) => writes.write(kind, input),
      read: (kind, input) => reads.ask({ ask: 'query', query: queryOf(kind, input) }),
    },
    journal: journalOf(writes, reads),
    figures: () => figuresOf({ writes, reads, bounds: writes, isSequencer: true }),
    close() {
      sweeper.cancel();
      closing ??= closeAll(writes, reads).finally(() => lock.release());
      return closing;
    },
  };
}

/** The reader first: the last connection to go folds the write-ahead log into the file. */
async function closeAll(writes: WriteDesk, reads: ReadDesk): Promise<void> {
  await reads.close();
  await writes.close();
}

function journalOf(writes: WriteDesk, reads: ReadDesk): TielineJournal {
  return {
    get epoch() {
      return writes.epoch;
    },
    head: () => Promise.resolve(writes.head),
    oldest: () => Promise.resolve(writes.oldest),
    range: (range) => reads.ask<JournalRange<DurableEvent>>({ ask: 'range', range }),
    tail: ({ after, limit }) => reads.ask<readonly WrittenEntry[]>({ ask: 'tail', after, limit }),
  };
}

/** `sqlite:///path` as a URL means the file. */
function fileOf(options: { readonly file: string } | { readonly url: string }): string {
  if ('file' in options) return resolve(options.file);
  const path = /^(?:sqlite|file):(?:\/\/)?(.+)$/.exec(options.url)?.[1];
  if (path === undefined) throw storeUnsupported(options.url.replace(/:.*$/s, ''));
  return resolve(path);
}
