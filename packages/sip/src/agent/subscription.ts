import type { Timer } from '../clock/index.ts';
import type { DigestClient } from '../digest/index.ts';
import { dialogByResponse, dialogId } from '../dialogs/index.ts';
import type { Dialog } from '../dialogs/index.ts';
import { SyntaxFailure } from '../messages/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { Refusal, SipError } from '../transactions/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import { Emitter } from './emitter.ts';
import { contactOn } from './ground.ts';
import type { AgentGround, DialogUser } from './ground.ts';
import { IncomingRequest } from './incoming-request.ts';
import { DialogLink } from './link.ts';
import { NotifyReader } from './notify-reader.ts';
import type { Notified } from './notify-reader.ts';
import { Outbound } from './outbound.ts';
import type { OutboundUser } from './outbound.ts';
import type { Hop } from './reach.ts';

export interface SubscriptionEnd {
  /** The reason in the last NOTIFY (`rejected`, `timeout`, `noresource` …). */
  readonly reason: string | undefined;
  readonly retryAfter: number | undefined;
  readonly error: SipError | undefined;
}

export interface SubscriptionEvents {
  /** A NOTIFY came; it has been answered. */
  notify: Notified;
  /** The last event. */
  ended: SubscriptionEnd;
}

export interface SubscriptionParts {
  readonly request: SipRequest;
  readonly hop: Hop;
  readonly digest: DigestClient | undefined;
  /** Seconds; refreshed before they are over. 0: a single look (RFC 6665 4.4.3). */
  readonly expires: number;
  readonly event: string;
  readonly signal: AbortSignal | undefined;
}

/** A subscription of ours (RFC 6665), also the one that a REFER outside a call makes. */
export class Subscription extends Emitter<SubscriptionEvents> implements OutboundUser, DialogUser {
  readonly #ground: AgentGround;
  readonly #parts: SubscriptionParts;
  readonly #reader: NotifyReader;
  readonly #outbound: Outbound;
  /** The key under which the first NOTIFY finds us, before the peer's tag is known. */
  readonly #halfId: string;
  readonly #abort = (): void => this.unsubscribe();
  #link: DialogLink | undefined;
  #refresh: Timer | undefined;
  #end: SubscriptionEnd | undefined;
  #error: SipError | undefined;
  #isLeaving = false;

  constructor(ground: AgentGround, parts: SubscriptionParts) {
    super();
    this.#ground = ground;
    this.#parts = parts;
    const { headers } = parts.request;
    this.#halfId = dialogId(headers.callId ?? '', headers.from?.tag ?? '', '');
    ground.dialogs.add(this.#halfId, this);
    this.#reader = new NotifyReader(ground.clock, 64 * ground.layer.timers.t1, {
      onNotified: (notified) => this.#notified(notified),
      onReaderEnd: (last) => this.#finish(last),
    });
    const { request, hop, digest } = parts;
    this.#outbound = new Outbound(ground, { request, hop, digest, user: this }).start();
    parts.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  get state(): string {
    return this.#reader.state;
  }

  get end(): SubscriptionEnd | undefined {
    return this.#end;
  }

