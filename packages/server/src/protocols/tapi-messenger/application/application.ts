import type { LeaseEnd } from '../../../core/presence/index.ts';
import { unreachable } from '../../../kit/index.ts';
import type { Client } from '../client.ts';
import { type Frame, type Header, SharedMessage, type Subscription } from '../stomp/index.ts';
import { CALL, CALL_STATE, destinationOf, LISTEN, STOP, withSlash } from './destinations.ts';
import { forbidden, unknownDestination } from './errors.ts';
import { type FeedParts, MessageFeed } from './message-feed.ts';
import { matchesPattern } from './patterns.ts';
import type { Queues, Settlement } from './queues.ts';
import { type PhoneRequestParts, PhoneRequests } from './phone-requests.ts';
import { PresenceFeed, type PresenceMessages } from './presence-feed.ts';
import { localName, sendMessage } from './send-message.ts';
import { Telephone } from './telephone.ts';
import type { TapiMessengerParts } from '../parts.ts';

export interface ApplicationParts
  extends PhoneRequestParts, FeedParts, Pick<TapiMessengerParts, 'conversations' | 'directory' | 'domain'> {
  readonly presenceMessages: PresenceMessages;
  readonly queues: Queues;
}

/** What a message costs while it waits, with the objects around it. */
function sizeOf({ headers, body }: Frame): number {
  let size = 512 + 2 * body.length;
  for (const [name, value] of headers) size += 2 * (name.length + value.length);
  return size;
}

const NO_HEADERS: readonly Header[] = [];
const MESSAGE = '/tapi/message';

/** What one connected session may ask and subscribe to (TM §3.5, §4; design §6, §7). Whatever throws a Problem was refused. */
export class Application {
  readonly #parts: ApplicationParts;
  readonly #client: Client;
  readonly #telephone: Telephone;
  readonly #requests: Readonly<Record<string, (frame: Frame) => Promise<readonly Header[] | void> | void>>;
  readonly #presences = new Map<Subscription, PresenceFeed>();
  #feed: { readonly subscription: Subscription; readonly feed: MessageFeed } | null = null;

  constructor(parts: ApplicationParts, client: Client) {
    this.#parts = parts;
    this.#client = client;
    this.#telephone = new Telephone(parts, client);
    const phone = new PhoneRequests(parts, client, this.#telephone);
    this.#requests = {
      [LISTEN]: (frame) => phone.listen(frame),
      [STOP]: () => this.#telephone.stop(),
      [CALL]: (frame) => phone.call(frame),
      '/tapi/answer': (frame) => phone.answer(frame),
      '/tapi/hangup': (frame) => phone.hangup(frame),
      '/tapi/hold': (frame) => phone.hold(frame),
      '/tapi/transfer': (frame) => phone.transfer(frame),
      [MESSAGE]: (frame) => sendMessage(parts, client, frame),
    };
  }

  get isListening(): boolean {
    return this.#telephone.number !== null;
  }

  /** Messages may be on their way to the store side by side; the store keeps their order. Everything else waits its turn. */
  mayOverlap(frame: Frame): boolean {
    return frame.headers.get('destination') === MESSAGE;
  }

  userChanged(): void {
    this.#telephone.userChanged();
  }

