import type { Config } from './config/index.ts';

/** Where the settings put the store, as the adapter takes it. */
export function storePlace(database: Config['database']): { readonly file: string } | { readonly url: string } {
  return database.kind === 'sqlite' ? { file: database.file } : { url: database.url };
}
