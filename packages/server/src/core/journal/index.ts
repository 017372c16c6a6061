export * from './position.ts';
export * from './store.ts';
export * from './streams.ts';
