export * from './merge.ts';
export * from './model.ts';
export * from './ports.ts';
export * from './service.ts';
