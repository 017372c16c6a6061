import type { Kysely } from 'kysely';
import type { StreamId } from '../../core/journal/index.ts';
import { Lru } from '../../kit/index.ts';
import { BatchInsert, BatchLookup } from './batches.ts';
import type { StreamNumbers } from './ledger.ts';
import type { StreamsTable, Tables } from './schema.ts';

/**
 * Streams whose number the writer remembers; the others are looked up.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_KNOWN = 100_000;

/** The numbers of streams, given out by the writer. */
export class Streams implements StreamNumbers {
  readonly #known = new Lru<StreamId, number>(MAX_KNOWN);
  readonly #find: BatchLookup<StreamsTable>;
  readonly #insert: BatchInsert<StreamsTable>;
  readonly #db: Kysely<Tables>;
  #last = 0;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
    this.#find = new BatchLookup(db, (ids) =>
      db
        .selectFrom('streams')
        .selectAll()
        .where('id', 'in', ids as readonly StreamId[])
        .compile(),
    );
    this.#insert = new BatchInsert<StreamsTable>(db, { num: 0, id: '' as StreamId }, (rows) =>
      db.insertInto('streams').values(rows).compile(),
    );
  }

  /** Begins with what the database holds: at the start, and after a rollback. */
  async load(): Promise<void> {
    this.#known.clear();
    const last = await this.#db
      .selectFrom('streams')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    this.#last = last?.num ?? 0;
  }

  /** The number of each of `ids`; new ones get theirs. */
  async numbersOf(ids: Iterable<StreamId>): Promise<ReadonlyMap<StreamId, number>> {
    const numbers = new Map<StreamId, number>();
    const missing = new Set<StreamId>();
    for (const id of ids) {
      if (numbers.has(id) || missing.has(id)) continue;
      const known = this.#known.get(id);
      if (known === undefined) missing.add(id);
      else numbers.set(id, known);
    }
    if (missing.size === 0) return numbers;
    for (const { id, num } of await this.#find.find([...missing])) this.#learn(numbers, id, num);
    const fresh = [...missing].filter((id) => !numbers.has(id)).map((id) => ({ id, num: ++this.#last }));
    await this.#insert.insert(fresh);
    for (const { id, num } of fresh) this.#learn(numbers, id, num);
    return numbers;
  }

  async numberOf(id: StreamId): Promise<number> {
    return numberIn(await this.numbersOf([id]), id);
  }

  #learn(numbers: Map<StreamId, number>, id: StreamId, num: number): void {
    numbers.set(id, num);
    this.#known.set(id, num);
  }
}

/** A number that was asked for before. */
export function numberIn<K>(numbers: ReadonlyMap<K, number>, id: K): number {
  const num = numbers.get(id);
  if (num === undefined) throw new Error('a stream without a number');
  return num;
}
