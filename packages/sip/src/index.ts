export * from './messages/index.ts';
export * from './transport/index.ts';
export * from './clock/index.ts';
export * from './ids/index.ts';
export * from './transactions/index.ts';
export * from './digest/index.ts';
export * from './dns/index.ts';
