import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { HistoryAsk, Message } from '../../../core/conversations/index.ts';
import type { MessageId } from '../../../core/journal/index.ts';
import { MESSAGE_COLUMNS, messageOf } from '../codec.ts';
import { contains, wordsOf } from '../search.ts';
import type { Tables } from '../schema.ts';
import type { QueryHandlers } from './context.ts';

type Handlers = QueryHandlers<'conversations'>;

/** Conversations that a list of them shows at most, the latest first. */
const MAX_CONVERSATIONS_LISTED = 1_000;

const messageColumns = MESSAGE_COLUMNS.map((column) => `messages.${column}` as const);

export async function findMessage(db: Kysely<Tables>, id: MessageId): Promise<Message | null> {
  const row = await db.selectFrom('messages').select(messageColumns).where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : messageOf(row);
}

/**
 * What was kept for the user, newest first. Of one conversation the messages are walked in their own order, of all of them
 * the user's mailbox is: an index has the order in both cases.
 */
const history: Handlers['conversations.history'] = async (db, ask) => {
  const before = ask.before === undefined ? undefined : await findMessage(db, ask.before);
  if (before === null) return [];
  let query = db
    .selectFrom('messages')
    .innerJoin('mailbox', (on) =>
      on
        .onRef('mailbox.at', '=', 'messages.at')
        .onRef('mailbox.message', '=', 'messages.id')
        .on('mailbox.user_id', '=', ask.user),
    )
    .select(messageColumns)
    .limit(ask.limit);
  const [at, id] =
    ask.conversation === undefined
      ? (['mailbox.at', 'mailbox.message'] as const)
      : (['messages.at', 'messages.id'] as const);
  query = query.orderBy(at, 'desc').orderBy(id, 'desc');
  if (ask.conversation !== undefined) query = query.where('messages.conversation', '=', ask.conversation);
  if (ask.since !== undefined) query = query.where(at, '>=', ask.since);
  if (ask.until !== undefined) query = query.where(at, '<=', ask.until);
  if (before !== undefined) query = query.where((eb) => eb(eb.refTuple(at, id), '<', eb.tuple(before.at, before.id)));
  query = query.where((eb) => eb.and(keywordsIn(eb, ask)));
  return (await query.execute()).map(messageOf);
};

function keywordsIn(eb: ExpressionBuilder<Tables, 'messages'>, { keywords }: HistoryAsk) {
  const text = eb.fn.coalesce('messages.search_text', 'messages.body');
  return wordsOf(keywords ?? '').map((word) => contains(text, word));
}

const unread: Handlers['conversations.unread'] = async (db, { user }) => {
  const rows = await db
    .selectFrom('members')
    .select((eb) => [
      'members.conversation',
      'members.peer',
      eb
        .selectFrom('mailbox')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .where('mailbox.user_id', '=', user)
        .whereRef('mailbox.conversation', '=', 'members.conversation')
        // Written out, so that the planner sees that the index of unread rows serves.
        .where('mailbox.is_read', '=', sql.lit(0))
        .as('unread'),
      eb
        .selectFrom('messages')
        .select('messages.at')
        .whereRef('messages.conversation', '=', 'members.conversation')
        .where((row) =>
          row.exists(
            row
              .selectFrom('mailbox')
              .select('mailbox.id')
              .where('mailbox.user_id', '=', user)
              .whereRef('mailbox.at', '=', 'messages.at')
              .whereRef('mailbox.message', '=', 'messages.id'),
          ),
        )
        .orderBy('messages.at', 'desc')
        .orderBy('messages.id', 'desc')
        .limit(1)
        .as('last_at'),
    ])
    .where('members.user_id', '=', user)
    .orderBy('last_at', 'desc')
    .orderBy('members.conversation')
    .limit(MAX_CONVERSATIONS_LISTED)
    .execute();
  return rows.map((row) => ({
    conversation: row.conversation,
    peer: row.peer,
    unread: row.unread ?? 0,
    lastAt: row.last_at ?? 0,
  }));
};

export const conversationQueries: Handlers = {
  'conversations.history': history,
  'conversations.unread': unread,
  'conversations.message': (db, { id }) => findMessage(db, id),
};
