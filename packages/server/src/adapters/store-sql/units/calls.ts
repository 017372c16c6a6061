import { type Call, idempotencyConflict } from '../../../core/calls/index.ts';
import { userStream } from '../../../core/journal/index.ts';
import { callOf, callRow } from '../codec.ts';
import { IDEMPOTENCY_MS } from './append.ts';
import type { UnitContext, UnitHandlers } from './context.ts';

type Handlers = UnitHandlers<'calls'>;

/** Rows of one statement. */
const PIECE = 64;

/** A node that has no lease has no calls: others have closed them. */
const live: Handlers['calls.live'] = async ({ db }, { owner, calls }) => {
  const known = await db.selectFrom('nodes').select('id').where('id', '=', owner).executeTakeFirst();
  if (known === undefined) return null;
  for (const piece of piecesOf(calls))
    await db
      .insertInto('live_calls')
      .values(piece.map((call) => ({ ...callRow(call), owner })))
      .onConflict((on) =>
        on.column('id').doUpdateSet((row) => ({
          state: row.ref('excluded.state'),
          previous: row.ref('excluded.previous'),
          peer: row.ref('excluded.peer'),
          peer_name: row.ref('excluded.peer_name'),
          connected_at: row.ref('excluded.connected_at'),
        })),
      )
      .execute();
  return null;
};

const record: Handlers['calls.record'] = async (context, { call }) => {
  await keep(context, [call]);
  await context.db.deleteFrom('live_calls').where('id', '=', call.id).execute();
  return null;
};

/** The records of ended calls; those that have one already keep it. */
async function keep(context: UnitContext, calls: readonly Call[]): Promise<void> {
  const added = await context.db
    .insertInto('calls')
    .values(calls.map(callRow))
    .onConflict((on) => on.column('id').doNothing())
    .returning('id')
    .execute();
  const fresh = new Set(added.map(({ id }) => id));
  for (const call of calls)
    if (call.user !== null && fresh.has(call.id)) context.tell(userStream(call.user), { kind: 'call-record', call });
}

/** Calls of nodes that live no more have ended as lost. */
export async function loseOrphans(context: UnitContext): Promise<void> {
  const { db } = context;
  const rows = await db
    .deleteFrom('live_calls')
    .where('owner', 'not in', db.selectFrom('nodes').select('id'))
    .returningAll()
    .execute();
  if (rows.length === 0) return;
  const endedAt = await context.time();
  const lost = rows.map((row): Call => {
    const call = callOf(row);
    return { ...call, state: 'ended', previous: call.state, endedAt, end: 'lost' };
  });
  for (const piece of piecesOf(lost)) await keep(context, piece);
}

function* piecesOf<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < list.length; at += PIECE) yield list.slice(at, at + PIECE);
}

const claim: Handlers['calls.claim'] = async (context, { key, hash, node }) => {
  const { db } = context;
  const now = await context.time();
  const fresh = { hash, node, outcome: null, at: now };
  const taken = await db
    .insertInto('call_keys')
    .values({ id: key, ...fresh })
    .onConflict((on) =>
      on
        .column('id')
        .doUpdateSet(fresh)
        .where('call_keys.at', '<=', now - IDEMPOTENCY_MS),
    )
    .returning('id')
    .execute();
  if (taken.length > 0) return null;
  const known = await db
    .selectFrom('call_keys')
    .leftJoin('nodes', (join) => join.onRef('nodes.id', '=', 'call_keys.node').on('nodes.until', '>=', now))
    .select(['call_keys.hash', 'call_keys.outcome', 'nodes.id as living'])
    .where('call_keys.id', '=', key)
    .executeTakeFirstOrThrow();
  if (known.hash !== hash) throw idempotencyConflict();
  return { outcome: known.outcome, isUnderWay: known.outcome === null && known.living !== null };
};

const settle: Handlers['calls.settle'] = async ({ db }, { key, node, outcome }) => {
  if (outcome === null) await db.deleteFrom('call_keys').where('id', '=', key).where('node', '=', node).execute();
  else await db.updateTable('call_keys').set({ outcome }).where('id', '=', key).where('node', '=', node).execute();
  return null;
};

export const callUnits: Handlers = {
  'calls.live': live,
  'calls.record': record,
  'calls.claim': claim,
  'calls.settle': settle,
};