  /** Asks the notifier to end it; `ended` follows with its last NOTIFY. */
  unsubscribe(): void {
    if (this.#end !== undefined || this.#isLeaving) return;
    this.#isLeaving = true;
    this.#refresh?.cancel();
    this.#reader.leaveIn((64 * this.#ground.layer.timers.t1) / 1_000);
    if (this.#link !== undefined) this.#subscribe(this.#link, 0);
  }

  onSend(request: SipRequest, flow: Flow): void {
    request.headers.set('Contact', contactOn(flow, this.#ground.settings.contactUser));
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) return;
    if (response.status >= 300) return this.#refused(response);
    if (this.#link === undefined && response.headers.to?.tag !== undefined)
      this.#join(dialogByResponse(this.#outbound.request, response));
    // RFC 4488 4: a REFER whose progress nobody tells.
    if (response.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false') return this.#reader.step('refused');
    // RFC 6665 4.1.2.1: the 2xx may shorten the time; a REFER has none.
    this.#live(response.headers.expires ?? this.#parts.expires);
    if (this.#isLeaving && this.#link !== undefined) this.#subscribe(this.#link, 0);
  }

  onFailure(error: SipError): void {
    this.#error = error;
    this.#reader.step(this.#reader.state === 'waiting' ? 'refused' : 'lost');
  }

  /** A NOTIFY whose From tag no dialog has: the first, perhaps before the 2xx (RFC 6665 4.1.2.4). */
  onRequest(transaction: ServerTransaction, request: SipRequest): void {
    const incoming = new IncomingRequest(transaction, request, '');
    if (request.method !== 'NOTIFY') return void incoming.respond(481);
    if (!this.#isOurs(request)) return void incoming.respond(481);
    if (this.#link === undefined) this.#join(this.#dialogByNotify(request));
    // RFC 6665 4.5.1: a forked subscription's further dialogs are turned down; one is what we asked for.
    if (request.headers.from?.tag !== this.#link?.dialog.remoteTag) return void incoming.respond(481);
    if (this.#link?.take(request) === false) return void incoming.respond(500, { reason: 'CSeq Out Of Order' });
    this.#reader.take(incoming);
  }

  drop(): void {
    this.#outbound.drop();
    this.#error = new SipError('closed', 'the agent closed');
    this.#reader.step('lost');
  }

  #isOurs(request: SipRequest): boolean {
    const { event } = request.headers;
    const [name = '', ...params] = this.#parts.event.split(';');
    const id = params
      .find((p) => p.trim().startsWith('id='))
      ?.trim()
      .slice(3);
    if (event?.value !== name) return false;
    return name === 'refer' || event.params.get('id') === id;
  }

  #dialogByNotify(notify: SipRequest): Dialog {
    const { headers } = notify;
    const contact = headers.contact;
    if (contact === undefined) throw new SyntaxFailure('Contact', 'missing');
    const own = this.#outbound.request.headers;
    return {
      callId: own.callId ?? '',
      localTag: own.from?.tag ?? '',
      remoteTag: headers.from?.tag ?? '',
      local: own.get('From') ?? '',
      remote: headers.get('From') ?? '',
      localSeq: own.cseq?.seq ?? 0,
      remoteSeq: undefined,
      routeSet: headers.recordRoute.map((route) => `<${route.uri.toString()}>`),
      remoteTarget: contact.uri,
      isSecure: this.#outbound.request.uri.scheme === 'sips',
    };
  }

  #join(dialog: Dialog): void {
    const flow = this.#outbound.flow;
    if (flow === undefined) return;
    this.#link = new DialogLink(this.#ground, { dialog, flow, digest: this.#parts.digest });
    this.#link.enter(this);
  }

  #notified(notified: Notified): void {
    if (notified.expires !== undefined && notified.state !== 'terminated') this.#live(notified.expires);
    this.emit('notify', notified);
  }

  #live(seconds: number): void {
    if (this.#isLeaving || this.#parts.expires === 0 || this.#reader.state === 'terminated') return;
    if (this.#reader.state !== 'waiting') this.#reader.expireIn(seconds);
    this.#refresh?.cancel();
    // Granted no time: there is nothing to refresh, the last NOTIFY is still to come.
    if (seconds === 0) return;
    // A little before the end, at most half a minute: time for a few retransmissions.
    const beforeMs = Math.min(30_000, (seconds * 1_000) / 4);
    this.#refresh = this.#ground.clock.after(seconds * 1_000 - beforeMs, () => {
      if (this.#link !== undefined) this.#subscribe(this.#link, this.#parts.expires);
    });
  }

  #subscribe(link: DialogLink, expires: number): void {
    const accept = this.#parts.request.headers.get('Accept');
    const headers = { Event: this.#parts.event, Expires: expires, ...(accept === undefined ? {} : { Accept: accept }) };
    link.send(
      'SUBSCRIBE',
      { headers },
      {
        onResponse: (response) => {
          if (response.status < 200) return;
          if (response.status < 300) {
            link.refresh(response);
            if (expires > 0) this.#live(response.headers.expires ?? expires);
          } else if (response.status === 481 || response.status === 489 || response.status === 408)
            this.#refused(response);
          // RFC 6665 4.1.2.3: after other failures it lives until its time is up.
        },
        onFailure: (error) => this.onFailure(error),
      },
    );
  }

  #refused(response: SipResponse): void {
    this.#error = new Refusal(response);
    this.#reader.step(this.#reader.state === 'waiting' ? 'refused' : 'lost');
  }

  #finish(last: Notified | undefined): void {
    if (this.#end !== undefined) return;
    this.#refresh?.cancel();
    this.#parts.signal?.removeEventListener('abort', this.#abort);
    this.#ground.dialogs.remove(this.#halfId, this);
    this.#link?.leave(this);
    this.#end = { reason: last?.reason, retryAfter: last?.retryAfter, error: this.#error };
    this.emit('ended', this.#end);
    this.finish();
  }
}
