import { Client } from 'pg';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { randomIds } from '../../packages/server/src/kit/index.ts';
import type { PostgresServer } from '../kit/postgres.ts';
import { until } from '../kit/wait.ts';
import type { StorePlace } from './store-place.ts';

export interface PostgresPlace extends StorePlace {
  readonly url: string;
  /** Of the database. */
  readonly name: string;
  /** One statement beside the store. */
  ask(text: string): Promise<readonly Record<string, unknown>[]>;
}

/** A store in a database of its own. */
export async function postgresPlace(server: PostgresServer): Promise<PostgresPlace> {
  const name = `store_${randomIds.label(10)}`;
  const url = await server.createDatabase(name);
  let beside: Client | null = null;
  async function ask(text: string): Promise<readonly Record<string, unknown>[]> {
    if (beside === null) {
      beside = new Client({ connectionString: url });
      beside.on('error', () => (beside = null));
      await beside.connect();
    }
    return (await beside.query<Record<string, unknown>>(text)).rows;
  }
  return {
    url,
    name,
    ask,
    open: (parts) => createStoreSql({ url, ids: randomIds, ...parts }),
    caughtUp: () =>
      until(async () => (await ask('select 1 from fresh_entries limit 1')).length === 0, 'all positions').then(
        () => undefined,
      ),
    async dispose() {
      await beside?.end();
      await server.run(`drop database ${name} with (force)`);
    },
  };
}
