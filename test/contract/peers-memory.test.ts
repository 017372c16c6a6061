import { MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { peersContract } from './peers.ts';

peersContract('one process', async () => {
  const network = new MemoryNetwork(systemClock, randomIds);
  return { join: async () => network.join(), close: async () => undefined };
});
