import { type Kysely, sql } from 'kysely';
import type { ConversationQueries } from '../../../core/conversations/index.ts';
import { type ConversationId, type UserId, userStream } from '../../../core/journal/index.ts';
import type { Tables } from '../schema.ts';

type Listed = ConversationQueries['conversations.unread']['output'][number];

/**
 * Conversations that a list of them shows at most, the latest first.
 * @peer a list without the oldest
 * @test store-history: the list of conversations
 */
const MAX_LISTED = 1_000;

/** Every conversation that something was kept of for the user, the latest first; `unread` may be 0. */
export async function readUnread(db: Kysely<Tables>, user: UserId, hasLog: boolean): Promise<readonly Listed[]> {
  const listed = new Map<ConversationId, Listed>();
  for (const { id, sender, recipient, at, unread } of await settledRows(db, user))
    listed.set(id, { conversation: id, peer: sender === user ? recipient : sender, unread: unread ?? 0, lastAt: at });
  for (const { id, sender, recipient, at, is_unread } of hasLog ? await freshRows(db, user) : []) {
    const known = listed.get(id);
    const unread = (known?.unread ?? 0) + is_unread;
    listed.set(id, { conversation: id, peer: sender === user ? recipient : sender, unread, lastAt: at });
  }
  const latestFirst = (a: Listed, b: Listed): number =>
    b.lastAt - a.lastAt || (a.conversation < b.conversation ? -1 : 1);
  return [...listed.values()].sort(latestFirst).slice(0, MAX_LISTED);
}

/** The latest conversations, each with its last message and the number of messages after the read mark. */
function settledRows(db: Kysely<Tables>, user: UserId) {
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('members')
        .selectAll()
        .where('user_num', '=', (e) => e.selectFrom('streams').select('num').where('id', '=', userStream(user)))
        .orderBy('last_at', 'desc')
        .limit(MAX_LISTED)
        .as('members'),
    )
    .innerJoin('conversations', 'conversations.num', 'members.conversation')
    .leftJoin('read_marks', (on) =>
      on
        .onRef('read_marks.user_num', '=', 'members.user_num')
        .onRef('read_marks.conversation', '=', 'members.conversation'),
    )
    .innerJoin('messages', (on) =>
      on.on('messages.num', '=', (eb) =>
        eb
          .selectFrom('mailbox')
          .select('mailbox.message')
          .whereRef('mailbox.user_num', '=', 'members.user_num')
          .whereRef('mailbox.conversation', '=', 'members.conversation')
          .orderBy('mailbox.seq', 'desc')
          .limit(1),
      ),
    )
    .select((eb) => [
      'conversations.id',
      'messages.sender',
      'messages.recipient',
      'messages.at',
      eb
        .selectFrom('mailbox')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .whereRef('mailbox.user_num', '=', 'members.user_num')
        .whereRef('mailbox.conversation', '=', 'members.conversation')
        .where('mailbox.seq', '>', (e) => e.fn.coalesce('read_marks.seq', sql.lit(0)))
        .where('mailbox.is_own', '=', 0)
        .as('unread'),
    ])
    .execute();
}

/** What is not settled yet, in the order of storing. */
function freshRows(db: Kysely<Tables>, user: UserId) {
  return db
    .selectFrom('mail_log as mail')
    .innerJoin('messages', 'messages.num', 'mail.message')
    .innerJoin('conversations', 'conversations.num', 'mail.conversation')
    .leftJoin('read_marks', (on) =>
      on.onRef('read_marks.user_num', '=', 'mail.user_num').onRef('read_marks.conversation', '=', 'mail.conversation'),
    )
    .select((eb) => [
      'conversations.id',
      'messages.sender',
      'messages.recipient',
      'mail.at',
      eb
        .case()
        .when(eb.and([eb('mail.is_own', '=', 0), eb('mail.seq', '>', eb.fn.coalesce('read_marks.seq', sql.lit(0)))]))
        .then(sql.lit(1))
        .else(sql.lit(0))
        .end()
        .as('is_unread'),
    ])
    .where('mail.user_num', '=', (e) => e.selectFrom('streams').select('num').where('id', '=', userStream(user)))
    .orderBy('mail.num')
    .execute();
}
