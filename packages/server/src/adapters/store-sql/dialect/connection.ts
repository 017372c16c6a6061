import type { ColumnDataType, ColumnDefinitionBuilder, Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../schema.ts';

/** What the databases spell differently. */
export interface ColumnTypes {
  /** Compared and sorted by its bytes, everywhere alike. */
  readonly text: ColumnDataType | RawBuilder<unknown>;
  /** Counts, positions and milliseconds: 64 bits. As a primary key it is the table's own order where the database has one. */
  readonly big: 'integer' | 'bigint';
  readonly flag: 'integer' | 'smallint';
  /** Makes the database give the numbers of a column, where it does. */
  readonly numbered: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Said after a table whose rows are to lie in the order of its primary key; empty where there is no such thing. */
  readonly clustered: RawBuilder<unknown>;
  /**
   * One process writes: it gives all numbers from memory and sorts rows into streams and mailboxes later (settle.ts). Else the
   * database gives the numbers, everything stands in its place at once, and entries get their positions from a sequencer.
   */
  readonly hasOneWriter: boolean;
}

/**
 * What an error means. `refusal`: the database won't have a row: a key that is there already, a reference to nothing, no text.
 * `clash`: another node was in the way; the same again can succeed. `broken`: go on with another connection, not with this one.
 * `trouble`: something else that the database says. `foreign`: not the database's.
 */
export type Fault = 'refusal' | 'clash' | 'broken' | 'trouble' | 'foreign';

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
  faultOf(error: unknown): Fault;
  close(): void | Promise<void>;
}
