import type { Message } from '../../../core/conversations/index.ts';
import type { Entry } from '../../../core/index.ts';
import type { ResyncReason } from '../../../core/journal/index.ts';
import type { LeaseEnd, PresenceLease } from '../../../core/presence/index.ts';
import type { User } from '../../../core/directory/index.ts';
import type { ChatSession, LiveSink, Sink } from '../../../delivery/index.ts';
import type { Client } from '../client.ts';
import type { TapiMessengerParts } from '../parts.ts';
import type { Header, SharedMessage, Subscription } from '../stomp/index.ts';
import type { ChatMessages } from './chat-messages.ts';
import { MESSAGES } from './destinations.ts';

/**
 * Texts that may wait for a name before the journal is read further.
 * @peer texts later, from the journal
 * @test users: one who reads slowly
 */
const MAX_WAITING_TEXTS = 64;
/** A journal that can't be read; the client comes back with its position (RFC 6455 7.4.1). */
const TRY_AGAIN = 1013;

export interface FeedParts extends Pick<TapiMessengerParts, 'delivery' | 'presence' | 'observer'> {
  readonly chatMessages: ChatMessages;
}

/**
 * One subscription to `/user/queue/messages`: a live session of its user (design §5, §6). While the peer reads too slowly
 * nothing is kept for it: the journal is read again from where it stands.
 */
export class MessageFeed implements Sink, LiveSink {
  readonly isAttended = true;
  readonly #parts: FeedParts;
  readonly #client: Client;
  readonly #subscription: Subscription;
  readonly #user: User;
  readonly #session: ChatSession;
  readonly #lease: PresenceLease;
  /** The last text that waits for a name; later ones wait for it. */
  #last: Promise<void> | null = null;
  #waiting = 0;
  #isOpen = true;
  readonly #pump = (): void => this.#session.pump();

  /** @throws too-many-sessions */
  constructor(parts: FeedParts, client: Client, user: User, subscription: Subscription, resume: string | undefined) {
    this.#parts = parts;
    this.#client = client;
    this.#user = user;
    this.#subscription = subscription;
    const from = resume === undefined || resume === '' ? 'now' : { resume };
    this.#session = parts.delivery.open({ user: user.id, from, sink: this });
    this.#lease = parts.presence.lease(user.id, client.resource);
    this.#lease.set('available', '');
  }

  /** The token to resume with when nothing has come yet. */
  get position(): string {
    return this.#session.resume;
  }

  close(how: LeaseEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#session.close();
    this.#lease.end(how);
  }

  // Sink.

  entry(entry: Entry, resume: string): void {
    if (entry.event.kind !== 'message') return;
    const { message } = entry.event;
    const isOwn = message.sender === this.#user.id;
    // The session that sent it knows it by its receipt.
    if (isOwn && message.resource === this.#client.resource) return;
    this.#show(message, [['position', resume], ...(isOwn ? OUT : [])]);
  }

  resync(reason: ResyncReason, resume: string): void {
    const message = `Continuity cannot be proved (${reason}); load a fresh state.`;
    this.#client.report({ code: 'resync', message, destination: MESSAGES, position: resume });
  }

  isReady(): boolean {
    if (this.#client.isWritable && this.#waiting < MAX_WAITING_TEXTS) return true;
    if (!this.#client.isWritable) this.#client.whenWritable(this.#pump);
    return false;
  }

  failed(error: unknown): void {
    this.#parts.observer.trouble('delivery', error);
    this.#client.end(TRY_AGAIN, 'Temporary failure');
  }

  // LiveSink.

  /** A peer that reads too slowly has not taken it: its sender learns so (design §5). */
  volatile(message: Message): boolean {
    if (!this.isReady()) return false;
    this.#show(message, []);
    return true;
  }

  echo(message: Message): void {
    if (message.resource !== this.#client.resource && this.isReady()) this.#show(message, OUT);
  }

  chatState(): void {
    // STOMP has no word for it yet.
  }

  reach(): boolean {
    return true;
  }

  #show(message: Message, headers: readonly Header[]): void {
    const shared = this.#parts.chatMessages.of(message);
    if (this.#last === null && !(shared instanceof Promise)) return this.#send(shared, headers);
    this.#waiting++;
    const last: Promise<void> = (this.#last ?? Promise.resolve())
      .then(() => shared)
      .then((ready) => this.#send(ready, headers))
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.#waiting--;
        if (this.#last === last) this.#last = null;
        if (this.#waiting === 0 && this.#isOpen) this.#pump();
      });
    this.#last = last;
  }

  #send(shared: SharedMessage, headers: readonly Header[]): void {
    if (this.#isOpen) this.#client.send(this.#subscription, shared, { headers });
  }
}

const OUT: readonly Header[] = [['direction', 'out']];
