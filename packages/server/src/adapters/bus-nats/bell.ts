import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Batch, TielineBell } from '../../core/index.ts';
import { Listeners } from '../../kit/index.ts';
import type { BusLog, Link } from './bus.ts';
import { subscribe } from './subscribe.ts';

/** Room for what NATS adds to a message. */
const OVERHEAD_BYTES = 4 * 1024;

/** Publishes batches to all nodes. What NATS can't take is lost, as a bell may: the tail of each node notices the gap. */
export class NatsBell implements TielineBell {
  readonly batches = new Listeners<Batch>();
  readonly #link: Link;
  readonly #subject: string;
  readonly #stirSubject: string;
  readonly stirs = new Listeners<null>();
  readonly #subscriptions: readonly Subscription[];

  constructor(link: Link, cluster: string, log: BusLog) {
    this.#link = link;
    this.#subject = `${cluster}.bell`;
    this.#stirSubject = `${cluster}.stir`;
    const at = { nats: link.nats, log };
    this.#subscriptions = [
      subscribe(at, this.#subject, (message) => this.batches.emit(batchOf(message))),
      subscribe(at, this.#stirSubject, () => this.stirs.emit(null)),
    ];
  }

  ring(batch: Batch): void {
    this.batches.emit(batch);
    if (this.#canPublish) this.#publish(batch);
  }

  stir(): void {
    this.stirs.emit(null);
    if (this.#canPublish) this.#link.nats.publish(this.#stirSubject);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  get #canPublish(): boolean {
    return this.#link.isUp && !this.#link.nats.isClosed();
  }

  #publish(batch: Batch): void {
    const text = JSON.stringify(batch);
    const most = (this.#link.nats.info?.max_payload ?? 1024 * 1024) - OVERHEAD_BYTES;
    if (text.length * 3 < most || Buffer.byteLength(text) < most) return this.#link.nats.publish(this.#subject, text);
    if (batch.entries.length < 2) return;
    const middle = batch.entries.length >> 1;
    for (const entries of [batch.entries.slice(0, middle), batch.entries.slice(middle)]) {
      const [head] = entries;
      const tail = entries.at(-1);
      if (head !== undefined && tail !== undefined)
        this.#publish({ first: head.position, last: tail.position, entries });
    }
  }
}

/** Our own nodes publish here, and nobody else may: the bus is inside. */
function batchOf(message: Msg): Batch {
  return message.json<Batch>();
}
