export * from './delivery.ts';
export * from './directory-cache.ts';
export * from './subscription.ts';
export * from './tail.ts';
