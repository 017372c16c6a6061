import type { Kysely } from 'kysely';
import type { ConversationId } from '../../core/journal/index.ts';
import { Lru } from '../../kit/index.ts';
import { BatchInsert, BatchLookup } from './batches.ts';
import type { Standing } from './ledger.ts';
import type { ConversationsTable, Tables } from './schema.ts';

/**
 * Conversations that the writer remembers; the others are looked up.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_KNOWN = 50_000;

/**
 * The numbers of conversations and their last `seq`, which is kept in memory and written down when rows are settled: until then
 * `messages` alone has it, and the conversation is not forgotten here.
 */
export class ConversationStandings {
  readonly #known = new Lru<ConversationId, Standing>(MAX_KNOWN);
  readonly #unsettled = new Map<ConversationId, Standing>();
  readonly #find: BatchLookup<ConversationsTable>;
  readonly #save: BatchInsert<ConversationsTable>;
  readonly #db: Kysely<Tables>;
  #last = 0;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
    this.#find = new BatchLookup(db, (ids) =>
      db
        .selectFrom('conversations')
        .selectAll()
        .where('id', 'in', ids as readonly ConversationId[])
        .compile(),
    );
    this.#save = new BatchInsert<ConversationsTable>(db, { num: 0, id: '' as ConversationId, last_seq: 0 }, (rows) =>
      db
        .insertInto('conversations')
        .values(rows)
        .onConflict((on) => on.column('num').doUpdateSet((row) => ({ last_seq: row.ref('excluded.last_seq') })))
        .compile(),
    );
  }

  /** Begins with what the database holds: at the start, and after a rollback. `from`: the last settled message. */
  async load(from: number): Promise<void> {
    this.#known.clear();
    this.#unsettled.clear();
    const db = this.#db;
    const last = await db
      .selectFrom('conversations')
      .select((e) => e.fn.max('num').as('num'))
      .executeTakeFirst();
    this.#last = last?.num ?? 0;
    const rows = await db
      .selectFrom('messages')
      .innerJoin('conversations', 'conversations.num', 'messages.conversation')
      .select((e) => ['conversations.id', 'conversations.num', e.fn.max('messages.seq').as('seq')])
      .where('messages.num', '>', from)
      .groupBy(['conversations.id', 'conversations.num'])
      .execute();
    for (const { id, num, seq } of rows) this.#unsettled.set(id, { num, seq });
  }

  /** Where each of `ids` stands; new ones get their number. What is counted on in them counts from then on. */
  async of(ids: Iterable<ConversationId>): Promise<ReadonlyMap<ConversationId, Standing>> {
    const found = new Map<ConversationId, Standing>();
    const missing = new Set<ConversationId>();
    for (const id of ids) {
      if (found.has(id) || missing.has(id)) continue;
      const known = this.#unsettled.get(id) ?? this.#known.get(id);
      if (known === undefined) missing.add(id);
      else found.set(id, known);
    }
    for (const { id, num, last_seq } of await this.#find.find([...missing])) found.set(id, { num, seq: last_seq });
    const fresh = [...missing].filter((id) => !found.has(id)).map((id) => ({ id, num: ++this.#last, last_seq: 0 }));
    await this.#save.insert(fresh);
    for (const { id, num } of fresh) found.set(id, { num, seq: 0 });
    for (const id of missing) this.#known.set(id, found.get(id) ?? { num: 0, seq: 0 });
    return found;
  }

  /** Where `id` stands, null where nothing was ever said. */
  async find(id: ConversationId): Promise<Standing | null> {
    const known = this.#unsettled.get(id) ?? this.#known.get(id);
    if (known !== undefined) return known;
    const [row] = await this.#find.find([id]);
    return row === undefined ? null : { num: row.num, seq: row.last_seq };
  }

  /** Messages were added: this conversation is remembered until it is settled. */
  touched(id: ConversationId, standing: Standing): void {
    this.#unsettled.set(id, standing);
  }

  /** Writes down what is not yet; part of settling. */
  async save(): Promise<void> {
    await this.#save.insert([...this.#unsettled].map(([id, { num, seq }]) => ({ id, num, last_seq: seq })));
  }

  /** The settling stands. */
  saved(): void {
    for (const [id, standing] of this.#unsettled) this.#known.set(id, standing);
    this.#unsettled.clear();
  }
}
