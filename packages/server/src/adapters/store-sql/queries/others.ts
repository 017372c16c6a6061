import type { QueryHandler, QueryHandlers } from './context.ts';
import { callOf } from '../codec.ts';

const stated: QueryHandler<'presence.stated'> = async (db, { user }) =>
  db
    .selectFrom('stated_presence')
    .select(['contact', 'activity', 'note', 'at'])
    .where('user_id', '=', user)
    .orderBy('at', 'desc')
    .orderBy('contact')
    .execute();

const history: QueryHandler<'calls.history'> = async (db, { user, before, limit }) => {
  let query = db
    .selectFrom('calls')
    .selectAll()
    .where('user_id', '=', user)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
  if (before !== null) {
    const last = await db.selectFrom('calls').select(['started_at', 'id']).where('id', '=', before).executeTakeFirst();
    if (last === undefined) return [];
    query = query.where((eb) => eb(eb.refTuple('started_at', 'id'), '<', eb.tuple(last.started_at, last.id)));
  }
  return (await query.execute()).map(callOf);
};

export const presenceQueries: QueryHandlers<'presence'> = { 'presence.stated': stated };
export const callQueries: QueryHandlers<'calls'> = { 'calls.history': history };
