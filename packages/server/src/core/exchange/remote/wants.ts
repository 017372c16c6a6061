import { deferred, type Deferred, type Ids } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';
import type { ConferenceId } from '../model.ts';

/** Questions that other nodes have not answered yet. */
export class Wants {
  readonly #ids: Ids;
  readonly #open = new Map<string, { readonly node: NodeId; readonly answer: Deferred<ConferenceId | null> }>();

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  /** Resolves with null where the node can't answer any more. `tell` says the question under its id. */
  ask(node: NodeId, tell: (ask: string) => void): Promise<ConferenceId | null> {
    const [id, answer] = [this.#ids.guid(), deferred<ConferenceId | null>()];
    this.#open.set(id, { node, answer });
    tell(id);
    return answer.promise;
  }

  answer(id: string, conference: ConferenceId | null): void {
    this.#open.get(id)?.answer.resolve(conference);
    this.#open.delete(id);
  }

  /** This node, or all nodes, answer no more. */
  giveUp(node: NodeId | null): void {
    for (const [id, { node: asked }] of this.#open) if (node === null || asked === node) this.answer(id, null);
  }
}
