import type { Membership } from './membership.ts';
import type { Peers } from './peers.ts';

export * from './addresses.ts';
export * from './board.ts';
export * from './handover.ts';
export * from './membership.ts';
export * from './peers.ts';
export * from './ports.ts';
export * from './rendezvous.ts';

/** A node's view of the others. */
export interface Cluster {
  /** What nodes say to each other; lost while the bus is away. */
  readonly peers: Peers;
  /** Who lives and who has which role, by the store. */
  readonly membership: Membership;
}
