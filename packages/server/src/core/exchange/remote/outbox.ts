import { type Clock, type Ids, type Json, Problem, type Timer } from '../../../kit/index.ts';
import { MAX_PEER_BYTES, type NodeId, type Peers } from '../../cluster/index.ts';
import type { Message } from './messages.ts';

/** A link that has nothing to say says so after this time: a node that has lost it notices. */
const LINK_IDLE_MS = 2_000;
/** One try; what has arrived before its answer was lost is not applied twice. */
const LINK_TRY_MS = 2_000;
const LINK_RETRY_MS = 200;
/** The other node can't be reached for so long, and what stands between the two is lost: longer than a restart of the bus. */
const LINK_PATIENCE_MS = 10_000;
/**
 * What one node may have to tell another, beyond its devices; texts don't travel here.
 * @peer calls between the two nodes end with cause 27
 * @test remote/outbox: a node that takes nothing
 */
export const MAX_LINK_BYTES = 8 * 1024 * 1024;
/**
 * One message of a link: its batch must fit a request between nodes.
 * @peer the call is released with cause 111
 * @test transcript/exchange-nodes: what is too much for another node
 */
export const MAX_LINK_MESSAGE_BYTES = MAX_PEER_BYTES - 4 * 1024;

export const LINK_SUBJECT = 'exchange.link';

export interface OutboxParts {
  readonly peers: Pick<Peers, 'ask'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly node: NodeId;
  /** What the other node must know first. */
  readonly beginning: () => readonly Message[];
  /** Nothing that was said before counts any more at the other node, which is told the beginning again. */
  readonly broken: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The other node has not heard the beginning of a link. */
export const UNKNOWN_LINK = 'link-unknown';

interface Queued {
  readonly json: Json;
  readonly bytes: number;
}

/** What one exchange tells that of another node: in order, each once; or the link is lost, at both ends, and a new one begins. */
export class Outbox {
  readonly #parts: OutboxParts;
  #link = '';
  /** The other node has heard of this link. */
  #isKnown = false;
  /** Number of the first message in the queue. */
  #first = 1;
  #queue: Queued[] = [];
  #bytes = 0;
  /** So many of them are what the other node must know first. */
  #beginning = 0;
  #isDue = false;
  #isAsking = false;
  #failingSince: number | null = null;
  #retry: Timer | null = null;
  #beat: Timer | null = null;
  #isBreaking = false;
  #isOpen = true;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#begin();
    this.#soon();
  }

  /** @throws too-large */
  send(message: Message): void {
    if (!this.#isOpen || this.#isBreaking) return;
    this.#push(message);
    if (this.#bytes - this.#beginning > MAX_LINK_BYTES) this.#break();
    else this.#soon();
  }

  close(): void {
    this.#isOpen = false;
    this.#retry?.cancel();
    this.#beat?.cancel();
  }

  #begin(): void {
    this.#link = this.#parts.ids.guid();
    this.#isKnown = false;
    this.#first = 1;
    this.#queue = [];
    this.#bytes = 0;
    this.#failingSince = null;
    for (const message of this.#parts.beginning()) this.#push(message);
    this.#beginning = this.#bytes;
  }

  #break(): void {
    this.#isBreaking = true;
    this.#parts.broken();
    this.#isBreaking = false;
    this.#begin();
    this.#tryAgain();
  }

  #push(message: Message): void {
    const json = message as unknown as Json;
    const bytes = Buffer.byteLength(JSON.stringify(json)) + 1;
    if (bytes > MAX_LINK_MESSAGE_BYTES) throw new Problem('too-large', 'This is too much for another node.');
    this.#queue.push({ json, bytes });
    this.#bytes += bytes;
  }

  /** What is said in one turn goes together; and nothing of the other node comes while the teller is in the middle of a step. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#pump();
    });
  }

  /** Tells what waits, even if it is nothing. */
  #pump(): void {
    if (!this.#isOpen || this.#isAsking || this.#retry !== null) return;
    this.#beat?.cancel();
    this.#isAsking = true;
    const { peers, node } = this.#parts;
    const [link, batch] = [this.#link, this.#batch()];
    const input = { link, first: this.#first, messages: batch.map(({ json }) => json) };
    peers.ask(node, LINK_SUBJECT, input, LINK_TRY_MS).then(
      () => this.#asked(link, () => this.#told(batch)),
      (error: unknown) => this.#asked(link, () => this.#failed(error)),
    );
  }

  #batch(): readonly Queued[] {
    let room = MAX_LINK_MESSAGE_BYTES;
    const size = this.#queue.findIndex(({ bytes }) => (room -= bytes) < 0);
    return size < 0 ? [...this.#queue] : this.#queue.slice(0, size);
  }

  #asked(link: string, react: () => void): void {
    this.#isAsking = false;
    if (!this.#isOpen) return;
    if (link === this.#link) react();
    if (this.#queue.length > 0 || !this.#isKnown) this.#pump();
    else this.#beat = this.#parts.clock.after(LINK_IDLE_MS, () => this.#pump());
  }

  #told(batch: readonly Queued[]): void {
    this.#isKnown = true;
    this.#failingSince = null;
    this.#first += batch.length;
    this.#queue = this.#queue.slice(batch.length);
    for (const { bytes } of batch) this.#bytes -= bytes;
    this.#beginning = Math.min(this.#beginning, this.#bytes);
  }

  #failed(error: unknown): void {
    if (!(error instanceof Problem)) this.#parts.onTrouble(error);
    const now = this.#parts.clock.now();
    this.#failingSince ??= now;
    const isUnknown = error instanceof Problem && error.code === UNKNOWN_LINK;
    if (isUnknown || now - this.#failingSince >= LINK_PATIENCE_MS) this.#break();
    else this.#tryAgain();
  }

  #tryAgain(): void {
    this.#retry?.cancel();
    this.#retry = this.#parts.clock.after(LINK_RETRY_MS, () => {
      this.#retry = null;
      this.#pump();
    });
  }
}
