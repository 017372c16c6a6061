import { sql } from 'kysely';
import type { SealedSecret, SecretOwner } from '../../core/directory/index.ts';
import type { QueryHandlers } from './queries/context.ts';
import type { UnitHandlers } from './units/context.ts';

/** Where sealed secrets lie, and whose they are. */
const PLACES = {
  user: { table: sql.table('users'), owner: sql.ref('id'), secret: sql.ref('sealed_myapps') },
  device: { table: sql.table('devices'), owner: sql.ref('id'), secret: sql.ref('secret') },
  app: { table: sql.table('apps'), owner: sql.ref('name'), secret: sql.ref('secret') },
} as const satisfies Record<SecretOwner, object>;

export const sealed: QueryHandlers<'directory'>['directory.sealed'] = async (db, { kind, after, limit }) => {
  const { table, owner, secret } = PLACES[kind];
  const { rows } = await sql<SealedSecret>`
    select ${owner} as owner, ${secret} as secret from ${table}
    where ${secret} is not null and ${owner} > ${after ?? ''} order by ${owner} limit ${limit}`.execute(db);
  return rows;
};

export const reseal: UnitHandlers<'directory'>['directory.reseal'] = async ({ db }, { kind, secrets }) => {
  const { table, owner, secret } = PLACES[kind];
  let replaced = 0n;
  for (const change of secrets) {
    const { numAffectedRows = 0n } = await sql`
      update ${table} set ${secret} = ${change.to} where ${owner} = ${change.owner} and ${secret} = ${change.from}`.execute(
      db,
    );
    replaced += numAffectedRows;
  }
  return Number(replaced);
};
