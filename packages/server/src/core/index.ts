export { type Core, type CoreParts, createCore, type Engines } from './create-core.ts';
export * from './events.ts';
export * from './peers.ts';
export * from './ports.ts';
