import { dialogByRequest } from '../dialogs/index.ts';
import type { SipRequest } from '../messages/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import { Emitter } from './emitter.ts';
import type { AgentGround, DialogUser } from './ground.ts';
import { IncomingRequest } from './incoming-request.ts';
import { DialogLink } from './link.ts';
import { NotifySender } from './notify-sender.ts';
import type { NotifySenderUser } from './notify-sender.ts';

/** Where a SUBSCRIBE names no time (RFC 6665 leaves it to the event package; most say an hour). */
const DEFAULT_EXPIRES_S = 3_600;

export interface IncomingSubscriptionEvents {
  /** The peer refreshed it. */
  refreshed: IncomingRequest;
  ended: { readonly isByPeer: boolean };
}

/** Somebody subscribes to something of ours (RFC 6665). Accept or reject it once; then `notify` tells it what is new. */
export class IncomingSubscription extends Emitter<IncomingSubscriptionEvents> implements DialogUser, NotifySenderUser {
  readonly request: IncomingRequest;
  readonly event: string;
  /** Seconds that the peer asked for. */
  readonly expires: number;
  readonly #link: DialogLink;
  readonly #sender: NotifySender;
  #current: IncomingRequest;
  #granted = 0;
  /** The most that a refresh gets: what we gave at first, where we gave less than was asked. */
  #limit = Infinity;
  #isByPeer = false;
  #isOver = false;

  constructor(ground: AgentGround, transaction: ServerTransaction, request: SipRequest) {
    super();
    const tag = ground.ids.next();
    this.request = new IncomingRequest(transaction, request, tag);
    this.#current = this.request;
    this.event = request.headers.event?.value ?? '';
    this.expires = request.headers.expires ?? DEFAULT_EXPIRES_S;
    this.#link = new DialogLink(ground, { dialog: dialogByRequest(request, tag), flow: transaction.flow });
    this.#link.enter(this);
    this.#sender = new NotifySender(ground, this.#link, request.headers.get('Event') ?? '', this);
    // Whoever answers by hand, or not at all, has no use for the dialog.
    transaction.user = { onEnd: () => this.#sender.state === 'asked' && this.onSenderEnd() };
  }

  get state(): string {
    return this.#sender.state;
  }

  /** Takes it, for at most `expires` seconds, and sends the first NOTIFY with `body`. */
  accept(options: { readonly expires?: number; readonly body?: Body; readonly isPending?: boolean } = {}): void {
    const { body, isPending = false } = options;
    this.#limit = options.expires ?? Infinity;
    this.#grant(Math.min(this.#limit, this.expires));
    this.#sender.notify(body);
    if (this.expires === 0) this.#sender.step('unsubscribe');
    else this.#sender.step(isPending ? 'accept-pending' : 'accept');
  }

  reject(status = 403): void {
    if (this.#sender.state !== 'asked') return;
    this.request.respond(status);
    this.#granted = -1;
    this.#sender.step('reject');
    this.onSenderEnd();
  }

  /** Tells the subscriber what is new. Where an older NOTIFY is under way only the newest follows it. */
  notify(body: Body): void {
    this.#sender.notify(body);
  }

  /** Ends it from our side. */
  terminate(reason = 'noresource'): void {
    this.#sender.finish(reason);
  }

  onRequest(transaction: ServerTransaction, request: SipRequest): void {
    const incoming = new IncomingRequest(transaction, request, '');
    if (!this.#link.take(request)) return void incoming.respond(500, { reason: 'CSeq Out Of Order' });
    if (request.method !== 'SUBSCRIBE' || this.#sender.state === 'terminated') return void incoming.respond(481);
    const expires = request.headers.expires ?? DEFAULT_EXPIRES_S;
    this.#current = incoming;
    this.#isByPeer = expires === 0;
    this.#grant(Math.min(this.#limit, expires));
    this.#sender.step(expires === 0 ? 'unsubscribe' : 'refresh');
    if (expires > 0) this.emit('refreshed', incoming);
  }

  drop(): void {
    this.#sender.drop();
    this.onSenderEnd();
  }

  respond(): void {
    if (this.#granted < 0) return;
    this.#current.respond(200, { headers: { Expires: this.#granted, Contact: this.#link.contact } });
  }

  onSenderEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.leave(this);
    this.emit('ended', { isByPeer: this.#isByPeer });
    this.finish();
  }

  #grant(seconds: number): void {
    this.#granted = seconds;
    if (seconds > 0) this.#sender.expireIn(seconds);
  }
}
