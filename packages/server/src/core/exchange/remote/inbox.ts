import { type Json, Problem } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';
import { batchFrom, type Message, messageFrom } from './messages.ts';
import { UNKNOWN_LINK } from './outbox.ts';

export interface InboxParts {
  /** A link of this node begins: what it has told before counts no more. */
  readonly begin: (from: NodeId) => void;
  readonly apply: (message: Message, from: NodeId) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The far end of the other nodes' outboxes: applies each message once, in order. */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #links = new Map<NodeId, { readonly link: string; last: number }>();

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** @throws link-unknown: its beginning was not heard; peer-unknown-request: no batch */
  take(input: Json, from: NodeId): void {
    const batch = batchFrom(input);
    if (batch === undefined) throw new Problem('peer-unknown-request', 'This is no batch of messages.');
    const known = this.#follow(batch.link, batch.first, from);
    batch.messages.forEach((value, i) => {
      const number = batch.first + i;
      if (number <= known.last) return;
      known.last = number;
      this.#apply(value, from);
    });
  }

  forget(node: NodeId): void {
    this.#links.delete(node);
  }

  #follow(link: string, first: number, from: NodeId): { last: number } {
    const known = this.#links.get(from);
    if (known?.link === link && first <= known.last + 1) return known;
    if (known?.link === link || first !== 1) throw new Problem(UNKNOWN_LINK, 'The beginning of this was not heard.');
    const fresh = { link, last: 0 };
    this.#links.set(from, fresh);
    this.#parts.begin(from);
    return fresh;
  }

  /** A message that makes trouble, or is none of ours, does not hold up those behind it. */
  #apply(value: unknown, from: NodeId): void {
    try {
      const message = messageFrom(value);
      if (message === undefined) throw new Error('another node has said what is not understood here');
      this.#parts.apply(message, from);
    } catch (error) {
      this.#parts.onTrouble(error);
    }
  }
}
