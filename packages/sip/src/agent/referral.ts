import { NameAddr, Params, parseUri } from '../messages/index.ts';
import type { SipResponse, Uri } from '../messages/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { sipfrag, statusOfSipfrag } from '../subscriptions/index.ts';
import { Refusal } from '../transactions/index.ts';
import type { SipError } from '../transactions/index.ts';
import { Emitter } from './emitter.ts';
import type { AgentGround, ExtraHeaders } from './ground.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { DialogLink } from './link.ts';
import { NotifyReader } from './notify-reader.ts';
import type { Notified } from './notify-reader.ts';
import { NotifySender } from './notify-sender.ts';
import type { NotifySenderUser } from './notify-sender.ts';
import type { Outbound, OutboundUser } from './outbound.ts';

export interface ReferOptions {
  /** The value of Replaces for the new call (`call.replacesValue` of another call of ours): an attended transfer. */
  readonly replaces?: string | undefined;
  /** Who asks, for Referred-By (RFC 3892). */
  readonly referredBy?: string | undefined;
  /** We don't want to hear what becomes of it (RFC 4488). */
  readonly isSilent?: boolean | undefined;
  readonly headers?: ExtraHeaders | undefined;
}

/** What became of a call that we asked for. */
export interface ReferEvents {
  accepted: { readonly response: SipResponse };
  /** The latest status of the call that the peer makes. */
  progress: { readonly status: number; readonly body: Body | undefined };
  /** The last event: the final status, where one was told. */
  ended: { readonly status: number | undefined; readonly error: SipError | undefined };
}

/** 0 seconds of expiry after 64*T1 without a NOTIFY; otherwise what the peer said, at most this: a call rings for minutes, not hours. */
const REFER_EXPIRES_S = 180;

/** A transfer that we asked for: REFER and its implicit subscription (RFC 3515). */
export class Referral extends Emitter<ReferEvents> implements OutboundUser {
  readonly #release: () => void;
  readonly #forget: () => void;
  readonly #reader: NotifyReader;
  readonly #outbound: Outbound;
  #status: number | undefined;
  #error: SipError | undefined;
  #isOver = false;

