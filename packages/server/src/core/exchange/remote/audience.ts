import type { NodeId } from '../../cluster/index.ts';
import type { ConferenceId } from '../model.ts';

const NONE: ReadonlySet<NodeId> = new Set();

/** Which nodes have been told of which calls. */
export class Audience {
  readonly #nodes = new Map<ConferenceId, Set<NodeId>>();

  of(conference: ConferenceId): ReadonlySet<NodeId> {
    return this.#nodes.get(conference) ?? NONE;
  }

  /** False: it was told before. */
  add(conference: ConferenceId, node: NodeId): boolean {
    const nodes = this.#nodes.get(conference) ?? new Set();
    if (nodes.has(node)) return false;
    this.#nodes.set(conference, nodes.add(node));
    return true;
  }

  /** The call is over. */
  delete(conference: ConferenceId): void {
    this.#nodes.delete(conference);
  }

  /** The node is told of nothing any more; of which calls it was. */
  leave(node: NodeId): readonly ConferenceId[] {
    const left: ConferenceId[] = [];
    for (const [conference, nodes] of this.#nodes) {
      if (!nodes.delete(node)) continue;
      left.push(conference);
      if (nodes.size === 0) this.#nodes.delete(conference);
    }
    return left;
  }
}
