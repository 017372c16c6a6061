import type { Kysely } from 'kysely';
import type { Call } from '../../core/calls/index.ts';
import type { Message } from '../../core/conversations/index.ts';
import type { DurableEvent } from '../../core/index.ts';
import {
  type CallId,
  type JournalRange,
  type Position,
  resync,
  type StreamId,
  type UserId,
} from '../../core/journal/index.ts';
import { BatchLookup } from './batches.ts';
import { callOf, changeOf, endOf, MESSAGE_COLUMNS, type MessageRow, messageOf } from './codec.ts';
import type { Connection } from './dialect/connection.ts';
import { headOf, oldestOf } from './journal-rows.ts';
import type { CallsTable, EntriesTable, Tables } from './schema.ts';
import type { Bounds, RangeAsk, WrittenEntry } from './wire.ts';

export interface EntryRow extends Omit<EntriesTable, 'at' | 'stream'> {
  readonly stream: StreamId;
}

const COLUMNS = [
  'entries.position',
  'streams.id as stream',
  'entries.kind',
  'entries.message',
  'entries.ref',
  'entries.data',
] as const;

/** Reads entries and fills in what they refer to. Inside one transaction, so that nothing moves meanwhile. */
export class JournalReader {
  readonly #db: Kysely<Tables>;
  readonly #hasLog: boolean;
  readonly #messages: BatchLookup<MessageRow, number>;
  readonly #calls: BatchLookup<CallsTable>;

  constructor({ db, types }: Pick<Connection, 'db' | 'types'>) {
    this.#db = db;
    this.#hasLog = types.hasOneWriter;
    this.#messages = new BatchLookup(db, (nums) =>
      db
        .selectFrom('messages')
        .innerJoin('conversations', 'conversations.num', 'messages.conversation')
        .select(MESSAGE_COLUMNS)
        .where('messages.num', 'in', nums)
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
    const asked = [...new Set(streams)];
    const span = { after, end, limit };
    const rows = this.#hasLog ? await this.#throughLog(asked, span) : await this.#inStreams(asked, span);
    const first = rows.sort((a, b) => a.position - b.position).slice(0, limit);
    const scannedTo = first.length < limit ? Math.max(after, end) : (first.at(-1)?.position ?? after);
    return { entries: await this.filled(first), scannedTo };
  }

  async bounds(): Promise<Bounds> {
    return { head: await headOf(this.#db), oldest: await oldestOf(this.#db) };
  }

  async tail(after: Position, limit: number): Promise<readonly WrittenEntry[]> {
    await this.#requireStanding(after);
    const rows = await this.#db
      .selectFrom('entries')
      .innerJoin('streams', 'streams.num', 'entries.stream')
      .select(COLUMNS)
      .where('entries.position', '>', after)
      .orderBy('entries.position')
      .limit(limit)
      .execute();
    return this.filled(rows);
  }

  /** What is settled is found by stream; what is not, a few thousand entries at most, is looked through. */
  async #throughLog(streams: readonly StreamId[], span: Span): Promise<EntryRow[]> {
    const rows: EntryRow[] = [];
    for (const stream of streams) rows.push(...(await this.#settled(stream, span)));
    if (rows.length < span.limit) rows.push(...(await this.#fresh(streams, span)));
    return rows;
  }

  #settled(stream: StreamId, { after, end, limit }: Span): Promise<EntryRow[]> {
    return this.#db
      .selectFrom('stream_index')
      .innerJoin('streams', 'streams.num', 'stream_index.stream')
      .innerJoin('entries', 'entries.position', 'stream_index.position')
      .select(COLUMNS)
      .where('streams.id', '=', stream)
      .where('stream_index.position', '>', after)
      .where('stream_index.position', '<=', end)
      .orderBy('stream_index.position')
      .limit(limit)
      .execute();
  }

  async #fresh(streams: readonly StreamId[], { after, end, limit }: Span): Promise<EntryRow[]> {
    const settled = await this.#db.selectFrom('settled').select('position').executeTakeFirstOrThrow();
    if (settled.position >= end) return [];
    return this.#inStreams(streams, { after: Math.max(after, settled.position), end, limit });
  }

  async #inStreams(streams: readonly StreamId[], { after, end, limit }: Span): Promise<EntryRow[]> {
    if (streams.length === 0) return [];
    return this.#db
      .selectFrom('entries')
      .innerJoin('streams', 'streams.num', 'entries.stream')
      .select(COLUMNS)
      .where('entries.position', '>', after)
      .where('entries.position', '<=', end)
      .where('entries.stream', 'in', (eb) => eb.selectFrom('streams').select('num').where('id', 'in', streams))
      .orderBy('entries.position')
      .limit(limit)
      .execute();
  }

  async #requireStanding(after: Position): Promise<void> {
    if (after + 1 < (await oldestOf(this.#db))) throw resync('expired');
  }

  /** Entries with what they are about. */
  async filled(rows: readonly EntryRow[]): Promise<WrittenEntry[]> {
    const messages = new Map<number, Message>();
    const nums = rows.flatMap(({ message }) => (message === null ? [] : [message]));
    for (const row of await this.#messages.find([...new Set(nums)])) messages.set(row.num, messageOf(row));
    const calls = new Map<string, Call>();
    const refs = rows.flatMap(({ kind, ref }) => (kind === 'call-record' && ref !== null ? [ref] : []));
    for (const row of await this.#calls.find([...new Set(refs)])) calls.set(row.id, callOf(row));
    return rows.map((row) => ({
      position: row.position,
      stream: row.stream,
      event: eventOf(row, { messages, calls }),
    }));
  }
}

interface Span {
  readonly after: Position;
  readonly end: Position;
  readonly limit: number;
}

function eventOf(
  row: EntryRow,
  found: { readonly messages: ReadonlyMap<number, Message>; readonly calls: ReadonlyMap<string, Call> },
): DurableEvent {
  const ref = row.ref ?? '';
  if (row.kind === 'directory') return { kind: 'directory', what: changeOf(row.data), id: ref };
  if (row.kind === 'stream-ended') return { kind: 'stream-ended', stream: ref, reason: endOf(row.data) };
  if (row.kind === 'presence-stated') return { kind: 'presence-stated', user: ref as UserId };
  if (row.kind === 'message') {
    const message = found.messages.get(row.message ?? 0);
    if (message !== undefined) return { kind: 'message', message };
  } else {
    const call = found.calls.get(ref);
    if (call !== undefined) return { kind: 'call-record', call };
  }
  throw new Error(`entry ${row.position} refers to nothing`);
}
