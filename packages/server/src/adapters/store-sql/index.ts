export { createStoreSql, type SqlStore, type StoreFigures, type StoreSqlOptions } from './store.ts';
export type { StoreLog } from './log.ts';
export { backUpSqlite, type Backup, renewEpochOfSqlite, restoreSqlite } from './copies.ts';
export { renewEpochOfPostgres } from './postgres/store.ts';
