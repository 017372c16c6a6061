import type { Brand, Json, Listeners, Stop } from '../../kit/index.ts';

/** A node of the cluster: made anew at every start, so that a restarted node is another one. */
export type NodeId = Brand<'NodeId'>;

/**
 * The longest request or answer, as JSON text.
 * @peer the asking node: `too-large`
 * @test peers: requests and answers are bounded
 */
export const MAX_PEER_BYTES = 256 * 1024;
/**
 * Requests of one node that wait for their answers.
 * @peer the asking node: `busy`
 * @test peers: requests and answers are bounded
 */
export const MAX_PEER_REQUESTS = 10_000;

/**
 * What nodes say to each other. Requests, answered or failed: used where one node owns what another is asked about (a live call,
 * a SockJS session). News to all, lossy: used for what comes back as a snapshot (presence). Requests from one node to another
 * arrive in the order of the calls, and so does news; a request may overtake news.
 */
export interface Peers {
  readonly self: NodeId;
  /** Nodes that are up, this one excluded. */
  readonly others: ReadonlySet<NodeId>;
  /**
   * Asks `node` and resolves with its answer.
   * @throws peer-down (it is not there, or went while it was asked) | peer-timeout | peer-busy | too-large, or the Problem that
   * its handler threw
   */
  ask(node: NodeId, kind: string, input: Json, deadlineMs: number): Promise<Json>;
  /** Answers requests of one kind. @throws Error where the kind has a handler */
  answer(kind: string, handler: (input: Json, from: NodeId) => Promise<Json>): Stop;
  /** Tells every other node; where the network is away, nobody. @throws too-large */
  tell(kind: string, input: Json): void;
  /** Hears what the others tell of one kind. @throws Error where the kind is heard already */
  hear(kind: string, handler: (input: Json, from: NodeId) => void): Stop;
  /** A node has come. */
  readonly up: Pick<Listeners<NodeId>, 'add'>;
  /** A node has gone: what it owned is nobody's now. */
  readonly down: Pick<Listeners<NodeId>, 'add'>;
  /** Tells the others. Requests under way fail with peer-down. Idempotent. */
  close(): Promise<void>;
}
