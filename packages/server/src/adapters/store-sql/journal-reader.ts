import type { Kysely, Selectable } from 'kysely';
import type { Call } from '../../core/calls/index.ts';
import type { Message } from '../../core/conversations/index.ts';
import type { DurableEvent } from '../../core/index.ts';
import { type CallId, type JournalRange, type MessageId, type Position, resync } from '../../core/journal/index.ts';
import { BatchLookup } from './batches.ts';
import { callOf, changeOf, MESSAGE_COLUMNS, messageOf } from './codec.ts';
import { headOf, oldestOf } from './journal-rows.ts';
import type { CallsTable, EntriesTable, MessagesTable, Tables } from './schema.ts';
import type { RangeAsk, WrittenEntry } from './wire.ts';

type EntryRow = Selectable<Omit<EntriesTable, 'at'>>;

const COLUMNS = ['position', 'stream', 'kind', 'ref', 'data'] as const;

/** Reads entries and fills in what they refer to. Inside one transaction, so that nothing moves meanwhile. */
export class JournalReader {
  readonly #db: Kysely<Tables>;
  readonly #messages: BatchLookup<Pick<MessagesTable, (typeof MESSAGE_COLUMNS)[number]>>;
  readonly #calls: BatchLookup<CallsTable>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
    this.#messages = new BatchLookup(db, (ids) =>
      db
        .selectFrom('messages')
        .select(MESSAGE_COLUMNS)
        .where('id', 'in', ids as readonly MessageId[])
        .compile(),
    );
    this.#calls = new BatchLookup(db, (ids) =>
      db
        .selectFrom('calls')
        .selectAll()
        .where('id', 'in', ids as readonly CallId[])
        .compile(),
    );
  }

  async range({ streams, after, until, limit }: RangeAsk): Promise<JournalRange<DurableEvent>> {
    await this.#requireStanding(after);
    const end = Math.min(until, await headOf(this.#db));
    const rows: EntryRow[] = [];
    for (const stream of new Set(streams))
      rows.push(
        ...(await this.#db
          .selectFrom('entries')
          .select(COLUMNS)
          .where('stream', '=', stream)
          .where('position', '>', after)
          .where('position', '<=', end)
          .orderBy('position')
          .limit(limit)
          .execute()),
      );
    const first = rows.sort((a, b) => a.position - b.position).slice(0, limit);
    const scannedTo = first.length < limit ? Math.max(after, end) : (first.at(-1)?.position ?? after);
    return { entries: await this.#filled(first), scannedTo };
  }

  async tail(after: Position, limit: number): Promise<readonly WrittenEntry[]> {
    await this.#requireStanding(after);
    const rows = await this.#db
      .selectFrom('entries')
      .select(COLUMNS)
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute();
    return this.#filled(rows);
  }

  async #requireStanding(after: Position): Promise<void> {
    if (after + 1 < (await oldestOf(this.#db))) throw resync('expired');
  }

  async #filled(rows: readonly EntryRow[]): Promise<WrittenEntry[]> {
    const messages = new Map<string, Message>();
    for (const row of await this.#messages.find(refsOf(rows, 'message'))) messages.set(row.id, messageOf(row));
    const calls = new Map<string, Call>();
    for (const row of await this.#calls.find(refsOf(rows, 'call-record'))) calls.set(row.id, callOf(row));
    return rows.map((row) => ({
      position: row.position,
      stream: row.stream,
      event: eventOf(row, { messages, calls }),
    }));
  }
}

function refsOf(rows: readonly EntryRow[], kind: EntryRow['kind']): readonly string[] {
  return [...new Set(rows.filter((row) => row.kind === kind).map((row) => row.ref))];
}

function eventOf(
  row: EntryRow,
  found: { readonly messages: ReadonlyMap<string, Message>; readonly calls: ReadonlyMap<string, Call> },
): DurableEvent {
  if (row.kind === 'directory') return { kind: 'directory', what: changeOf(row.data), id: row.ref };
  if (row.kind === 'message') {
    const message = found.messages.get(row.ref);
    if (message !== undefined) return { kind: 'message', message };
  } else {
    const call = found.calls.get(row.ref);
    if (call !== undefined) return { kind: 'call-record', call };
  }
  throw new Error(`entry ${row.position} refers to nothing`);
}
