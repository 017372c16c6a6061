import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, sql, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely';
import { Lru } from '../../../kit/index.ts';
import { storeInUse } from '../problems.ts';
import type { Tables } from '../schema.ts';
import type { ColumnTypes, Connection, Fault } from './connection.ts';

/**
 * Prepared statements kept per connection; the writer's own need about sixty.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_STATEMENTS = 256;
/** Pages that the write-ahead log may grow to before it is folded into the file: 16 MiB. */
const CHECKPOINT_PAGES = 4_000;
/** 16 MiB of pages in memory per connection. */
const CACHE_KIB = 16_384;

const TYPES: ColumnTypes = {
  text: 'text',
  big: 'integer',
  flag: 'integer',
  numbered: (column) => column,
  clustered: sql`without rowid`,
  hasOneWriter: true,
};

/** `node:sqlite` in the shape that Kysely's dialect asks for, with statements prepared once per SQL text. */
class NodeSqlite implements SqliteDatabase {
  readonly raw: DatabaseSync;
  readonly #statements = new Lru<string, SqliteStatement>(MAX_STATEMENTS);

  constructor(raw: DatabaseSync) {
    this.raw = raw;
  }

  prepare(text: string): SqliteStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = adapt(this.raw.prepare(text));
    this.#statements.set(text, made);
    return made;
  }

  close(): void {
    this.#statements.clear();
    this.raw.close();
  }
}

function adapt(statement: StatementSync): SqliteStatement {
  // What Kysely hands over are the values of `Tables`: text, numbers and null.
  const values = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}

export function openSqlite(file: string, options: { readonly readOnly: boolean }): Connection {
  const raw = new DatabaseSync(file, { readOnly: options.readOnly, timeout: 5000 });
  raw.exec('pragma busy_timeout=5000; pragma foreign_keys=on; pragma temp_store=memory');
  raw.exec(`pragma cache_size=-${CACHE_KIB}`);
  if (!options.readOnly)
    raw.exec(`pragma journal_mode=WAL; pragma synchronous=FULL; pragma wal_autocheckpoint=${CHECKPOINT_PAGES}`);
  const sqlite = new NodeSqlite(raw);
  const run = (text: string) => (): void => void sqlite.prepare(text).run([]);
  return {
    db: new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) }),
    types: TYPES,
    begin: run(options.readOnly ? 'begin' : 'begin immediate'),
    commit: run('commit'),
    rollback: () => {
      if (raw.isTransaction) raw.exec('rollback');
    },
    savepoint: run('savepoint unit'),
    release: run('release unit'),
    rollbackToSavepoint: () => raw.exec('rollback to unit; release unit'),
    faultOf,
    close: () => sqlite.close(),
  };
}

const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
const BROKEN: ReadonlySet<number> = new Set([SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB]);

/** What is wrong with the file itself: it is none of SQLite's, or not a sound one. Null: something else is wrong. */
export function damageOf(error: unknown): 'no-database' | 'corrupt' | null {
  const code = primaryCode(error);
  return code === SQLITE_NOTADB ? 'no-database' : code === SQLITE_CORRUPT ? 'corrupt' : null;
}

function faultOf(error: unknown): Fault {
  const code = primaryCode(error);
  if (code === undefined) return 'foreign';
  return code === SQLITE_CONSTRAINT ? 'refusal' : BROKEN.has(code) ? 'broken' : 'trouble';
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/**
 * Holds the database for this process: positions and sequence numbers live in the writer's memory, a second writer would repeat
 * them. The lock is the operating system's, on a file of its own, so it goes with the process however that ends.
 * @throws store-in-use
 */
export function lockSqlite(file: string): { release(): void } {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    lock.exec('pragma busy_timeout=0; begin exclusive');
  } catch (error) {
    lock.close();
    throw storeInUse(file, error);
  }
  return { release: () => lock.close() };
}
