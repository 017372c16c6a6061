import { messageOf } from '../codec.ts';
import type { QueryHandlers } from './context.ts';
import { readHistory } from './history.ts';
import { findMessageRow } from './messages.ts';
import { readUnread } from './unread.ts';

export const conversationQueries: QueryHandlers<'conversations'> = {
  'conversations.history': readHistory,
  'conversations.unread': (db, { user }) => readUnread(db, user),
  async 'conversations.message'(db, { id }) {
    const row = await findMessageRow(db, id);
    return row === undefined ? null : messageOf(row);
  },
};
