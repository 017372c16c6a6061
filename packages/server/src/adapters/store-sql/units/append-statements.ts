import type { CompiledQuery, Kysely } from 'kysely';
import type { ConversationId, MessageId, UserId } from '../../../core/journal/index.ts';
import { BatchInsert, BatchLookup } from '../batches.ts';
import { MESSAGE_COLUMNS, type MessageRow } from '../codec.ts';
import type { Tables } from '../schema.ts';

const none = '' as UserId & ConversationId & MessageId;

/** One row of each table with all its columns: what the statements are compiled from. */
const BLANK = {
  messages: {
    num: 0,
    id: none,
    conversation: 0,
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
  mail_log: { num: 0, user_num: 0, conversation: 0, seq: 0, at: 0, message: 0, is_own: 0 },
  idempotency: { id: '', hash: '', message: 0, at: 0 },
  entries: { position: 0, stream: 0, kind: 'message', message: 0, ref: '', data: '', at: 0 },
} satisfies { [T in keyof Tables]?: Tables[T] };

export type KeyRow = MessageRow & { readonly key_id: string; readonly hash: string; readonly used_at: number };

/** The hot unit's statements, compiled when the writer starts. */
export interface AppendStatements {
  readonly messages: BatchInsert<Tables['messages']>;
  readonly mail: BatchInsert<Tables['mail_log'], 'num'>;
  readonly entries: BatchInsert<Tables['entries'], 'position'>;
  readonly keys: BatchInsert<Tables['idempotency']>;
  readonly findKeys: BatchLookup<KeyRow>;
}

export function compileAppend(db: Kysely<Tables>): AppendStatements {
  return {
    messages: new BatchInsert<Tables['messages']>(db, BLANK.messages, (rows) =>
      db.insertInto('messages').values(rows).compile(),
    ),
    mail: new BatchInsert<Tables['mail_log'], 'num'>(db, BLANK.mail_log, (rows) =>
      db.insertInto('mail_log').values(rows).compile(),
    ),
    entries: new BatchInsert<Tables['entries'], 'position'>(db, BLANK.entries, (rows) =>
      db.insertInto('entries').values(rows).compile(),
    ),
    keys: new BatchInsert<Tables['idempotency']>(db, BLANK.idempotency, (rows) => compileKeys(db, rows)),
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

export function compileFindKeys(db: Kysely<Tables>, ids: readonly string[]): CompiledQuery<KeyRow> {
  return db
    .selectFrom('idempotency')
    .innerJoin('messages', 'messages.num', 'idempotency.message')
    .innerJoin('conversations', 'conversations.num', 'messages.conversation')
    .select(['idempotency.id as key_id', 'idempotency.hash', 'idempotency.at as used_at'])
    .select(MESSAGE_COLUMNS)
    .where('idempotency.id', 'in', ids)
    .compile();
}
