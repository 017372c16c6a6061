import type { Stop } from '../../kit/index.ts';
import type { Membership } from './membership.ts';
import type { Peers } from './peers.ts';

const RESIGNED = 'cluster.resigned';

interface Parts {
  readonly peers: Peers;
  readonly membership: Membership;
}

/** What nodes hear of each other makes them look at the leases at once: roles that fall free are taken without waiting. */
export function watchPeers({ peers, membership }: Parts): Stop {
  const look = (): void => membership.refresh();
  const stops = [peers.hear(RESIGNED, look), peers.down.add(look), peers.up.add(look)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Gives this node's roles to others, and tells them so. For a node that drains. */
export async function handOver({ peers, membership }: Parts): Promise<void> {
  await membership.resign();
  peers.tell(RESIGNED, null);
}
