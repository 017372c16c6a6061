import { existsSync } from 'node:fs';
import { backUpSqlite, renewEpochOfPostgres, renewEpochOfSqlite, restoreSqlite } from '../adapters/store-sql/index.ts';
import type { Config } from '../config/index.ts';
import { Problem } from '../kit/index.ts';
import type { Console } from './console.ts';

/** `tieline backup`: copies the database, also while the server runs. */
export async function backUp(config: Config, target: string, console: Console): Promise<void> {
  const { file, bytes } = await backUpSqlite(sqliteFileOf(config, USE_PG_DUMP), target, new Date());
  console.say(`Wrote ${file} (${(bytes / 2 ** 20).toFixed(1)} MiB).`);
  if (config.secretKeys.length === 0)
    console.say(
      `It does not hold the key, without which its secrets stay sealed. Keep that apart: ${config.secretKeyFile}`,
    );
}

/** `tieline restore`: puts a backup into the place of the database. */
export async function restore(config: Config, source: string, console: Console): Promise<void> {
  const file = sqliteFileOf(config, USE_PG_RESTORE);
  const kept = await restoreSqlite(file, source, new Date());
  console.say(`Restored ${file} from ${source}.`);
  if (kept !== null) console.say(`What was there before: ${kept}`);
  console.say('Clients that have been told more than the backup knows will be told to load everything anew.');
  if (config.secretKeys.length === 0 && !existsSync(config.secretKeyFile))
    console.complain(`The key is missing: put it back before the server starts, as ${config.secretKeyFile}`);
}

/** `tieline restore --new-epoch`: for a store that was put back by other means. */
export async function renewEpoch(config: Config, console: Console): Promise<void> {
  const { database } = config;
  if (database.kind === 'sqlite') renewEpochOfSqlite(database.file);
  else await renewEpochOfPostgres(database.url);
  console.say(
    'The next start gives the store a new epoch: clients that come back will be told to load everything anew.',
  );
}

const USE_PG_DUMP = 'PostgreSQL is backed up by its own tools: pg_dump, or pg_basebackup with the archive of its log.';
const USE_PG_RESTORE =
  'PostgreSQL is restored by its own tools; then say so with `tieline restore --new-epoch`, before a node starts.';

function sqliteFileOf({ database }: Config, otherwise: string): string {
  if (database.kind === 'sqlite') return database.file;
  throw new Problem('not-for-postgres', otherwise);
}
