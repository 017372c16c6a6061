import { createHash } from 'node:crypto';
import type { NodeId } from './peers.ts';

/**
 * The node that owns `key`, by rendezvous hashing: the same on all nodes that see the same ones living. When a node comes or goes,
 * only the keys that it owns then, or owned, move. Null: there is no node.
 */
export function ownerOf(key: string, nodes: Iterable<NodeId>): NodeId | null {
  let owner: NodeId | null = null;
  let most = -1;
  for (const node of nodes) {
    const weight = createHash('sha256').update(`${node} ${key}`).digest().readUIntBE(0, 6);
    if (weight > most || (weight === most && owner !== null && node > owner)) [owner, most] = [node, weight];
  }
  return owner;
}
