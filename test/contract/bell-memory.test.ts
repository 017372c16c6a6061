import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { bellContract } from './bell.ts';

bellContract('in this process', () => Promise.resolve({ bells: [createMemoryBell()], close: () => Promise.resolve() }));
