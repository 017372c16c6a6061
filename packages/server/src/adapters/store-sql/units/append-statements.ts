import type { CompiledQuery, Kysely } from 'kysely';
import type { MessageId } from '../../../core/journal/index.ts';
import { conversationStream, type ConversationId, type UserId } from '../../../core/journal/index.ts';
import { BatchInsert, BatchLookup } from '../batches.ts';
import { MESSAGE_COLUMNS } from '../codec.ts';
import type { MessagesTable, Tables } from '../schema.ts';

const none = '' as UserId & ConversationId & MessageId;

/** One row of each table with all its columns: what the statements are compiled from. */
const BLANK = {
  messages: {
    id: none,
    conversation: none,
    seq: 0,
    sender: none,
    resource: '',
    recipient: none,
    at: 0,
    type: 'text/plain',
    body: '',
    search_text: '',
    attach: '',
    data: '',
  },
  mailbox: { id: 0, user_id: none, message: none, conversation: none, at: 0, seq: 0, is_read: 0 },
  members: { user_id: none, conversation: none, peer: none },
  idempotency: { id: '', hash: '', message: none, at: 0 },
  conversations: { id: none, last_seq: 0 },
  entries: { position: 0, stream: conversationStream(none), kind: 'message', ref: '', data: '', at: 0 },
} satisfies { [T in keyof Tables]?: Tables[T] };

export type KeyRow = Pick<MessagesTable, (typeof MESSAGE_COLUMNS)[number]> & {
  readonly key_id: string;
  readonly hash: string;
  readonly used_at: number;
};

/** The hot unit's statements, compiled when the writer starts. */
export interface AppendStatements {
  readonly messages: BatchInsert<Tables['messages']>;
  readonly mailbox: BatchInsert<Tables['mailbox']>;
  readonly entries: BatchInsert<Tables['entries']>;
  readonly members: BatchInsert<Tables['members']>;
  readonly keys: BatchInsert<Tables['idempotency']>;
  readonly conversations: BatchInsert<Tables['conversations']>;
  readonly findConversations: BatchLookup<Tables['conversations']>;
  readonly findKeys: BatchLookup<KeyRow>;
}

export function compileEntries(db: Kysely<Tables>): BatchInsert<Tables['entries']> {
  return new BatchInsert<Tables['entries']>(db, BLANK.entries, (rows) =>
    db.insertInto('entries').values(rows).compile(),
  );
}

export function compileAppend(db: Kysely<Tables>, entries: BatchInsert<Tables['entries']>): AppendStatements {
  return {
    messages: new BatchInsert<Tables['messages']>(db, BLANK.messages, (rows) =>
      db.insertInto('messages').values(rows).compile(),
    ),
    mailbox: new BatchInsert<Tables['mailbox']>(db, BLANK.mailbox, (rows) =>
      db.insertInto('mailbox').values(rows).compile(),
    ),
    entries,
    members: new BatchInsert<Tables['members']>(db, BLANK.members, (rows) =>
      db
        .insertInto('members')
        .values(rows)
        .onConflict((on) => on.columns(['user_id', 'conversation']).doNothing())
        .compile(),
    ),
    keys: new BatchInsert<Tables['idempotency']>(db, BLANK.idempotency, (rows) => compileKeys(db, rows)),
    conversations: new BatchInsert<Tables['conversations']>(db, BLANK.conversations, (rows) =>
      db
        .insertInto('conversations')
        .values(rows)
        .onConflict((on) => on.column('id').doUpdateSet((row) => ({ last_seq: row.ref('excluded.last_seq') })))
        .compile(),
    ),
    findConversations: new BatchLookup(db, (ids) =>
      db
        .selectFrom('conversations')
        .selectAll()
        .where('id', 'in', ids as readonly ConversationId[])
        .compile(),
    ),
    findKeys: new BatchLookup(db, (ids) => compileFindKeys(db, ids)),
  };
}

/** A key that stands already has expired, but was not swept yet: the new one takes its place. */
function compileKeys(db: Kysely<Tables>, rows: readonly Tables['idempotency'][]): CompiledQuery {
  return db
    .insertInto('idempotency')
    .values(rows)
    .onConflict((on) =>
      on.column('id').doUpdateSet((row) => ({
        hash: row.ref('excluded.hash'),
        message: row.ref('excluded.message'),
        at: row.ref('excluded.at'),
      })),
    )
    .compile();
}

function compileFindKeys(db: Kysely<Tables>, ids: readonly string[]): CompiledQuery<KeyRow> {
  return db
    .selectFrom('idempotency')
    .innerJoin('messages', 'messages.id', 'idempotency.message')
    .select(['idempotency.id as key_id', 'idempotency.hash', 'idempotency.at as used_at'])
    .select(MESSAGE_COLUMNS.map((column) => `messages.${column}` as const))
    .where('idempotency.id', 'in', ids)
    .compile();
}
