import { DatabaseSync } from 'node:sqlite';
import { DatabaseError, Pool } from 'pg';
import { Gate } from './gate.ts';
import { foundIn, type Lookup, type Row } from './model.ts';

/**
 * Connections to the other database (TM DB-1).
 * @peer waits
 * @test tapi-lookup: look-ups at once
 */
const MAX_CONNECTIONS = 5;
/**
 * Waiting lookups: every session of a full node at once.
 * @peer listen fails
 * @test tapi-lookup: look-ups at once
 */
const MAX_WAITING = 20_000;
/**
 * Rows looked at: one is expected, two show an ambiguity.
 * @peer not looked at
 * @test tapi-lookup: the original statement
 */
const MAX_ROWS = 100;
/** PostgreSQL: the session is no number where the column is one, or too long a number (TM DB-3: no such session). */
const NOT_OF_THE_TYPE = new Set(['22P02', '22003']);

export interface SqlLookupOptions {
  /** `postgres://…` or `sqlite:/path`. */
  readonly url: string;
  /** One statement with the bind `:s`; the telephone is in the column `phone` or `telefon`, or the only one. */
  readonly query: string;
  readonly timeoutMs: number;
  /** A connection broke while nobody used it. */
  readonly onTrouble: (error: unknown) => void;
}

/** Application sessions by a statement on another database. The session is bound, never written into the statement (TM DB-2). */
export function sqlLookup(options: SqlLookupOptions): Lookup {
  return options.url.startsWith('sqlite:') ? sqliteLookup(options) : postgresLookup(options);
}

/** Read only. A statement runs on the event loop: it is one look-up by key. */
function sqliteLookup({ url, query }: SqlLookupOptions): Lookup {
  const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
  const statement = database.prepare(query);
  const rowsOf = (session: string): readonly Row[] => {
    const rows: Row[] = [];
    for (const row of statement.iterate({ s: session })) if (rows.push(rowOf(row)) >= MAX_ROWS) break;
    return rows;
  };
  return {
    find: (session) => new Promise((resolve) => resolve(foundIn(rowsOf(session)))),
    close() {
      if (database.isOpen) database.close();
      return Promise.resolve();
    },
  };
}

function postgresLookup({ url, query, timeoutMs, onTrouble }: SqlLookupOptions): Lookup {
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 30_000,
    application_name: 'tieline-lookup',
  });
  pool.on('error', onTrouble);
  const gate = new Gate(MAX_CONNECTIONS, MAX_WAITING);
  const text = query.replace(/(?<!:):s\b/g, '$1');
  let closing: Promise<void> | null = null;
  return {
    async find(session, signal) {
      try {
        const { rows } = await gate.run(signal, () => pool.query<Record<string, unknown>>(text, [session]));
        return foundIn(rows.slice(0, MAX_ROWS).map(rowOf));
      } catch (error) {
        if (error instanceof DatabaseError && NOT_OF_THE_TYPE.has(error.code ?? '')) return null;
        throw error;
      }
    },
    close: () => (closing ??= pool.end()),
  };
}

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  const columns = Object.entries(row).map(([name, value]) => [name.toLowerCase(), value] as const);
  const named = columns.find(([name]) => name === 'phone' || name === 'telefon') ?? columns[0];
  const user = columns.find(([name]) => name === 'user' || name === 'user_name' || name === 'konto');
  return { phone: textOf(named?.[1]), user: textOf(user?.[1]) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}
