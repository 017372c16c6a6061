export * from './delivery.ts';
export * from './subscription.ts';
export * from './tail.ts';
