import type { NodeId, Peers } from '../../packages/server/src/core/index.ts';
import { type Json, Problem } from '../../packages/server/src/kit/index.ts';

/** A node's peers whose way to the others can be bad. */
export class FaultyPeers implements Peers {
  readonly #inner: Peers;
  /** Requests fail. */
  isCut = false;
  /** What is told arrives nowhere. */
  losesNews = false;
  /** Kinds of the requests that were made. */
  readonly asked: string[] = [];
  /** Answers of others wait for it. */
  held: Promise<void> | null = null;

  constructor(inner: Peers) {
    this.#inner = inner;
  }

  get self(): NodeId {
    return this.#inner.self;
  }

  get others(): ReadonlySet<NodeId> {
    return this.#inner.others;
  }

  get up(): Peers['up'] {
    return this.#inner.up;
  }

  get down(): Peers['down'] {
    return this.#inner.down;
  }

  async ask(node: NodeId, kind: string, input: Json, deadlineMs: number): Promise<Json> {
    this.asked.push(kind);
    if (this.isCut) throw new Problem('peer-down', 'The way is cut.');
    const answer = await this.#inner.ask(node, kind, input, deadlineMs);
    await this.held;
    return answer;
  }

  answer(...given: Parameters<Peers['answer']>): ReturnType<Peers['answer']> {
    return this.#inner.answer(...given);
  }

  tell(kind: string, input: Json): void {
    if (!this.losesNews) this.#inner.tell(kind, input);
  }

  hear(...given: Parameters<Peers['hear']>): ReturnType<Peers['hear']> {
    return this.#inner.hear(...given);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
