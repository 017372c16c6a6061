export { createStoreSql, type SqlStore, type StoreSqlOptions } from './store.ts';
export type { StoreFigures } from './figures.ts';
export type { StoreLog } from './log.ts';
export { backUpSqlite, type Backup, renewEpochOfSqlite, restoreSqlite } from './copies.ts';
export { renewEpochOfPostgres } from './postgres/store.ts';
