import { Migrator } from 'kysely/migration';
import type { Connection } from './dialect/connection.ts';
import { migrationsFor } from './migrations/index.ts';
import { storeTooNew } from './problems.ts';

/** Brings the schema up to date, all of it or nothing. @throws store-too-new */
export async function migrate(connection: Connection): Promise<void> {
  const migrations = migrationsFor(connection.types);
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  // The transaction is ours: it holds what is checked here, too.
  const migrator = new Migrator({ db: connection.db, provider, disableTransactions: true });
  await connection.begin();
  try {
    await refuseNewer(connection);
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed');
    await connection.commit();
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

/** A newer version of the program may mean other things by the tables that this one knows. @throws store-too-new */
export async function refuseNewer(connection: Connection): Promise<void> {
  const known = new Set(Object.keys(migrationsFor(connection.types)));
  const stranger = (await appliedMigrations(connection)).find((name) => !known.has(name));
  if (stranger !== undefined) throw storeTooNew(stranger);
}

/** Names of what made the schema; none where the database is not Tieline's, or not yet. */
export async function appliedMigrations({ db }: Connection): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const applied = await db
    .$extendTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return applied.map(({ name }) => name);
}
