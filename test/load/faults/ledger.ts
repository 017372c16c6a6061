/** One message as one client was told it. */
export interface Seen {
  readonly id: string;
  /** The text, which names the message: every text is sent once. */
  readonly text: string;
}

/** The store's word: every message, in the order of its conversation. */
export interface Stored extends Seen {
  /** Names the conversation. */
  readonly between: string;
}

/** What became of everything that was sent. */
export interface Proof {
  readonly sent: number;
  readonly acknowledged: number;
  /** Messages that were told, counted once a client. */
  readonly delivered: number;
  /** Acknowledged messages that some client of their receiver was never told, once a client. */
  readonly lost: number;
  /** Acknowledged messages that the store hasn't, has twice, or has under another id. */
  readonly notStored: number;
  /** First tellings that came after a later message of their conversation. */
  readonly outOfOrder: number;
  /** The same message told again under its own id: clients drop these. */
  readonly repeats: number;
  /** The same text under two ids: stored or told twice, and no client can know. */
  readonly unmarkedRepeats: number;
}

interface Client {
  readonly user: string;
  /** Texts in the order of their first telling, with their ids. */
  readonly seen: Map<string, string>;
}

/** Keeps books of what was sent, acknowledged and told. */
export class Ledger {
  readonly #sent = new Map<string, { readonly to: string }>();
  readonly #acknowledged = new Map<string, string>();
  readonly #clients = new Map<string, Client>();
  #repeats = 0;
  #unmarked = 0;

  sent(text: string, to: string): void {
    this.#sent.set(text, { to });
  }

  acknowledged(text: string, id: string): void {
    this.#acknowledged.set(text, id);
  }

  get acknowledgements(): number {
    return this.#acknowledged.size;
  }

  /** A client of `user`, whatever connections it goes through. */
  client(name: string, user: string): (seen: Seen) => void {
    const client: Client = { user, seen: new Map() };
    this.#clients.set(name, client);
    return (seen) => this.#take(client, seen);
  }

  #take({ seen }: Client, { id, text }: Seen): void {
    const known = seen.get(text);
    if (known === undefined) seen.set(text, id);
    else if (known === id) this.#repeats++;
    else this.#unmarked++;
  }

  /** What is still missing, by client. */
  missing(): ReadonlyMap<string, readonly string[]> {
    const missing = new Map<string, readonly string[]>();
    for (const [name, { user, seen }] of this.#clients) {
      const gone = [...this.#acknowledged.keys()].filter(
        (text) => this.#sent.get(text)?.to === user && !seen.has(text),
      );
      if (gone.length > 0) missing.set(name, gone);
    }
    return missing;
  }

  proof(stored: readonly Stored[]): Proof {
    const clients = [...this.#clients.values()];
    return {
      sent: this.#sent.size,
      acknowledged: this.#acknowledged.size,
      delivered: clients.reduce((sum, { seen }) => sum + seen.size, 0),
      lost: [...this.missing().values()].reduce((sum, texts) => sum + texts.length, 0),
      notStored: this.#notStored(stored),
      outOfOrder: clients.reduce((sum, client) => sum + outOfOrder(client, stored), 0),
      repeats: this.#repeats,
      unmarkedRepeats: this.#unmarked,
    };
  }

  #notStored(stored: readonly Stored[]): number {
    const ids = new Map<string, string[]>();
    for (const { text, id } of stored) ids.set(text, [...(ids.get(text) ?? []), id]);
    return [...this.#acknowledged].filter(([text, id]) => ids.get(text)?.join(' ') !== id).length;
  }
}

/** Texts of this client that were first told after a later one of their conversation. */
function outOfOrder({ seen }: Client, stored: readonly Stored[]): number {
  const placeOf = new Map(stored.map(({ id, between }, place) => [id, { place, between }]));
  const last = new Map<string, number>();
  let count = 0;
  for (const id of seen.values()) {
    const at = placeOf.get(id);
    if (at === undefined) continue;
    if (at.place < (last.get(at.between) ?? -1)) count++;
    else last.set(at.between, at.place);
  }
  return count;
}
