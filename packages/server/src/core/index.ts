export * from './cluster/index.ts';
export { type Core, type CoreParts, createCore, type Engines } from './create-core.ts';
export * from './events.ts';
export * from './ports.ts';
