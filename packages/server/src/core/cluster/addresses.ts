import { Lru, problemOf } from '../../kit/index.ts';
import type { NodeId, Peers } from './peers.ts';

/**
 * Nodes whose addresses are kept: more than any cluster has, those that ended included.
 * @peer nothing: the least recently used is asked again
 * @test cluster/addresses: no more addresses are kept
 */
export const MAX_NODE_ADDRESSES = 256;
/** A node that doesn't say by then where it is can't be reached. */
const ASK_MS = 1_000;
const KIND = 'cluster.address';

/** Where nodes take each other's requests, as they tell. The words are theirs; the core only passes them on. */
export interface NodeAddresses {
  /** Null: the node takes no requests, or can't be asked. */
  addressOf(node: NodeId): Promise<string | null>;
  /** This node takes requests there; null: none (any more). */
  announce(address: string | null): void;
  close(): void;
}

export function openNodeAddresses(peers: Peers): NodeAddresses {
  const known = new Lru<NodeId, string>(MAX_NODE_ADDRESSES);
  let own: string | null = null;

  function learn(node: NodeId, address: unknown): string | null {
    if (typeof address === 'string') {
      known.set(node, address);
      return address;
    }
    known.delete(node);
    return null;
  }

  const stops = [
    peers.hear(KIND, (address, from) => void learn(from, address)),
    // eslint-disable-next-line @typescript-eslint/require-await -- the port's answers are promises
    peers.answer(KIND, async () => own),
    peers.up.add(() => peers.tell(KIND, own)),
  ];

  return {
    async addressOf(node) {
      const address = known.get(node);
      if (address !== undefined) return address;
      try {
        return learn(node, await peers.ask(node, KIND, null, ASK_MS));
      } catch (error) {
        // Whoever can't be asked can't be reached either.
        problemOf(error);
        return null;
      }
    },
    announce(address) {
      own = address;
      peers.tell(KIND, address);
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}
