import type { Presence } from '../../../core/presence/index.ts';
import type { Stop } from '../../../kit/index.ts';
import type { Client } from '../client.ts';
import { SharedMessage, type Subscription } from '../stomp/index.ts';

/** Presences as they stand in `/topic/presence.{user}`, each encoded once for all that watch it. */
export class PresenceMessages {
  #last: { readonly presence: Presence; readonly message: SharedMessage } | null = null;

  of(presence: Presence, user: string): SharedMessage {
    if (this.#last?.presence === presence) return this.#last.message;
    const { isOnline, isOnPhone, show, status, stated } = presence;
    const message = SharedMessage.json({ user, online: isOnline, onPhone: isOnPhone, show, status, stated });
    this.#last = { presence, message };
    return message;
  }
}

/** One subscription to a user's presence. The newest wins: a slow reader gets the last one when it reads again. */
export class PresenceFeed {
  readonly #messages: PresenceMessages;
  readonly #client: Client;
  readonly #subscription: Subscription;
  #user = '';
  #stop: Stop | null = null;
  #isOpen = true;
  #held: Presence | null = null;
  readonly #release = (): void => {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.tell(held);
  };

  constructor(messages: PresenceMessages, client: Client, subscription: Subscription) {
    this.#messages = messages;
    this.#client = client;
    this.#subscription = subscription;
  }

  /** Whose presence it is, once that is known. */
  of(user: string): void {
    this.#user = user;
  }

  /** The watching began; it ends with this feed. */
  began(stop: Stop): void {
    if (this.#isOpen) this.#stop = stop;
    else stop();
  }

  tell(presence: Presence): void {
    if (!this.#isOpen) return;
    if (this.#client.isWritable) {
      this.#client.send(this.#subscription, this.#messages.of(presence, this.#user));
      return;
    }
    if (this.#held === null) this.#client.whenWritable(this.#release);
    this.#held = presence;
  }

  close(): void {
    this.#isOpen = false;
    this.#held = null;
    this.#stop?.();
    this.#stop = null;
  }
}
