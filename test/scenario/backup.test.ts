import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backUpSqlite, renewEpochOfSqlite, restoreSqlite } from '../../packages/server/src/adapters/store-sql/index.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

/** Messages in flight. */
const WINDOW = 8;
const PATIENCE_MS = 180_000;

let server: ServerProcess;
/** The server's. */
let database: string;
/** Backups lie here, apart from what the server keeps. */
let shelf: string;
beforeAll(async () => {
  server = await ServerProcess.start();
  database = join(server.data, 'tieline.db');
  shelf = join(server.data, 'backups');
  await mkdir(shelf);
}, PATIENCE_MS);
afterAll(() => server.close());

/** A stream of messages from alice to bob, until it is told to stop. `acknowledged`: their texts by id. */
function keepTalking(alice: ChatApiClient) {
  const acknowledged = new Map<string, string>();
  let isOver = false;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!isOver) {
      const text = `stream ${next++}`;
      acknowledged.set(await alice.say('bob', text), text);
    }
  };
  const lanes = Promise.all(Array.from({ length: WINDOW }, lane));
  const stop = async (): Promise<void> => {
    isOver = true;
    await lanes;
  };
  return { acknowledged, stop };
}

interface StoredMessage {
  readonly id: string;
  readonly seq: number;
  readonly body: string;
}

