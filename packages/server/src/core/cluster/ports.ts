import type { NodeId } from './peers.ts';

/** A node as the store knows it. */
export interface KnownNode {
  readonly node: NodeId;
  /** Name of the bus that it is on; null: it is on none, and believes that it is alone. */
  readonly bus: string | null;
}

/** What a renewal found, as of its commit. */
export interface Renewal {
  /** Who holds each role that was asked for. */
  readonly roles: Readonly<Record<string, NodeId>>;
  /** Nodes whose lease stands, the asking one excluded. */
  readonly others: readonly KnownNode[];
}

/**
 * Nodes have leases; roles (such as holding the TapiServer's connection) belong to a node as long as its lease stands. Time is
 * the store's, so that the nodes' own clocks need not agree.
 */
export interface ClusterUnits {
  /**
   * The node lives for `leaseMs` from now. Each of `roles` that nobody living holds becomes its own. `isAlone`: the store has
   * one owner, so every other node is a dead one and is forgotten.
   */
  'cluster.renew': {
    input: KnownNode & { readonly leaseMs: number; readonly roles: readonly string[]; readonly isAlone: boolean };
    output: Renewal;
  };
  /** Gives up a role that the node holds. */
  'cluster.resign': { input: { readonly node: NodeId; readonly role: string }; output: null };
  /** The node ends: its lease and its roles. */
  'cluster.leave': { input: { readonly node: NodeId }; output: null };
}
