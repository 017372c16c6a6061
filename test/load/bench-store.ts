/** Stored messages a second through the store, beside a bare loop of batched inserts on the same disk in the same run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { directConversation } from '../../packages/server/src/core/conversations/index.ts';
import type { MessageId, UserId } from '../../packages/server/src/core/journal/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { findProgram } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';

export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** To the bare loop of the same round. */
  readonly ratio?: number;
  /** What `ratio` must not fall under. */
  readonly floor?: number;
}

const PAIRS = 200;
const ROUNDS = 3;
const ROUND_MS = 1_500;
const TEXT = 'x'.repeat(100);

const user = (n: number): UserId => n.toString(16).padStart(32, '0') as UserId;

/** One row a message, `batch` rows a transaction: what the database can do at this durability, without a product. */
function bareRate(folder: string, batch: number): number {
  const db = new DatabaseSync(join(folder, `bare-${batch}-${randomIds.label(6)}.db`));
  db.exec('pragma journal_mode=WAL; pragma synchronous=FULL');
  db.exec('create table m (id text primary key, conversation text, seq integer, sender text, at integer, body text)');
  const insert = db.prepare('insert into m values (?, ?, ?, ?, ?, ?)');
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ROUND_MS) {
    db.exec('begin');
    for (let i = 0; i < batch; i++, count++) {
      const sender = user(2 * (count % PAIRS));
      const conversation = directConversation(sender, user(2 * (count % PAIRS) + 1));
      insert.run(randomIds.sortable(Date.now()), conversation, count, sender, Date.now(), TEXT);
    }
    db.exec('commit');
  }
  const rate = count / ((performance.now() - start) / 1_000);
  db.close();
  return rate;
}

interface StoreRate {
  readonly rate: number;
  readonly commitsPerMessage: number;
}

/** `PAIRS` senders, each with `window` messages that are not acknowledged yet. */
async function storeRate(place: { file: string } | { url: string }, window: number): Promise<StoreRate> {
  const opened = await createStoreSql({ ...place, bell: createMemoryBell(), clock: systemClock, ids: randomIds });
  const start = performance.now();
  let count = 0;
  const lane = async (pair: number): Promise<void> => {
    const [sender, recipient] = [user(2 * pair), user(2 * pair + 1)];
    while (performance.now() - start < ROUND_MS) {
      const at = Date.now();
      const id = randomIds.sortable(at) as MessageId;
      const conversation = directConversation(sender, recipient);
      const rest = { resource: 'bench-1', at, type: 'text/plain', body: TEXT, attach: [], data: null } as const;
      await opened.store.write('conversations.append', {
        message: { id, conversation, sender, recipient, ...rest },
        tell: [recipient, sender],
        keepFor: [sender, recipient],
        idem: null,
      });
      count++;
    }
  };
  await Promise.all(Array.from({ length: PAIRS * window }, (_, i) => lane(i % PAIRS)));
  const rate = count / ((performance.now() - start) / 1_000);
  const { commits, units } = opened.figures();
  await opened.close();
  return { rate, commitsPerMessage: commits / units };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-bench-'));
  const rows: BenchRow[] = [];
  const postgres = POSTGRES_PROGRAMS.every((name) => findProgram(name)) ? await PostgresServer.start() : null;
  try {
    for (const window of [1, 8]) {
      const bare: number[] = [];
      const stored: StoreRate[] = [];
      const shared: StoreRate[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        bare.push(bareRate(folder, PAIRS * window));
        stored.push(await storeRate({ file: join(folder, `store-${window}-${randomIds.label(6)}.db`) }, window));
        if (postgres !== null) shared.push(await storeRate({ url: await postgres.createDatabase() }, window));
      }
      const value = median(stored.map(({ rate }) => rate));
      const name = `${PAIRS} senders, window ${window}`;
      rows.push({ name: `${name}: bare inserts`, value: median(bare), unit: 'rows/s' });
      rows.push({ name: `${name}: stored`, value, unit: 'messages/s', ratio: value / median(bare), floor: 0.1 });
      const commits = (rates: readonly StoreRate[]) => median(rates.map(({ commitsPerMessage }) => commitsPerMessage));
      rows.push({ name: `${name}: commits`, value: commits(stored), unit: 'commits/message' });
      if (shared.length === 0) continue;
      const onPostgres = median(shared.map(({ rate }) => rate));
      rows.push({
        name: `${name}: on PostgreSQL, × SQLite`,
        value: onPostgres,
        unit: 'messages/s',
        ratio: onPostgres / value,
      });
      rows.push({ name: `${name}: on PostgreSQL, commits`, value: commits(shared), unit: 'commits/message' });
    }
  } finally {
    await postgres?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
  return rows;
}

if (import.meta.main) console.table(await run());
