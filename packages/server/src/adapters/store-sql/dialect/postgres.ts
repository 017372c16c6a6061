import { Kysely, PostgresDialect, type PostgresPoolClient, sql } from 'kysely';
import { Client, DatabaseError, type QueryResultRow, types } from 'pg';
import { reasonOf } from '../../../kit/index.ts';
import { storeUnsupported } from '../problems.ts';
import type { Tables } from '../schema.ts';
import type { ColumnTypes, Connection, Fault } from './connection.ts';

/** Making a connection, login included. */
const CONNECT_MS = 5_000;
/** A statement of ours takes milliseconds; one that waits this long for a lock or the disk is given up by the database. */
const STATEMENT_MS = 10_000;
/** No answer for this long: the network hangs, and the connection is given up here. */
const ANSWER_MS = STATEMENT_MS + 5_000;
/**
 * A transaction that its node has left open: its locks go after this time. A group of another node that waits for them keeps
 * that node's lease waiting, too: with the time between two renewals it must stay below a lease (core/cluster/membership.ts).
 */
const IDLE_IN_TRANSACTION_MS = 4_000;
/** A sequencer asks every second: one that is silent for so long is frozen, and its office goes to another node. */
const IDLE_SEQUENCER_MS = 10_000;
/**
 * Statements prepared on one connection; it needs about eighty. Others are planned each time.
 * @peer nothing to notice
 * @test store-postgres: more statements than are kept prepared
 */
const MAX_STATEMENTS = 256;

const TYPES: ColumnTypes = {
  text: sql`text collate "C"`,
  big: 'bigint',
  flag: 'smallint',
  numbered: (column) => column.generatedByDefaultAsIdentity(),
  clustered: sql``,
  hasOneWriter: false,
};

/**
 * The database notices within eleven seconds that this machine is gone, so that what it held locked is free for others: by
 * keep-alive while the connection is quiet, by the user timeout where an answer is on its way, which keep-alive does not see.
 */
