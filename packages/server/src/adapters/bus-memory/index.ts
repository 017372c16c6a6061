export { createMemoryBell } from './bell.ts';
export { MemoryNetwork } from './peers.ts';
