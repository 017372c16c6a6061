import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { HistoryAsk, Message } from '../../../core/conversations/index.ts';
import { userStream } from '../../../core/journal/index.ts';
import { MESSAGE_COLUMNS, type MessageRow, messageOf } from '../codec.ts';
import type { MailboxTable, Tables } from '../schema.ts';
import { contains, wordsOf } from '../search.ts';
import { findMessageRow } from './messages.ts';

/**
 * What was kept for the user, newest first: of one conversation in its own order, of all of them by time and, within a
 * millisecond, by the order of storing. Both orders are those of an index. `mail_log` holds what is not settled yet.
 */
export async function readHistory(db: Kysely<Tables>, ask: HistoryAsk, hasLog: boolean): Promise<readonly Message[]> {
  const before = ask.before === undefined ? undefined : await findMessageRow(db, ask.before);
  if (ask.before !== undefined && before === undefined) return [];
  const rows = await rowsOf(db, 'mailbox', ask, before);
  if (hasLog) rows.push(...(await rowsOf(db, 'mail_log', ask, before)));
  const isOneOrder = ask.conversation !== undefined;
  rows.sort((a, b) => (isOneOrder ? b.seq - a.seq : b.at - a.at || b.num - a.num));
  return rows.slice(0, ask.limit).map(messageOf);
}

type Mail = 'mailbox' | 'mail_log';

function rowsOf(db: Kysely<Tables>, table: Mail, ask: HistoryAsk, before: MessageRow | undefined) {
  let query = db
    .selectFrom(sql<MailboxTable>`${sql.table(table)}`.as('mail'))
    .innerJoin('messages', 'messages.num', 'mail.message')
    .innerJoin('conversations', 'conversations.num', 'messages.conversation')
    .select(MESSAGE_COLUMNS)
    .where('mail.user_num', '=', (eb) => eb.selectFrom('streams').select('num').where('id', '=', userStream(ask.user)))
    .limit(ask.limit);
  const { conversation } = ask;
  if (conversation === undefined) {
    query = query.orderBy('mail.at', 'desc').orderBy('mail.message', 'desc');
    if (before !== undefined)
      query = query.where((eb) => eb(eb.refTuple('mail.at', 'mail.message'), '<', eb.tuple(before.at, before.num)));
  } else {
    query = query
      .where('mail.conversation', '=', (eb) =>
        eb.selectFrom('conversations').select('num').where('id', '=', conversation),
      )
      .orderBy('mail.seq', 'desc');
    if (before !== undefined) query = query.where('mail.seq', '<', before.seq);
  }
  if (ask.since !== undefined) query = query.where('mail.at', '>=', ask.since);
  if (ask.until !== undefined) query = query.where('mail.at', '<=', ask.until);
  return query.where((eb) => eb.and(keywordsIn(eb, ask))).execute();
}

function keywordsIn(eb: ExpressionBuilder<Tables, 'messages'>, { keywords }: HistoryAsk) {
  const text = eb.fn.coalesce('messages.search_text', 'messages.body');
  return wordsOf(keywords ?? '').map((word) => contains(text, word));
}
