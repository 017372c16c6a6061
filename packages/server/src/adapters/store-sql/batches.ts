import { CompiledQuery, type Kysely } from 'kysely';
import type { Tables } from './schema.ts';

/** Rows per statement, largest first: a run of any length is a few statements, all compiled once. */
const INSERT_SIZES = [64, 8, 1] as const;
/** Keys per lookup; a list is filled up to the next size with its last key, so that there are only these statements. */
const LOOKUP_SIZES = [1, 8, 64, 512] as const;
/**
 * Keys of one lookup.
 * @peer nothing to notice
 * @test store-history: page by page
 */
const MAX_LOOKUP = 512;

/**
 * Inserts many rows of one table with statements that are built once and used again with other values.
 * `compile` builds the statement for some rows; `blank` is a row with every column, none of them undefined. `Number`: the first
 * column, where rows are numbered one after the other.
 */
export class BatchInsert<Row extends object, Number extends keyof Row = never> {
  readonly #db: Kysely<Tables>;
  readonly #columns: readonly (keyof Row)[];
  readonly #unnumbered: readonly Exclude<keyof Row, Number>[];
  readonly #statements: readonly { readonly size: number; readonly sql: string }[];

  constructor(db: Kysely<Tables>, blank: Row, compile: (rows: readonly Row[]) => CompiledQuery) {
    this.#db = db;
    // Kysely writes the columns in the order of the first row's members.
    this.#columns = columnsOf(blank);
    this.#unnumbered = columnsOf<Exclude<keyof Row, Number>>(blank).slice(1);
    this.#statements = INSERT_SIZES.map((size) => ({
      size,
      sql: compile(Array.from({ length: size }, () => blank)).sql,
    }));
  }

  async insert(rows: readonly Row[]): Promise<void> {
    await this.#insert(rows.length, (values, i) => put(values, rows[i], this.#columns));
  }

  /** @param after the number that was given last */
  async insertNumbered(rows: readonly Omit<Row, Number>[], after: number): Promise<void> {
    await this.#insert(rows.length, (values, i) => {
      values.push(after + i + 1);
      put(values, rows[i], this.#unnumbered);
    });
  }

  async #insert(count: number, putRow: (values: unknown[], i: number) => void): Promise<void> {
    let done = 0;
    for (const { size, sql } of this.#statements)
      for (; count - done >= size; done += size) {
        const values: unknown[] = [];
        for (let i = done; i < done + size; i++) putRow(values, i);
        await this.#db.executeQuery(CompiledQuery.raw(sql, values));
      }
  }
}

function put<Row extends object>(values: unknown[], row: Row | undefined, columns: readonly (keyof Row)[]): void {
  if (row !== undefined) for (const column of columns) values.push(row[column]);
}

function columnsOf<Column extends PropertyKey>(row: Readonly<Record<Column, unknown>>): readonly Column[] {
  return Object.keys(row) as Column[];
}

/** Finds rows by many keys, likewise. `compile` builds `… where key in (keys)` and takes no other parameter. */
export class BatchLookup<Row, Key extends string | number = string> {
  readonly #db: Kysely<Tables>;
  readonly #compile: (keys: readonly Key[]) => CompiledQuery<Row>;
  readonly #statements = new Map<number, CompiledQuery<Row>>();

  constructor(db: Kysely<Tables>, compile: (keys: readonly Key[]) => CompiledQuery<Row>) {
    this.#db = db;
    this.#compile = compile;
  }

  async find(keys: readonly Key[]): Promise<Row[]> {
    const found: Row[] = [];
    for (let done = 0; done < keys.length;) {
      const rest = keys.length - done;
      const size = LOOKUP_SIZES.find((enough) => enough >= rest) ?? MAX_LOOKUP;
      const parameters = keys.slice(done, done + size);
      const last = parameters.at(-1);
      while (last !== undefined && parameters.length < size) parameters.push(last);
      found.push(...(await this.#db.executeQuery<Row>({ ...this.#statement(parameters), parameters })).rows);
      done += size;
    }
    return found;
  }

  #statement(keys: readonly Key[]): CompiledQuery<Row> {
    const known = this.#statements.get(keys.length);
    if (known !== undefined) return known;
    const made = this.#compile(keys);
    this.#statements.set(keys.length, made);
    return made;
  }
}
