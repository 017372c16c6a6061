import type { Backing } from './backing.ts';
import type { Cluster, NodeId, Peers } from './core/index.ts';
import type { Delivery } from './delivery/index.ts';
import type { Log, Metrics } from './observe/index.ts';

/** Peers that are counted: what this node asks the others, and what of it failed. */
export interface CountedPeers extends Peers {
  readonly counts: { readonly asked: number; readonly failed: number };
}

export function countPeers(peers: Peers): CountedPeers {
  const counts = { asked: 0, failed: 0 };
  return {
    counts,
    self: peers.self,
    get others() {
      return peers.others;
    },
    up: peers.up,
    down: peers.down,
    async ask(node, kind, input, deadlineMs) {
      counts.asked++;
      try {
        return await peers.ask(node, kind, input, deadlineMs);
      } catch (error) {
        counts.failed++;
        throw error;
      }
    },
    answer: (kind, handler) => peers.answer(kind, handler),
    tell: (kind, input) => peers.tell(kind, input),
    hear: (kind, handler) => peers.hear(kind, handler),
    close: () => peers.close(),
  };
}

/** Says in the log who comes and goes, and puts the cluster into the figures. */
export function reportCluster(parts: {
  readonly cluster: Cluster & { readonly peers: CountedPeers };
  readonly backing: Pick<Backing, 'sql' | 'isBusConnected'>;
  readonly delivery: Pick<Delivery, 'applied'>;
  readonly log: Log;
  readonly metrics: Metrics;
}): () => void {
  const { cluster, backing, delivery, log, metrics } = parts;
  const { peers, membership } = cluster;
  const figure = (kind: 'counter' | 'gauge', name: string, help: string, read: () => number | Promise<number>): void =>
    metrics.watch({ name, help, kind, read });
  figure('gauge', 'cluster_nodes', 'Nodes that live by their leases, this one included.', () => membership.living.size);
  figure('gauge', 'cluster_nodes_heard', 'The same, by the bus.', () => peers.others.size + 1);
  figure('gauge', 'cluster_lease', '1: the lease of this node stands.', () => Number(membership.isLive));
  figure('gauge', 'cluster_roles', 'Roles that this node holds.', () => membership.held.size);
  figure('counter', 'cluster_requests_total', 'Requests to other nodes.', () => peers.counts.asked);
  figure('counter', 'cluster_request_failures_total', 'Those that failed.', () => peers.counts.failed);
  figure('gauge', 'bus_up', '1: the other nodes can be reached.', () => Number(backing.isBusConnected));
  figure('gauge', 'journal_lag', 'Entries that are stored and not yet told here.', async () => {
    try {
      return Math.max(0, (await backing.sql.journal.head()) - delivery.applied);
    } catch (error) {
      log.debug('cluster.lag-unknown', { error });
      return NaN;
    }
  });
  const nodeUp = (node: NodeId): void => log.info('cluster.node-up', { node });
  // Those that were there first.
  for (const node of peers.others) nodeUp(node);
  const stops = [peers.up.add(nodeUp), peers.down.add((node) => log.warn('cluster.node-down', { node }))];
  return () => {
    for (const stop of stops) stop();
  };
}
