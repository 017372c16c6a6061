export * from './decide.ts';
export * from './model.ts';
export * from './user-apis.ts';
