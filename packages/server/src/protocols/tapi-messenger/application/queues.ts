import { Problem } from '../../../kit/index.ts';
import type { Client } from '../client.ts';
import type { SharedMessage, Subscription } from '../stomp/index.ts';

/**
 * Messages that wait in one queue; the oldest goes (TM §3.5).
 * @peer the oldest goes
 * @test queues: what waits has bounds
 */
export const MAX_WAITING = 1_000;
/**
 * Octets that wait in all queues together, delivered ones that nobody has acknowledged included.
 * @peer the oldest goes
 * @test queues: what waits has bounds
 */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/**
 * Queues: each costs an object and its name.
 * @peer error-queue `forbidden`
 * @test queues: not many queues
 */
export const MAX_QUEUES = 10_000;
/**
 * Messages that one consumer may have without acknowledging them; others get the next ones.
 * @peer others get the next ones
 * @test queues: a consumer that acknowledges nothing
 */
export const MAX_UNSETTLED = 1_000;

interface Item {
  readonly message: SharedMessage;
  readonly bytes: number;
}

interface Consumer {
  readonly client: Client;
  readonly subscription: Subscription;
  /** In the order of their sending, by message-id. Empty where the mode is `auto`. */
  readonly unsettled: Map<string, Item>;
}

interface Queue {
  readonly name: string;
  /** Whose turn it is stands first. */
  consumers: readonly Consumer[];
  waiting: Item[];
  readonly go: () => void;
}

export interface Settlement {
  readonly how: 'ack' | 'nack';
  /** The subscription's id, where the client gives one. */
  readonly subscription: string | null;
  readonly message: string;
}

/** `/queue/**`: each message goes to one consumer, in turn; kept in memory, and not for ever (TM §3.5). */
export class Queues {
  readonly #queues = new Map<string, Queue>();
  readonly #bySubscription = new Map<Subscription, Consumer>();
  #bytes = 0;
  /** Messages that had to go before anybody took them. */
  dropped = 0;

  get size(): number {
    return this.#queues.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws too-many-requests */
  add(client: Client, subscription: Subscription): void {
    const queue = this.#queue(subscription.destination);
    const consumer = { client, subscription, unsettled: new Map<string, Item>() };
    this.#bySubscription.set(subscription, consumer);
    queue.consumers = [...queue.consumers, consumer];
    queue.go();
  }

  /** What its consumer has not acknowledged goes to others. */
  remove(subscription: Subscription): void {
    const consumer = this.#bySubscription.get(subscription);
    const queue = this.#queues.get(subscription.destination);
    if (consumer === undefined || queue === undefined) return;
    this.#bySubscription.delete(subscription);
    queue.consumers = queue.consumers.filter((other) => other !== consumer);
    queue.waiting = [...consumer.unsettled.values(), ...queue.waiting];
    queue.go();
  }

  /** @throws too-many-requests */
  publish(destination: string, message: SharedMessage, bytes: number): void {
    const queue = this.#queue(destination);
    queue.waiting.push({ message, bytes });
    this.#bytes += bytes;
    queue.go();
    while (queue.waiting.length > MAX_WAITING || (this.#bytes > MAX_WAITING_BYTES && queue.waiting.length > 0)) {
      this.#bytes -= queue.waiting.shift()?.bytes ?? 0;
      this.dropped++;
    }
    this.#forget(queue);
  }

  /** Unknown messages are ignored (TM §3.4). */
  settle(subscriptions: Iterable<Subscription>, settlement: Settlement): void {
    for (const subscription of subscriptions) {
      const consumer = this.#bySubscription.get(subscription);
      const isMeant = settlement.subscription === null || settlement.subscription === subscription.id;
      if (consumer !== undefined && isMeant && consumer.unsettled.has(settlement.message))
        return this.#settle(consumer, settlement);
    }
  }

  #settle(consumer: Consumer, { how, message }: Settlement): void {
    const settled: Item[] = [];
    for (const [id, item] of consumer.unsettled) {
      const isIt = id === message;
      if (!isIt && consumer.subscription.ack !== 'client') continue;
      consumer.unsettled.delete(id);
      settled.push(item);
      if (isIt) break;
    }
    const queue = this.#queues.get(consumer.subscription.destination);
    if (how === 'nack' && queue !== undefined) queue.waiting = [...settled, ...queue.waiting];
    else for (const { bytes } of settled) this.#bytes -= bytes;
    queue?.go();
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    if (this.#queues.size >= MAX_QUEUES)
      throw new Problem('too-many-requests', 'There are too many queues.', { retry: true });
    const queue: Queue = { name, consumers: [], waiting: [], go: () => this.#deliver(queue) };
    this.#queues.set(name, queue);
    return queue;
  }

  #deliver(queue: Queue): void {
    while (queue.waiting.length > 0) {
      const consumer = queue.consumers.find(isReady);
      if (consumer === undefined) {
        for (const { client } of queue.consumers) if (!client.isWritable) client.whenWritable(queue.go);
        break;
      }
      const item = queue.waiting.shift();
      if (item === undefined) break;
      queue.consumers = [...queue.consumers.filter((other) => other !== consumer), consumer];
      const id = consumer.client.send(consumer.subscription, item.message);
      if (consumer.subscription.ack === 'auto') this.#bytes -= item.bytes;
      else if (this.#bySubscription.get(consumer.subscription) === consumer) consumer.unsettled.set(id, item);
      else this.#takeBack(queue, item);
    }
    this.#forget(queue);
  }

  /** Its consumer was cut off by this very message; the queue may have been forgotten meanwhile. */
  #takeBack(queue: Queue, item: Item): void {
    queue.waiting.unshift(item);
    this.#queues.set(queue.name, queue);
  }

  #forget(queue: Queue): void {
    if (queue.consumers.length === 0 && queue.waiting.length === 0) this.#queues.delete(queue.name);
  }
}

function isReady({ client, unsettled }: Consumer): boolean {
  return client.isWritable && unsettled.size < MAX_UNSETTLED;
}
