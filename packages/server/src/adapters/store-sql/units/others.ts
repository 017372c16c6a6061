import { sql } from 'kysely';
import { userStream } from '../../../core/journal/index.ts';
import { callRow } from '../codec.ts';
import type { UnitHandler, UnitHandlers } from './context.ts';
import { requireUsers } from './users.ts';

const state: UnitHandler<'presence.state'> = async ({ db }, { user, stated }) => {
  await requireUsers(db, [user]);
  const { contact, activity, note, at } = stated;
  await db
    .insertInto('stated_presence')
    .values({ user_id: user, contact, activity, note, at })
    .onConflict((on) => on.columns(['user_id', 'contact']).doUpdateSet({ activity, note, at }))
    .execute();
  return null;
};

/** A read message stays read: the mark never moves back. */
const markRead: UnitHandler<'conversations.mark-read'> = async ({ db }, { user, conversation, seq }) => {
  await db
    .updateTable('mailbox')
    .set({ is_read: 1 })
    .where('user_id', '=', user)
    .where('conversation', '=', conversation)
    .where('seq', '<=', seq)
    // Written out, so that the planner sees that the index of unread rows serves.
    .where('is_read', '=', sql.lit(0))
    .execute();
  return null;
};

const record: UnitHandler<'calls.record'> = async (context, { call }) => {
  const added = await context.db
    .insertInto('calls')
    .values(callRow(call))
    .onConflict((on) => on.column('id').doNothing())
    .executeTakeFirst();
  const isNew = (added.numInsertedOrUpdatedRows ?? 0n) > 0n;
  if (isNew && call.user !== null) context.tell(userStream(call.user), { kind: 'call-record', call });
  return null;
};

export const presenceUnits: UnitHandlers<'presence'> = { 'presence.state': state };
export const conversationUnits = { 'conversations.mark-read': markRead };
export const callUnits: UnitHandlers<'calls'> = { 'calls.record': record };