const SESSION = `set client_encoding = 'UTF8'; set standard_conforming_strings = on;
  set default_transaction_isolation = 'read committed';
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 11000;
  set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;

export type Role = 'writer' | 'reader' | 'sequencer' | 'migration';

export interface PostgresOptions {
  readonly url: string;
  readonly role: Role;
  /** Called once, when the connection has ended without `close`. */
  readonly onLost: (reason: string) => void;
}

/**
 * One connection to PostgreSQL. Statements are sent as they come, without waiting for the ones before; the database answers
 * in their order. Words of a transaction that need no answer don't wait for one: what they say shows with the next that does.
 */
export class PostgresConnection implements Connection {
  readonly db: Kysely<Tables>;
  readonly types = TYPES;
  readonly #client: Client;
  readonly #role: Role;
  readonly #onLost: (reason: string) => void;
  readonly #names = new Map<string, string>();
  #sent: Promise<unknown>[] = [];
  #state: 'open' | 'lost' | 'closed' = 'open';

  private constructor(client: Client, { role, onLost }: PostgresOptions) {
    this.#client = client;
    this.#role = role;
    this.#onLost = onLost;
    client.on('error', (error) => this.#lose(error.message));
    client.on('end', () => this.#lose('the connection has ended'));
    // Kysely asks a pool for connections; here it is always this one.
    const query: unknown = (text: string, values: readonly unknown[]) => this.query(text, values);
    const pooled: PostgresPoolClient = { query: query as PostgresPoolClient['query'], release: () => undefined };
    const pool = { connect: () => Promise.resolve(pooled), end: () => Promise.resolve(), options: {} };
    this.db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  }

  static async open(options: PostgresOptions): Promise<PostgresConnection> {
    const isMigration = options.role === 'migration';
    const client = clientOf(options.url, options.role);
    // A connection that fails while it is made says so twice: to `connect`, and here.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(isMigration ? SESSION : `${SESSION}; set statement_timeout = ${STATEMENT_MS}`);
      if (options.role === 'sequencer') await client.query(`set idle_session_timeout = ${IDLE_SEQUENCER_MS}`);
      const { rows } = await client.query<{ standby: boolean; encoding: string; sync: string }>(
        `select pg_is_in_recovery() as standby, current_setting('server_encoding') as encoding,
          current_setting('synchronous_commit') as sync`,
      );
      const [found] = rows;
      if (found?.encoding !== 'UTF8') throw storeUnsupported(`PostgreSQL with encoding ${found?.encoding ?? '?'}`);
      if (found.standby) throw new Error('this PostgreSQL is a standby');
      // Acknowledged is on disk, whatever the database, the role or the address say.
      if (found.sync === 'off') await client.query('set synchronous_commit = on');
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    return new PostgresConnection(client, options);
  }

  /** Sends a statement, prepared on its first use. */
  async query<R extends QueryResultRow = QueryResultRow>(text: string, values: readonly unknown[] = []) {
    try {
      const name = this.#nameOf(text);
      return await this.#client.query<R>({
        text,
        values: this.#role === 'reader' ? values.map(askable) : [...values],
        ...(name === undefined ? {} : { name }),
      });
    } catch (error) {
      // What is neither the database's word nor a value that can't be sent is the end of the connection.
      if (!(error instanceof DatabaseError) && !(error instanceof TypeError)) this.#lose(reasonOf(error));
      throw error;
    }
  }

  /** Sends a statement and does not wait: its failure is thrown by `settled`, and by every word that waits. */
  send(text: string, values: readonly unknown[] = []): void {
    const sent = this.query(text, values);
    sent.catch(() => undefined);
    this.#sent.push(sent);
  }

  /** Waits for everything that was sent; throws the first failure. */
  async settled(): Promise<void> {
    const sent = this.#sent;
    this.#sent = [];
    for (const one of sent) await one;
  }

  begin(): void {
    this.#sent = [];
    this.send(this.#role === 'reader' ? 'begin isolation level repeatable read read only' : 'begin');
  }

  async commit(): Promise<void> {
    const committed = this.query('commit');
    committed.catch(() => undefined);
    await this.settled();
    const { command } = await committed;
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
  }

  async rollback(): Promise<void> {
    this.send('rollback');
    // A reader has nothing to wait for: its next question comes after.
    if (this.#role !== 'reader') await this.#sent.pop();
    this.#sent = [];
  }

  async savepoint(): Promise<void> {
    await this.settled();
    this.send('savepoint unit');
  }

  async release(): Promise<void> {
    await this.settled();
    this.send('release savepoint unit');
  }

  async rollbackToSavepoint(): Promise<void> {
    this.#sent = [];
    this.send('rollback to savepoint unit');
    this.send('release savepoint unit');
    await this.settled();
  }

  faultOf(error: unknown): Fault {
    if (this.#state === 'lost') return 'broken';
    return error instanceof DatabaseError ? faultOf(error) : 'foreign';
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    await this.#client.end();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** For a connection that can't be trusted. */
  drop(reason: string): void {
    this.#lose(reason);
  }

  #lose(reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'lost';
    this.#client.end().catch(() => undefined);
    this.#onLost(reason);
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MAX_STATEMENTS) return known;
    const name = `tieline_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

function clientOf(url: string, role: Role): Client {
  const config = {
    connectionString: url,
    application_name: `tieline ${role}`,
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: CONNECT_MS,
    ...(role === 'migration' ? {} : { query_timeout: ANSWER_MS }),
  };
  const client = new Client(config);
  // 64-bit numbers are counts, positions and milliseconds: exact as numbers.
  client.setTypeParser(types.builtins.INT8, Number);
  return client;
}

/** No text of the database holds U+0000, and none can be asked for: what can't be part of an answer is asked for in its place. */
function askable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
/** Serialization failure, deadlock. */
const CLASHES: ReadonlySet<string> = new Set(['40001', '40P01']);
/** The server stops, or has ended the session, or writes no more; a plan that another version's migration has made stale. */
const BROKEN: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03', '57P04', '57P05', '25P03', '25006', '0A000']);

function faultOf({ code = '' }: DatabaseError): Fault {
  if (CLASHES.has(code)) return 'clash';
  if (BROKEN.has(code) || code.startsWith('08')) return 'broken';
  // Data exceptions, violations of constraints.
  return /^2[23]/.test(code) ? 'refusal' : 'trouble';
}
