import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from '../dialect/connection.ts';
import { initial } from './2026-11-21-initial.ts';

/** Every migration, by its dated name; never changed once released. */
export function migrationsFor(types: ColumnTypes): Readonly<Record<string, Migration>> {
  return {
    '2026-11-21-initial': initial(types),
  };
}
