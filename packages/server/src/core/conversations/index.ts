export * from './draft.ts';
export * from './errors.ts';
export * from './model.ts';
export * from './plain-html.ts';
export * from './ports.ts';
export * from './service.ts';
