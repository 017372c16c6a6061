import { messageOf } from '../codec.ts';
import type { QueryHandlers } from './context.ts';
import { readHistory } from './history.ts';
import { findMessageRow } from './messages.ts';
import { readUnread } from './unread.ts';

/** `hasLog`: what is not settled yet stands in `mail_log`. */
export function conversationQueries(hasLog: boolean): QueryHandlers<'conversations'> {
  return {
    'conversations.history': (db, ask) => readHistory(db, ask, hasLog),
    'conversations.unread': (db, { user }) => readUnread(db, user, hasLog),
    async 'conversations.message'(db, { id }) {
      const row = await findMessageRow(db, id);
      return row === undefined ? null : messageOf(row);
    },
  };
}
