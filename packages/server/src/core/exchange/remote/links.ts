import { type Clock, type Ids, Problem, type Stop } from '../../../kit/index.ts';
import type { NodeId, Peers } from '../../cluster/index.ts';
import { Inbox } from './inbox.ts';
import type { Message } from './messages.ts';
import { LINK_SUBJECT, Outbox } from './outbox.ts';

export interface LinksParts {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What a node must know of this one first. */
  readonly beginning: (node: NodeId) => readonly Message[];
  /** What was told to the node may be lost: it will be told the beginning again, and drop what it had. */
  readonly broken: (node: NodeId) => void;
  /** What the node has told before counts no more: it begins anew, or is gone. */
  readonly begins: (node: NodeId) => void;
  readonly apply: (message: Message, from: NodeId) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** A link from and to each other node, as long as it is there. */
export class Links {
  readonly #parts: LinksParts;
  readonly #outboxes = new Map<NodeId, Outbox>();
  readonly #inbox: Inbox;
  readonly #stops: readonly Stop[];

  constructor(parts: LinksParts) {
    const { peers, begins, apply, onTrouble } = parts;
    this.#parts = parts;
    this.#inbox = new Inbox({ begin: begins, apply, onTrouble });
    this.#stops = [
      // eslint-disable-next-line @typescript-eslint/require-await -- the port's handlers are asynchronous
      peers.answer(LINK_SUBJECT, async (input, from) => {
        // A device of a node that can't be told anything would be offered calls that it never hears of. The node tries again.
        if (!this.#outboxes.has(from))
          throw new Problem('peer-down', 'The node is not known to be there.', { retry: true });
        this.#inbox.take(input, from);
        return null;
      }),
      peers.up.add((node) => this.#up(node)),
      peers.down.add((node) => this.#down(node)),
    ];
    for (const node of peers.others) this.#up(node);
  }

  /** A node that is not there is told nothing. @throws too-large */
  tell(node: NodeId, message: Message): void {
    this.#outboxes.get(node)?.send(message);
  }

  tellAll(message: Message): void {
    for (const outbox of this.#outboxes.values()) outbox.send(message);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }

  #up(node: NodeId): void {
    const { peers, clock, ids, onTrouble } = this.#parts;
    this.#outboxes.get(node)?.close();
    const outbox = new Outbox({
      peers,
      clock,
      ids,
      node,
      beginning: () => this.#parts.beginning(node),
      broken: () => this.#parts.broken(node),
      onTrouble,
    });
    this.#outboxes.set(node, outbox);
  }

  #down(node: NodeId): void {
    this.#outboxes.get(node)?.close();
    this.#outboxes.delete(node);
    this.#inbox.forget(node);
    this.#parts.begins(node);
  }
}
