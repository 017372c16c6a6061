import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Cluster, type NodeAddresses, type NodeId, ownerOf } from '../../core/cluster/index.ts';
import type { Forwarder, Http } from '../../http/index.ts';
import { type Clock, Lru, problemOf, type Stop } from '../../kit/index.ts';
import type { Elsewhere } from './sockjs/index.ts';

/**
 * Sessions on other nodes whose owners are remembered: as many as one node has of its own.
 * @peer nothing: the owner is looked for again
 * @test tapi-messenger/session-owners: no more owners are remembered
 */
export const MAX_REMEMBERED_OWNERS = 20_000;
/** A remembered owner that was not used for so long is looked for again; a client polls more often. */
const REMEMBER_MS = 60_000;
/** A node that has not answered by then counts as one without the session. */
const ASK_MS = 1_000;
const KIND = 'sockjs.has';

export interface SessionOwnersParts {
  readonly cluster: Cluster;
  readonly addresses: NodeAddresses;
  readonly forwarder: Forwarder;
  readonly http: Pick<Http, 'isHop'>;
  readonly clock: Clock;
  /** The session is here. */
  readonly has: (id: string) => boolean;
}

/**
 * Finds the node that has a session over HTTP, and sends requests there (design §5). A session begins on the node that its id
 * hashes to, and stays where it is when nodes come and go: so its owner is looked for here, at the node of the hash, at the others.
 */
export function openSessionOwners(parts: SessionOwnersParts): Elsewhere & { close: Stop } {
  const { cluster, addresses, forwarder, http, clock, has } = parts;
  const { peers, membership } = cluster;
  const remembered = new Lru<string, { readonly node: NodeId; readonly at: number }>(MAX_REMEMBERED_OWNERS);
  // eslint-disable-next-line @typescript-eslint/require-await -- the port's answers are promises
  const close = peers.answer(KIND, async (id) => typeof id === 'string' && has(id));

  async function serve(req: IncomingMessage, res: ServerResponse, id: string, isReceiving: boolean): Promise<boolean> {
    const unreachable = new Set<NodeId>();
    for (;;) {
      const node = await find(id, unreachable);
      if (res.destroyed) return true;
      if (node === peers.self) return false;
      const base = await addresses.addressOf(node);
      const target = base === null ? null : { node, base, isOpenEnded: isReceiving };
      if (target !== null && (await forwarder.forward(req, res, target)) === 'answered') {
        if (res.statusCode === 404) remembered.delete(id);
        else remembered.set(id, { node, at: clock.now() });
        return true;
      }
      remembered.delete(id);
      unreachable.add(node);
      // What was sent may be lost with its session: the client is told that there is none. A receiver may begin one elsewhere.
      if (!isReceiving) return false;
    }
  }

  /** Who has it, else who should. */
  async function find(id: string, except: ReadonlySet<NodeId>): Promise<NodeId> {
    const known = remembered.get(id);
    if (known !== undefined && clock.now() - known.at < REMEMBER_MS && !except.has(known.node)) return known.node;
    const living = [...membership.living].filter((node) => !except.has(node));
    const owner = ownerOf(id, living) ?? peers.self;
    if (owner !== peers.self && (await isAt(owner, id))) return owner;
    const others = [...peers.others].filter((node) => node !== owner && !except.has(node));
    const found = await Promise.all(others.map(async (node) => ((await isAt(node, id)) ? node : null)));
    return found.find((node) => node !== null) ?? owner;
  }

  async function isAt(node: NodeId, id: string): Promise<boolean> {
    try {
      return (await peers.ask(node, KIND, id, ASK_MS)) === true;
    } catch (error) {
      problemOf(error);
      return false;
    }
  }

  return {
    serve(req, res, id, isReceiving) {
      const isAlone = peers.others.size === 0 && membership.living.size < 2;
      return isAlone || http.isHop(req) ? false : serve(req, res, id, isReceiving);
    },
    close,
  };
}
