import { fileLookup } from './file.ts';
import { httpLookup } from './http.ts';
import type { Lookup } from './model.ts';
import { sqlLookup } from './sql.ts';

export { fileLookup } from './file.ts';
export { httpLookup } from './http.ts';
export type { FoundSession, Lookup } from './model.ts';
export { sqlLookup, type SqlLookupOptions } from './sql.ts';

/** The keys `tapi.lookup.*`. */
export interface LookupSettings {
  readonly adapter: 'database' | 'file' | 'sql' | 'http';
  readonly timeoutMs: number;
  readonly file: { readonly path: string | null };
  readonly sql: { readonly url: string | null; readonly query: string | null };
  readonly http: { readonly url: string | null };
}

/** The configured lookup of application sessions; null: the own directory. @throws Error where a setting is missing */
export function openTapiLookup(settings: LookupSettings, onTrouble: (error: unknown) => void): Lookup | null {
  const { adapter, timeoutMs, file, sql, http } = settings;
  switch (adapter) {
    case 'database':
      return null;
    case 'file':
      return fileLookup({ path: given(file.path, 'file.path'), onTrouble });
    case 'sql':
      return sqlLookup({ url: given(sql.url, 'sql.url'), query: given(sql.query, 'sql.query'), timeoutMs, onTrouble });
    case 'http':
      return httpLookup({ url: given(http.url, 'http.url') });
  }
}

function given(value: string | null, name: string): string {
  if (value === null) throw new Error(`tapi.lookup.${name} is not set`);
  return value;
}