  constructor(
    ground: AgentGround,
    link: DialogLink,
    options: ReferOptions & { readonly target: Uri | string },
    release: () => void,
    register: (referral: Referral, isOpen: boolean) => void,
  ) {
    super();
    this.#release = release;
    this.#reader = new NotifyReader(ground.clock, 64 * ground.layer.timers.t1, {
      onNotified: (notified) => this.#notified(notified),
      onReaderEnd: () => this.#end(),
    });
    const headers: Record<string, string> = { 'Refer-To': referTo(options), Supported: ground.supported };
    if (options.isSilent === true) headers['Refer-Sub'] = 'false';
    if (options.referredBy !== undefined) headers['Referred-By'] = options.referredBy;
    this.#outbound = link.send('REFER', { headers: { ...headers, ...options.headers } }, this);
    register(this, true);
    this.#forget = () => register(this, false);
  }

  /** RFC 3515 2.4.6: the subscription is known by the CSeq number of its REFER; after a challenge that is another one. */
  get id(): string {
    return String(this.#outbound.request.headers.cseq?.seq ?? 0);
  }

  /** Resolves with the final status, undefined where none was told. Rejects with what kept the REFER from working. */
  async outcome(): Promise<number | undefined> {
    if (!this.#isOver) await new Promise((resolve) => this.on('ended', resolve));
    if (this.#error !== undefined) throw this.#error;
    return this.#status;
  }

  take(notify: IncomingRequest): void {
    this.#reader.take(notify);
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) return;
    if (response.status >= 300) {
      this.#error = new Refusal(response);
      this.#reader.step('refused');
      return;
    }
    this.emit('accepted', { response });
    // RFC 4488 4: no subscription, nothing will be told.
    if (response.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false') this.#reader.step('refused');
  }

  onFailure(error: SipError): void {
    this.#error = error;
    this.#reader.step('refused');
  }

  #notified(notified: Notified): void {
    const status = statusOfSipfrag(notified.body);
    if (status === undefined) return;
    this.#status = status;
    this.emit('progress', { status, body: notified.body });
  }

  #end(): void {
    this.#isOver = true;
    this.emit('ended', { status: this.#status, error: this.#error });
    this.finish();
    this.#forget();
    this.#release();
  }
}

function referTo({ target, replaces }: ReferOptions & { readonly target: Uri | string }): string {
  const text = target.toString();
  if (replaces === undefined) return `<${parseUri(text).toString()}>`;
  const joiner = text.includes('?') ? '&' : '?';
  return `<${parseUri(`${text}${joiner}Replaces=${encodeURIComponent(replaces)}`).toString()}>`;
}

/** The peer asks us to call somebody. Accept or reject it once. */
export class IncomingRefer implements NotifySenderUser {
  readonly request: IncomingRequest;
  /** Whom to call, without the headers of its URI. */
  readonly target: NameAddr;
  /** For the new INVITE (RFC 3891), where the transfer is an attended one. */
  readonly replaces: string | undefined;
  readonly #isSilent: boolean;
  readonly #sender: NotifySender;
  readonly #contact: string;
  readonly #release: () => void;
  #isAccepted = false;

  private constructor(
    ground: AgentGround,
    link: DialogLink,
    request: IncomingRequest,
    referTo: NameAddr,
    release: () => void,
  ) {
    this.request = request;
    this.target = withoutHeaders(referTo);
    this.replaces = replacesOf(referTo);
    this.#isSilent = request.request.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false';
    this.#contact = link.contact;
    this.#release = release;
    // Whoever answers by hand says nothing more: the dialog need not wait for it.
    request.transaction.user = { onEnd: () => this.#isAccepted || release() };
    const id = request.request.headers.cseq?.seq ?? 0;
    this.#sender = new NotifySender(ground, link, `refer;id=${id}`, this);
  }

  /** Undefined where it was answered already: without one Refer-To it is a 400 (RFC 3515 2.4.2). */
  static read(
    ground: AgentGround,
    link: DialogLink,
    request: IncomingRequest,
    release: () => void,
  ): IncomingRefer | undefined {
    const { headers } = request.request;
    const to = headers.referTo;
    if (to !== undefined && headers.list('Refer-To').length === 1)
      return new IncomingRefer(ground, link, request, to, release);
    request.respond(400, { reason: 'One Refer-To Is Needed' });
    release();
    return undefined;
  }

  get referredBy(): string | undefined {
    return this.request.request.headers.get('Referred-By');
  }

  /** Accepts: the peer is told of a 100, and then of whatever `notify` says. */
  accept(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.#sender.expireIn(REFER_EXPIRES_S);
    this.#sender.notify(sipfrag(100));
    if (!this.#isSilent) return this.#sender.step('accept');
    this.respond();
    this.#sender.drop();
  }

  reject(status = 603): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.request.respond(status);
    this.#sender.drop();
  }

  /** Tells the peer how the new call stands; a final status ends the subscription. */
  notify(status: number, reason?: string): void {
    if (this.#isSilent || !this.#isAccepted) return;
    const body = sipfrag(status, reason);
    if (status < 200) this.#sender.notify(body);
    else this.#sender.finish('noresource', body);
  }

  respond(): void {
    // RFC 4488 4: we agree to say nothing.
    if (this.#isSilent) this.request.respond(200, { headers: { Contact: this.#contact, 'Refer-Sub': 'false' } });
    else this.request.respond(202, { headers: { Contact: this.#contact } });
  }

  onSenderEnd(): void {
    this.#release();
  }
}

function withoutHeaders(to: NameAddr): NameAddr {
  const question = to.uriText.indexOf('?');
  const text = question < 0 ? to.uriText : to.uriText.slice(0, question);
  return NameAddr.of({ displayName: to.displayName, uri: parseUri(text), params: Params.none });
}

function replacesOf(to: NameAddr): string | undefined {
  const match = /[?&]Replaces=([^&>]*)/i.exec(to.uriText);
  // Call-IDs and tags are ASCII: each escape is a character.
  return match?.[1]?.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
