import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { randomIds } from '../../packages/server/src/kit/index.ts';
import type { StorePlace } from './store-place.ts';

/** A SQLite store in a folder of its own. `settleAfter`: see StoreSqlOptions. */
export async function sqlitePlace(settleAfter?: number): Promise<StorePlace & { readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-store-'));
  const file = join(folder, 'tieline.db');
  return {
    file,
    open: (parts) =>
      createStoreSql({ file, ids: randomIds, ...parts, ...(settleAfter === undefined ? {} : { settleAfter }) }),
    dispose: () => rm(folder, { recursive: true }),
  };
}
