import type { Client } from '../client.ts';
import type { SharedMessage, Subscription } from '../stomp/index.ts';
import { isServerTopic } from './destinations.ts';
import { matchesPattern } from './patterns.ts';

interface Member {
  readonly client: Client;
  readonly subscription: Subscription;
}

/** Topics that more than one session may hear: by name, and by pattern. What the server owns is never matched by a pattern. */
export class Topics {
  readonly #byName = new Map<string, Set<Member>>();
  readonly #members = new Map<Subscription, Member>();
  readonly #patterns = new Set<Member>();

  /** Subscriptions held, patterns included. */
  get size(): number {
    return this.#members.size;
  }

  add(client: Client, subscription: Subscription): void {
    const member = { client, subscription };
    this.#members.set(subscription, member);
    const { destination } = subscription;
    if (isPattern(destination)) {
      this.#patterns.add(member);
      return;
    }
    const named = this.#byName.get(destination) ?? new Set();
    this.#byName.set(destination, named.add(member));
  }

  remove(subscription: Subscription): void {
    const member = this.#members.get(subscription);
    if (member === undefined) return;
    this.#members.delete(subscription);
    this.#patterns.delete(member);
    const named = this.#byName.get(subscription.destination);
    named?.delete(member);
    if (named?.size === 0) this.#byName.delete(subscription.destination);
  }

  publish(destination: string, message: SharedMessage): void {
    for (const { client, subscription } of this.#byName.get(destination) ?? []) client.send(subscription, message);
    if (isServerTopic(destination)) return;
    for (const { client, subscription } of this.#patterns)
      if (matchesPattern(subscription.destination, destination)) client.send(subscription, message, { destination });
  }
}

function isPattern(destination: string): boolean {
  return /[*?]/.test(destination);
}
