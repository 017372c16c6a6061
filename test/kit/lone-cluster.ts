import { MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { type Cluster, joinCluster, type Peers } from '../../packages/server/src/core/index.ts';
import { type Clock, randomIds } from '../../packages/server/src/kit/index.ts';

/** A node that has every role, without a store; alone unless `peers` knows others. */
export async function loneCluster(clock: Clock, peers: Peers = joinNetwork(clock)): Promise<Cluster> {
  const { self } = peers;
  const membership = await joinCluster({
    store: {
      write: (_kind, input) => {
        const roles = 'roles' in input ? input.roles.map((role) => [role, self]) : [];
        return Promise.resolve({ roles: Object.fromEntries(roles), others: [] } as never);
      },
    },
    clock,
    self,
    bus: null,
    isAlone: true,
    onTrouble(error) {
      throw error;
    },
  });
  return { peers, membership };
}

function joinNetwork(clock: Clock): Peers {
  return new MemoryNetwork(clock, randomIds).join();
}