/** What is in a backup, read without a line of ours. */
function messagesIn(file: string): readonly StoredMessage[] {
  const raw = new DatabaseSync(file, { readOnly: true });
  expect(raw.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const rows = raw.prepare("select id, seq, body from messages where body like 'stream %' order by seq").all();
  raw.close();
  return rows.map(({ id, seq, body }) => ({ id: String(id), seq: Number(seq), body: String(body) }));
}

/** Names and contents of the server's files. Its lock says nothing. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name !== 'tieline.db.lock' && name !== 'backups').sort();
  const hashes = names.map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    return [name, hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

test(
  'a backup under a stream of writes holds all that was acknowledged before, and nothing half',
  async () => {
    const alice = await ChatApiClient.signIn(server.url, 'alice');
    const { acknowledged, stop } = keepTalking(alice);
    await until(() => acknowledged.size >= 300, '300 messages', PATIENCE_MS);
    const before = new Map(acknowledged);
    const file = join(shelf, 'busy.db');
    const { code, output } = await server.command('backup', file);
    expect(code, output).toBe(0);
    expect(output).toContain(`Wrote ${file} (`);
    expect(output).toContain(join(server.data, 'secret.key'));
    await until(() => acknowledged.size >= before.size + 300, 'the stream to go on', PATIENCE_MS);
    await stop();

    const stored = messagesIn(file);
    const kept = new Map(stored.map(({ id, body }) => [id, body]));
    expect([...before].filter(([id, body]) => kept.get(id) !== body)).toEqual([]);
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
    expect(await readdir(shelf)).toEqual(['busy.db']);
  },
  PATIENCE_MS,
);

test(
  'what can be no backup, and a running server, are refused, and everything stays as it was',
  async () => {
    const good = join(shelf, 'good.db');
    await backUpSqlite(database, good, new Date());
    const elsewhere = join(shelf, 'another machine', 'tieline.db');
    expect(await restoreSqlite(elsewhere, good, new Date())).toBeNull();
    expect(await readFile(elsewhere)).not.toHaveLength(0);
    await expect(backUpSqlite(database, good, new Date())).rejects.toMatchObject({ code: 'target-exists' });
    expect(await server.command('restore', good)).toMatchObject({
      code: 1,
      output: expect.stringContaining('Another process has this database open'),
    });

    await server.stop();
    const before = await contentsOf(server.data);
    const variant = async (name: string, change: (file: string) => unknown): Promise<string> => {
      const file = join(shelf, name);
      await copyFile(good, file);
      await change(file);
      return file;
    };
    const wrong: readonly [string, string][] = [
      [await variant('text.db', (file) => writeFile(file, 'no database\n'.repeat(500))), 'no-tieline-database'],
      [await variant('empty.db', (file) => writeFile(file, '')), 'no-tieline-database'],
      [await variant('other.db', execute('drop table kysely_migration')), 'no-tieline-database'],
      [await variant('newer.db', execute(NEWER)), 'store-too-new'],
      [await variant('damaged.db', damage), 'store-damaged'],
      [join(shelf, 'nothing.db'), 'no-such-database'],
      [shelf, 'no-such-database'],
    ];
    for (const [file, code] of wrong)
      await expect(restoreSqlite(database, file, new Date()), file).rejects.toMatchObject({ code });
    expect(await contentsOf(server.data)).toEqual(before);
    await server.start();
  },
  PATIENCE_MS,
);

/** What a later version's migration leaves. */
const NEWER = "insert into kysely_migration (name, timestamp) values ('2999-01-01-later', '')";

function execute(sql: string): (file: string) => void {
  return (file) => {
    const raw = new DatabaseSync(file);
    raw.exec(sql);
    raw.close();
  };
}

/** Overwrites the upper half of the pages: nothing that a look at the first page would show. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes.fill(0xa5, bytes.length >> 1);
  await writeFile(file, bytes);
}

test(
  'after a restore the store is as it was, and clients that know more are told to load anew',
  async () => {
    const alice = await ChatApiClient.signIn(server.url, 'alice');
    const bob = await ChatApiClient.signIn(server.url, 'bob');
    await alice.say('bob', 'in the backup');
    const { file } = await backUpSqlite(database, shelf, new Date());
    expect(file).toMatch(/tieline-\d{8}T\d{6}Z\.db$/);

    await using events = await bob.events();
    const late = await alice.say('bob', 'after the backup');
    await events.take(({ data }) => data.body === 'after the backup');
    const place = events.lastId;
    expect(place).not.toBe('');
    await server.stop();
    const restored = await server.command('restore', file);
    expect(restored.code, restored.output).toBe(0);
    const kept = /What was there before: (\S+)/.exec(restored.output)?.[1] ?? '';
    await server.start();

    // The page's own EventSource has come back by itself, with the place where it was.
    await events.take(({ event }) => event === 'reset', 'the reset on SSE');
    await using page = await StompApp.signIn(server.port, 'bob');
    page.subscribe('/user/queue/errors');
    page.subscribe('/user/queue/messages', { resume: place });
    expect((await page.take(({ destination }) => destination === '/user/queue/errors')).json).toMatchObject({
      code: 'resync',
    });
    await using app = await PbxApp.signIn(server.port, { sip: 'bob' });
    await app.register({ hw: 'chat-bob', resume: place });
    await app.take(({ mt }) => mt === 'Resync');

    const bodies = async (): Promise<readonly string[]> =>
      (await alice.history('/chat/messages?to=bob&max=3')).map(({ body }) => String(body));
    expect(await bodies()).toContain('in the backup');
    expect(await bodies()).not.toContain('after the backup');
    await alice.say('bob', 'life goes on');
    await events.take(({ data }) => data.body === 'life goes on');
    const former = new DatabaseSync(kept, { readOnly: true });
    expect(former.prepare('select body from messages where id = ?').get(late)).toEqual({ body: 'after the backup' });
    former.close();
  },
  PATIENCE_MS,
);

test(
  'a damaged database is put aside with its log, and the backup takes its place',
  async () => {
    const file = join(shelf, 'sound.db');
    await backUpSqlite(database, file, new Date());
    await server.stop('SIGKILL');
    await writeFile(database, 'no database\n'.repeat(500));
    const log = await readFile(`${database}-wal`);
    const kept = (await restoreSqlite(database, file, new Date())) ?? '';
    expect(await readFile(kept, 'utf8')).toContain('no database');
    expect(await readFile(`${kept}-wal`)).toEqual(log);
    await server.start();
    await ChatApiClient.signIn(server.url, 'alice');
  },
  PATIENCE_MS,
);

test(
  'a store that was put back by other means gets a new epoch on demand',
  async () => {
    const bob = await ChatApiClient.signIn(server.url, 'bob');
    const alice = await ChatApiClient.signIn(server.url, 'alice');
    await using events = await bob.events();
    await alice.say('bob', 'one more');
    await events.take(({ data }) => data.body === 'one more');
    expect(() => renewEpochOfSqlite(database)).toThrow('Another process has this database open');
    await server.stop();
    expect(await server.command('restore', '--new-epoch')).toMatchObject({ code: 0 });
    await server.start();
    await events.take(({ event }) => event === 'reset', 'the reset');
  },
  PATIENCE_MS,
);

test(
  'a database of a newer version is refused at the start, with what to do',
  async () => {
    await server.stop();
    execute(NEWER)(database);
    const { code, output } = await server.command('serve');
    expect(code).toBe(1);
    expect(output).toContain(
      '2999-01-01-later: The database was made by a newer version of Tieline. ' +
        'Start that version again, or restore a backup that was made before the upgrade.\n',
    );
  },
  PATIENCE_MS,
);
