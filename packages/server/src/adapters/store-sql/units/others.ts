import { directoryStream, userStream } from '../../../core/journal/index.ts';
import type { UnitHandler, UnitHandlers } from './context.ts';
import { requireUsers } from './users.ts';

const state: UnitHandler<'presence.state'> = async (context, { user, stated }) => {
  const { db } = context;
  await requireUsers(db, [user]);
  const { contact, activity, note, at } = stated;
  await db
    .insertInto('stated_presence')
    .values({ user_id: user, contact, activity, note, at })
    .onConflict((on) => on.columns(['user_id', 'contact']).doUpdateSet({ activity, note, at }))
    .execute();
  context.tell(directoryStream, { kind: 'presence-stated', user });
  return null;
};

/** The mark never moves back, and never ahead of what there is: later messages are unread. */
const markRead: UnitHandler<'conversations.mark-read'> = async (context, { user, conversation, seq }) => {
  const standing = await context.standingOf(conversation);
  if (standing === null) return null;
  const mark = Math.min(seq, standing.seq);
  await context.db
    .insertInto('read_marks')
    .values({ user_num: await context.streams.numberOf(userStream(user)), conversation: standing.num, seq: mark })
    .onConflict((on) =>
      on.columns(['user_num', 'conversation']).doUpdateSet({ seq: mark }).where('read_marks.seq', '<', mark),
    )
    .execute();
  return null;
};

export const presenceUnits: UnitHandlers<'presence'> = { 'presence.state': state };
export const conversationUnits = { 'conversations.mark-read': markRead };
