import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../schema.ts';

/** Column types that the databases spell differently. */
export interface ColumnTypes {
  /** Counts, positions and milliseconds: 64 bits. As a primary key it is the table's own order where the database has one. */
  readonly big: 'integer' | 'bigint';
  readonly flag: 'integer' | 'smallint';
  /** Said after a table whose rows are to lie in the order of its primary key; empty where there is no such thing. */
  readonly clustered: RawBuilder<unknown>;
}

/** One connection, used by one asker at a time. The transaction words are here because the writer steers them itself. */
export interface Connection {
  readonly db: Kysely<Tables>;
  readonly types: ColumnTypes;
  begin(): void | Promise<void>;
  commit(): void | Promise<void>;
  /** Does nothing where no transaction is open. */
  rollback(): void | Promise<void>;
  savepoint(): void | Promise<void>;
  release(): void | Promise<void>;
  rollbackToSavepoint(): void | Promise<void>;
  /** The database refused a row: a key that is there already, a reference to nothing. */
  isRefusal(error: unknown): boolean;
  /** The disk or the file can no longer be trusted: go on with another process, not with this one. */
  isBroken(error: unknown): boolean;
  close(): void | Promise<void>;
}
