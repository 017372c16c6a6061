import type { StreamId } from '../../../core/journal/index.ts';
import { Lru } from '../../../kit/index.ts';
import type { PostgresConnection } from '../dialect/postgres.ts';
import type { StreamNumbers } from '../ledger.ts';
import { numberIn } from '../streams.ts';

/**
 * Numbers that a node remembers; others are looked up.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_KNOWN = 100_000;
/**
 * Between a look-up and the insert another node may have made the same row, which is seen by the next look-up.
 * @peer nothing to notice
 * @test store-postgres-nodes: two nodes write into the same
 */
const MAX_LOOKUPS = 3;

/**
 * The numbers of streams, or of conversations: given by the database, never changed or taken back, so that what is committed
 * is remembered. `table` has the columns `num` and `id`; `more`: other columns of a new row and their values.
 */
export class RowNumbers<Id extends string> {
  readonly #known = new Lru<Id, number>(MAX_KNOWN);
  /** Seen in this transaction: they stand when it does. */
  readonly #seen = new Map<Id, number>();
  readonly #find: string;
  readonly #insert: string;

  constructor(
    table: string,
    more: { readonly columns: string; readonly values: string } = { columns: '', values: '' },
  ) {
    this.#find = `select id, num from ${table} where id = any($1::text[])`;
    this.#insert = `insert into ${table} (id${more.columns})
      select id${more.values} from unnest($1::text[]) as id on conflict (id) do nothing`;
  }

  /** The number of each of `ids`; new ones get theirs, in the transaction that is open on `connection`. */
  async of(connection: PostgresConnection, ids: Iterable<Id>): Promise<ReadonlyMap<Id, number>> {
    const numbers = new Map<Id, number>();
    let missing = new Set<Id>();
    for (const id of ids) {
      const known = this.#known.get(id) ?? this.#seen.get(id);
      if (known === undefined) missing.add(id);
      else numbers.set(id, known);
    }
    for (let lookup = 1; missing.size > 0; lookup++) {
      // In one order on all nodes: who waits for another's row holds none that the other waits for.
      const asked = [...missing].sort();
      // Both at once; what the first fails for is what is thrown.
      const inserted = lookup > 1 ? connection.query(this.#insert, [asked]) : null;
      const [{ rows }] = await Promise.all([connection.query<{ id: Id; num: number }>(this.#find, [asked]), inserted]);
      for (const { id, num } of rows) {
        numbers.set(id, num);
        this.#seen.set(id, num);
      }
      missing = new Set(asked.filter((id) => !numbers.has(id)));
      if (lookup > MAX_LOOKUPS && missing.size > 0) throw new Error('a row that was inserted can not be found');
    }
    return numbers;
  }

  committed(): void {
    for (const [id, num] of this.#seen) this.#known.set(id, num);
    this.#seen.clear();
  }

  rolledBack(): void {
    this.#seen.clear();
  }
}

export class PostgresStreams implements StreamNumbers {
  readonly rows = new RowNumbers<StreamId>('streams');
  readonly #connection: PostgresConnection;

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  numbersOf(ids: Iterable<StreamId>): Promise<ReadonlyMap<StreamId, number>> {
    return this.rows.of(this.#connection, ids);
  }

  async numberOf(id: StreamId): Promise<number> {
    return numberIn(await this.numbersOf([id]), id);
  }
}
