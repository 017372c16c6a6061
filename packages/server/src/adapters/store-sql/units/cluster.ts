import type { Kysely } from 'kysely';
import type { NodeId } from '../../../core/cluster/index.ts';
import type { Tables } from '../schema.ts';
import { loseOrphans } from './calls.ts';
import type { UnitHandlers } from './context.ts';

type Handlers = UnitHandlers<'cluster'>;

const renew: Handlers['cluster.renew'] = async (context, { node, bus, leaseMs, roles, isAlone }) => {
  const { db } = context;
  const now = await context.time();
  await forgetDead(db, isAlone ? node : null, now);
  const until = now + leaseMs;
  await db
    .insertInto('nodes')
    .values({ id: node, bus, until })
    .onConflict((on) => on.column('id').doUpdateSet({ bus, until }))
    .execute();
  await loseOrphans(context);
  for (const role of roles)
    await db
      .insertInto('roles')
      .values({ role, node })
      .onConflict((on) => on.column('role').doNothing())
      .execute();
  const held = await db.selectFrom('roles').selectAll().execute();
  const others = await db.selectFrom('nodes').select(['id as node', 'bus']).where('id', '!=', node).execute();
  const asked = new Set(roles);
  return { roles: Object.fromEntries(held.flatMap((r) => (asked.has(r.role) ? [[r.role, r.node]] : []))), others };
};

/** Nodes whose lease has run out, and the roles that they had; `alone`: all but this one. */
async function forgetDead(db: Kysely<Tables>, alone: NodeId | null, now: number): Promise<void> {
  const dead = db.deleteFrom('nodes').returning('id');
  const gone = alone === null ? dead.where('until', '<', now) : dead.where('id', '!=', alone);
  for (const { id } of await gone.execute()) await dropRoles(db, id);
}

async function dropRoles(db: Kysely<Tables>, node: NodeId): Promise<void> {
  await db.deleteFrom('roles').where('node', '=', node).execute();
}

const resign: Handlers['cluster.resign'] = async ({ db }, { node, role }) => {
  await db.deleteFrom('roles').where('role', '=', role).where('node', '=', node).execute();
  return null;
};

const leave: Handlers['cluster.leave'] = async (context, { node }) => {
  await context.db.deleteFrom('nodes').where('id', '=', node).execute();
  await dropRoles(context.db, node);
  await loseOrphans(context);
  return null;
};

export const clusterUnits: Handlers = { 'cluster.renew': renew, 'cluster.resign': resign, 'cluster.leave': leave };