  /** A SEND. Returns headers for its receipt. @throws Problem */
  async request(frame: Frame): Promise<readonly Header[]> {
    const destination = frame.headers.get('destination') ?? '';
    const path = withSlash(destination);
    const handler = Object.hasOwn(this.#requests, path) ? this.#requests[path] : undefined;
    if (handler !== undefined) return (await handler(frame)) ?? NO_HEADERS;
    this.#publish(frame, destination);
    return NO_HEADERS;
  }

  /** A SUBSCRIBE. Returns headers for its receipt. @throws Problem */
  async subscribe(subscription: Subscription, frame: Frame): Promise<readonly Header[]> {
    const { destination } = subscription;
    const kind = destinationOf(destination);
    switch (kind.kind) {
      case 'messages':
        return this.#openFeed(subscription, frame.headers.get('resume'));
      case 'presence':
        await this.#watch(subscription, kind.user);
        return NO_HEADERS;
      case 'room':
        throw unknownDestination(destination);
      case 'reply':
        if (this.#parts.settings.replies.scope === 'topic') this.#parts.topics.add(this.#client, subscription);
        return NO_HEADERS;
      case 'topic':
        this.#parts.topics.add(this.#client, subscription);
        return NO_HEADERS;
      case 'queue':
        if (this.#isPublic(destination)) this.#parts.queues.add(this.#client, subscription);
        return NO_HEADERS;
      case 'user-queue':
        if (destination === CALL_STATE) this.#telephone.showStates(subscription);
        return NO_HEADERS;
      // Accepted, never delivers (TM §3.5); errors are sent to where they are subscribed.
      case 'errors':
      case 'request':
      case 'unknown':
        return NO_HEADERS;
      default:
        return unreachable(kind);
    }
  }

  unsubscribe(subscription: Subscription, how: LeaseEnd = 'over'): void {
    this.#parts.topics.remove(subscription);
    this.#parts.queues.remove(subscription);
    this.#presences.get(subscription)?.close();
    this.#presences.delete(subscription);
    if (this.#feed?.subscription !== subscription) return;
    this.#feed.feed.close(how);
    this.#feed = null;
  }

  /** ACK and NACK. Of topics and user queues they are taken without effect (TM §3.4). */
  settle(subscriptions: Iterable<Subscription>, settlement: Settlement): void {
    this.#parts.queues.settle(subscriptions, settlement);
  }

  /** The session has ended. */
  close(subscriptions: Iterable<Subscription>, how: LeaseEnd): void {
    this.#telephone.stop();
    for (const subscription of subscriptions) this.unsubscribe(subscription, how);
  }

  #openFeed(subscription: Subscription, resume: string | undefined): readonly Header[] {
    const { user } = this.#client;
    if (user === null) throw forbidden('Sign in to receive messages.');
    if (this.#feed !== null) throw forbidden('This session receives its messages already.');
    const feed = new MessageFeed(this.#parts, this.#client, user, subscription, resume);
    this.#feed = { subscription, feed };
    return [['position', resume ?? feed.position]];
  }

  async #watch(subscription: Subscription, name: string): Promise<void> {
    const { presence, directory, domain, presenceMessages } = this.#parts;
    if (this.#client.user === null) throw forbidden('Sign in to see presence.');
    // Known from the start: a session that ends meanwhile must find it.
    const feed = new PresenceFeed(presenceMessages, this.#client, subscription);
    this.#presences.set(subscription, feed);
    try {
      const local = localName(name, domain);
      const user = local === null ? null : await directory.user({ by: 'name', value: local });
      if (user === null) throw unknownDestination(subscription.destination);
      feed.of(user.name);
      feed.began(await presence.watch(this.#client.actor, user.id, (now) => feed.tell(now)));
    } catch (error) {
      feed.close();
      this.#presences.delete(subscription);
      throw error;
    }
  }

  #isPublic(destination: string): boolean {
    return this.#parts.settings.broker.clientPublish.some((pattern) => matchesPattern(pattern, destination));
  }

  /** TM §3.5: `broker.clientPublish` opens topics to clients, never those that the server owns. */
  #publish(frame: Frame, destination: string): void {
    const kind = destinationOf(destination);
    if (kind.kind === 'request' || kind.kind === 'unknown') throw unknownDestination(destination);
    const isOpen = (kind.kind === 'topic' || kind.kind === 'queue') && this.#isPublic(destination);
    if (!isOpen || /[*?]/.test(destination)) throw forbidden('Clients may not publish here.');
    const message = SharedMessage.published(frame);
    if (kind.kind === 'topic') this.#parts.topics.publish(destination, message);
    else this.#parts.queues.publish(destination, message, sizeOf(frame));
  }
}
