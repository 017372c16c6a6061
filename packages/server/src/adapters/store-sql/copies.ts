import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { damageOf, lockSqlite, openSqlite } from './dialect/sqlite.ts';
import { appliedMigrations, refuseNewer } from './migrate.ts';
import { migrationsFor } from './migrations/index.ts';
import { noSuchDatabase, noTielineDatabase, storeDamaged, targetExists } from './problems.ts';

/**
 * More pages than a database can have: all are copied in one step, from one snapshot. In several steps a copy begins again with
 * each commit of the server, and would never end.
 */
const ALL_PAGES = 2 ** 31 - 1;
/** How long the database may be held by somebody else. */
const BUSY_MS = 5_000;

/** One whole, checked file. */
export interface Backup {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Copies a SQLite store to `target`: a new file, or a folder, where a name with `now` in it is chosen. Reads only, so a server may
 * have the store. Everything that was acknowledged before the call is in the copy.
 * @throws no-such-database | target-exists | no-tieline-database | store-too-new | store-damaged; then there is no new file
 */
export async function backUpSqlite(file: string, target: string, now: Date): Promise<Backup> {
  const isFolder = existsSync(target) && statSync(target).isDirectory();
  const wanted = isFolder ? join(target, `tieline-${stampOf(now)}.db`) : target;
  if (existsSync(wanted)) throw targetExists(wanted);
  const partial = `${wanted}.partial`;
  await copyChecked(file, partial);
  renameSync(partial, wanted);
  syncFolderOf(wanted);
  return { file: wanted, bytes: statSync(wanted).size };
}

/**
 * Puts a backup into the place of a SQLite store, and keeps beside it what stood there. The restored store has no epoch: the next
 * start gives it a new one, so that resume tokens of the meantime get a resync.
 * @returns where the former database is now; null: there was none
 * @throws store-in-use | no-such-database | no-tieline-database | store-too-new | store-damaged; then nothing has changed
 */
export async function restoreSqlite(file: string, from: string, now: Date): Promise<string | null> {
  mkdirSync(dirname(file), { recursive: true });
  const lock = lockSqlite(file);
  const staged = `${file}.restoring`;
  try {
    await copyChecked(from, staged);
    forgetEpoch(staged);
    const isFirst = !existsSync(file);
    // Whoever runs this, the server must be able to open it.
    const { uid, gid } = statSync(isFirst ? dirname(file) : file);
    chownSync(staged, uid, gid);
    const kept = isFirst ? null : keepAside(file, `${file}.replaced-${stampOf(now)}`);
    renameSync(staged, file);
    syncFolderOf(file);
    return kept;
  } finally {
    rmSync(staged, { force: true });
    lock.release();
  }
}

/** Lets the next start of a SQLite store give it a new epoch. @throws no-such-database | store-in-use */
export function renewEpochOfSqlite(file: string): void {
  if (!existsSync(file)) throw noSuchDatabase(file);
  const lock = lockSqlite(file);
  try {
    forgetEpoch(file);
  } finally {
    lock.release();
  }
}

/** Makes `to`, the copy of a sound Tieline database; where anything is wrong there is none. */
async function copyChecked(from: string, to: string): Promise<void> {
  if (!existsSync(from) || !statSync(from).isFile()) throw noSuchDatabase(from);
  // Left by an attempt that was killed.
  rmSync(to, { force: true });
  // Texts and sealed secrets are in it: its owner's alone, from the first byte on.
  closeSync(openSync(to, 'wx', 0o600));
  try {
    await copyPages(from, to);
    await check(to, from);
    syncFile(to);
  } catch (error) {
    for (const part of ['', '-journal', '-wal', '-shm']) rmSync(`${to}${part}`, { force: true });
    const damage = damageOf(error);
    if (damage === null) throw error;
    throw damage === 'corrupt' ? storeDamaged(from, error) : noTielineDatabase(from, error);
  }
}

async function copyPages(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
  try {
    await backup(source, to, { rate: ALL_PAGES });
    execute(to, 'pragma journal_mode=delete');
  } finally {
    source.close();
  }
}

/** `name`: what the file is called in complaints. */
async function check(file: string, name: string): Promise<void> {
  const connection = openSqlite(file, { readOnly: true });
  try {
    const [first = ''] = Object.keys(migrationsFor(connection.types));
    if (!(await appliedMigrations(connection)).includes(first)) throw noTielineDatabase(name);
    await refuseNewer(connection);
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(1)`.execute(connection.db);
    const verdict = rows[0]?.integrity_check;
    if (verdict !== 'ok') throw storeDamaged(name, verdict);
  } finally {
    await connection.close();
  }
}

/** Names the former database otherwise: one file with its log folded in, or, where it is damaged, as it lies there. */
function keepAside(file: string, kept: string): string {
  try {
    execute(file, 'pragma journal_mode=delete');
    // A link, and a rename over the old name: at no moment is there no database.
    linkSync(file, kept);
  } catch (error) {
    if (damageOf(error) === null) throw error;
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(`${file}${part}`)) renameSync(`${file}${part}`, `${kept}${part}`);
  }
  return kept;
}

function forgetEpoch(file: string): void {
  execute(file, "delete from meta where key = 'epoch'");
}

function execute(file: string, statement: string): void {
  const raw = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    raw.exec(statement);
  } finally {
    raw.close();
  }
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r+');
  fsyncSync(fd);
  closeSync(fd);
}

/** So that the name is on the disk, not only what it names. */
function syncFolderOf(file: string): void {
  const fd = openSync(dirname(file), 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** `20261127T221305Z` */
function stampOf(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '');
}
