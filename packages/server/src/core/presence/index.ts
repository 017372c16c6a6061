export type { LeaseEnd, PresenceLease } from './lease.ts';
export * from './merge.ts';
export * from './model.ts';
export * from './ports.ts';
export * from './service.ts';
