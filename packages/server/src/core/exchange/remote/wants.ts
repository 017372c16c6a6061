import { type Clock, deferred, type Deferred, type Ids, type Timer } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';

/**
 * A node that is there, and does not answer, is not waited for longer: texts stand behind it. Longer than a link is patient, so
 * that what is only slow does not make a device be called twice.
 */
const WANT_MS = 15_000;

interface Open<Answer> {
  readonly node: NodeId;
  readonly answer: Deferred<Answer | null>;
  readonly deadline: Timer;
}

/** Questions that other nodes have not answered yet. */
export class Wants<Answer> {
  readonly #ids: Ids;
  readonly #clock: Clock;
  readonly #open = new Map<string, Open<Answer>>();
  #isClosed = false;

  constructor(ids: Ids, clock: Clock) {
    this.#ids = ids;
    this.#clock = clock;
  }

  /** Resolves with null where the node can't answer any more, or does not. `tell` says the question under its id. */
  ask(node: NodeId, tell: (ask: string) => void): Promise<Answer | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const [id, answer] = [this.#ids.guid(), deferred<Answer | null>()];
    this.#open.set(id, { node, answer, deadline: this.#clock.after(WANT_MS, () => this.answer(id, null)) });
    tell(id);
    return answer.promise;
  }

  answer(id: string, value: Answer | null): void {
    const open = this.#open.get(id);
    open?.deadline.cancel();
    open?.answer.resolve(value);
    this.#open.delete(id);
  }

  /** This node answers no more. */
  giveUp(node: NodeId): void {
    for (const [id, { node: asked }] of this.#open) if (asked === node) this.answer(id, null);
  }

  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#open.keys()]) this.answer(id, null);
  }
}
