import { MAX_PEER_BYTES, MAX_PEER_REQUESTS, type NodeId, type Peers } from '../../core/index.ts';
import { type Clock, type Ids, type Json, Listeners, Problem, type Stop } from '../../kit/index.ts';

type Handler = (input: Json, from: NodeId) => Promise<Json>;
type Hearer = (input: Json, from: NodeId) => void;

/** Nodes of one process that can ask each other. A single node is alone in its network. */
export class MemoryNetwork {
  readonly #nodes = new Map<NodeId, MemoryPeers>();
  readonly clock: Clock;
  readonly #ids: Ids;

  constructor(clock: Clock, ids: Ids) {
    this.clock = clock;
    this.#ids = ids;
  }

  join(): Peers {
    const node = new MemoryPeers(this, this.#ids.guid() as NodeId);
    for (const other of this.#nodes.values()) {
      other.met(node.self);
      node.met(other.self);
    }
    this.#nodes.set(node.self, node);
    return node;
  }

  find(node: NodeId): MemoryPeers | undefined {
    return this.#nodes.get(node);
  }

  leave(node: NodeId): void {
    if (!this.#nodes.delete(node)) return;
    for (const other of this.#nodes.values()) other.lost(node);
  }
}

class MemoryPeers implements Peers {
  readonly self: NodeId;
  readonly others = new Set<NodeId>();
  readonly up = new Listeners<NodeId>();
  readonly down = new Listeners<NodeId>();
  readonly #network: MemoryNetwork;
  readonly #handlers = new Map<string, Handler>();
  readonly #hearers = new Map<string, Hearer>();
  readonly #waiting = new Map<NodeId, Set<(problem: Problem) => void>>();
  #underWay = 0;

  constructor(network: MemoryNetwork, self: NodeId) {
    this.#network = network;
    this.self = self;
  }

  async ask(node: NodeId, kind: string, input: Json, deadlineMs: number): Promise<Json> {
    const text = encoded(input);
    const peer = this.#network.find(this.self) === undefined ? undefined : this.#network.find(node);
    if (peer === undefined) throw peerDown(node);
    if (this.#underWay >= MAX_PEER_REQUESTS) throw new Problem('peer-busy', 'Too many requests wait.', { retry: true });
    this.#underWay++;
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const waiting = this.#waiting.get(node) ?? new Set();
    this.#waiting.set(node, waiting.add(reject));
    const timer = this.#network.clock.after(deadlineMs, () =>
      reject(new Problem('peer-timeout', 'The node has not answered in time.', { retry: true, subject: node })),
    );
    try {
      return decoded(await Promise.race([peer.take(kind, text, this.self), failed]));
    } finally {
      timer.cancel();
      waiting.delete(reject);
      this.#underWay--;
    }
  }

  /** What comes from another node: JSON text, as it would over a wire. */
  async take(kind: string, text: string, from: NodeId): Promise<string> {
    const handler = this.#handlers.get(kind);
    if (handler === undefined)
      throw new Problem('peer-unknown-request', 'The node does not know this.', { subject: kind });
    return encoded(await handler(decoded(text), from));
  }

  answer(kind: string, handler: Handler): Stop {
    return register(this.#handlers, kind, handler);
  }

  tell(kind: string, input: Json): void {
    const text = encoded(input);
    for (const node of this.others) {
      const peer = this.#network.find(node);
      queueMicrotask(() => peer?.news(kind, text, this.self));
    }
  }

  hear(kind: string, handler: Hearer): Stop {
    return register(this.#hearers, kind, handler);
  }

  news(kind: string, text: string, from: NodeId): void {
    if (this.others.has(from)) this.#hearers.get(kind)?.(decoded(text), from);
  }

  met(node: NodeId): void {
    this.others.add(node);
    this.up.emit(node);
  }

  lost(node: NodeId): void {
    this.others.delete(node);
    this.#fail(node);
    this.down.emit(node);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's promise is for networks that are real
  async close(): Promise<void> {
    this.#network.leave(this.self);
    for (const node of this.#waiting.keys()) this.#fail(node);
    this.others.clear();
    this.#handlers.clear();
    this.#hearers.clear();
  }

  #fail(node: NodeId): void {
    for (const reject of this.#waiting.get(node) ?? []) reject(peerDown(node));
    this.#waiting.delete(node);
  }
}

function register<H>(handlers: Map<string, H>, kind: string, handler: H): Stop {
  if (handlers.has(kind)) throw new Error(`${kind} has a handler already.`);
  handlers.set(kind, handler);
  return () => {
    if (handlers.get(kind) === handler) handlers.delete(kind);
  };
}

function encoded(value: Json): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > MAX_PEER_BYTES)
    throw new Problem('too-large', `Requests between nodes have at most ${MAX_PEER_BYTES} bytes.`);
  return text;
}

function decoded(text: string): Json {
  return JSON.parse(text) as Json;
}

function peerDown(node: NodeId): Problem {
  return new Problem('peer-down', 'The node is not there.', { retry: true, subject: node });
}
