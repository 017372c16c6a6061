import type { Kysely } from 'kysely';
import type { MessageId } from '../../../core/journal/index.ts';
import { MESSAGE_COLUMNS, type MessageRow } from '../codec.ts';
import type { Tables } from '../schema.ts';

export async function findMessageRow(db: Kysely<Tables>, id: MessageId): Promise<MessageRow | undefined> {
  return db
    .selectFrom('messages')
    .innerJoin('conversations', 'conversations.num', 'messages.conversation')
    .select(MESSAGE_COLUMNS)
    .where('messages.id', '=', id)
    .executeTakeFirst();
}
