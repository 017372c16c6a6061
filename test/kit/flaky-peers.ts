import { type Clock, type Json, Listeners, Problem, type Stop } from '../../packages/server/src/kit/index.ts';
import type { NodeId, Peers } from '../../packages/server/src/core/index.ts';

type Handler = (input: Json, from: NodeId) => Promise<Json>;

/** A network that delays, and while `loss` is over 0 loses requests, or their answers. What arrives, arrives in order. */
export class FlakyNetwork {
  readonly nodes = new Map<NodeId, FlakyPeers>();
  readonly clock: Clock;
  readonly random: () => number;
  loss = 0;
  /** Nothing arrives. */
  isCut = false;
  /** Losses that follow each other from one node to another. */
  lossesAtMost = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, random: () => number) {
    this.clock = clock;
    this.random = random;
  }

  join(name: string): FlakyPeers {
    const node = new FlakyPeers(this, name as NodeId);
    for (const other of this.nodes.values()) {
      other.others.add(node.self);
      node.others.add(other.self);
    }
    const others = [...this.nodes.values()];
    this.nodes.set(node.self, node);
    for (const other of others) other.up.emit(node.self);
    return node;
  }

  delay(): number {
    return Math.floor(this.random() * 40);
  }

  /** What is lost of a request that follows so many lost ones. */
  loses(before: number): 'request' | 'answer' | null {
    if (this.isCut) return 'request';
    if (before >= this.lossesAtMost || this.random() >= this.loss) return null;
    return this.random() < 0.5 ? 'request' : 'answer';
  }
}

export class FlakyPeers implements Peers {
  readonly self: NodeId;
  readonly others = new Set<NodeId>();
  readonly up = new Listeners<NodeId>();
  readonly down = new Listeners<NodeId>();
  readonly #network: FlakyNetwork;
  readonly #handlers = new Map<string, Handler>();
  readonly #arrival = new Map<NodeId, number>();
  readonly #losses = new Map<NodeId, number>();

  constructor(network: FlakyNetwork, self: NodeId) {
    this.#network = network;
    this.self = self;
  }

  ask(node: NodeId, kind: string, input: Json, deadlineMs: number): Promise<Json> {
    const { clock } = this.#network;
    const text = JSON.stringify(input);
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    clock.after(deadlineMs, () => reject(new Problem('peer-timeout', 'late', { retry: true })));
    const at = Math.max(this.#arrival.get(node) ?? 0, clock.now() + this.#network.delay());
    this.#arrival.set(node, at);
    const losses = this.#losses.get(node) ?? 0;
    const lost = this.#network.loses(losses);
    this.#losses.set(node, lost === null ? 0 : losses + 1);
    if (lost === 'request') return promise;
    clock.after(at - clock.now(), () => {
      const peer = this.#network.nodes.get(node);
      if (peer === undefined || !this.#network.nodes.has(this.self)) return;
      peer
        .#take(kind, JSON.parse(text) as Json, this.self)
        .then((answer) => lost === 'answer' || clock.after(this.#network.delay(), () => resolve(answer)), reject);
    });
    return promise;
  }

  async #take(kind: string, input: Json, from: NodeId): Promise<Json> {
    const handler = this.#handlers.get(kind);
    if (handler === undefined) throw new Problem('peer-unknown-request', kind);
    return handler(input, from);
  }

  answer(kind: string, handler: Handler): Stop {
    this.#handlers.set(kind, handler);
    return () => void this.#handlers.delete(kind);
  }

  tell(): void {
    throw new Error('nothing is told to all');
  }

  hear(): Stop {
    throw new Error('nothing is told to all');
  }

  /** The node is gone, and the others notice. */
  async close(): Promise<void> {
    this.#network.nodes.delete(this.self);
    for (const other of this.#network.nodes.values()) if (other.others.delete(this.self)) other.down.emit(this.self);
  }
}
