import type { NodeId, Peers } from '../../packages/server/src/core/index.ts';
import type { Json } from '../../packages/server/src/kit/index.ts';

/** Peers whose news is lost where `isLost` says so; and how much was told. */
export class LossyPeers implements Peers {
  told = 0;
  isLost: () => boolean = () => false;
  readonly #peers: Peers;

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  get self(): NodeId {
    return this.#peers.self;
  }

  get others(): ReadonlySet<NodeId> {
    return this.#peers.others;
  }

  get up(): Peers['up'] {
    return this.#peers.up;
  }

  get down(): Peers['down'] {
    return this.#peers.down;
  }

  tell(kind: string, input: Json): void {
    this.told++;
    if (!this.isLost()) this.#peers.tell(kind, input);
  }

  ask(...args: Parameters<Peers['ask']>): Promise<Json> {
    return this.#peers.ask(...args);
  }

  answer(...args: Parameters<Peers['answer']>): () => void {
    return this.#peers.answer(...args);
  }

  hear(...args: Parameters<Peers['hear']>): () => void {
    return this.#peers.hear(...args);
  }

  close(): Promise<void> {
    return this.#peers.close();
  }
}
