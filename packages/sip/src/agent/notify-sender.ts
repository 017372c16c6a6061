import type { Timer } from '../clock/index.ts';
import { scopeOfFailure } from '../dialogs/index.ts';
import type { SipResponse } from '../messages/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { stepNotifier, writeSubscriptionState } from '../subscriptions/index.ts';
import type { NotifierInput, NotifierState } from '../subscriptions/index.ts';
import type { AgentGround } from './ground.ts';
import type { DialogLink } from './link.ts';
import type { OutboundUser } from './outbound.ts';

export interface NotifySenderUser {
  /** Answers the SUBSCRIBE or REFER at hand. */
  respond(): void;
  onSenderEnd(): void;
}

/** Runs the notifier's machine: sends NOTIFYs, one at a time, the newest last; and lets the subscription run out. */
export class NotifySender implements OutboundUser {
  readonly #ground: AgentGround;
  readonly #link: DialogLink;
  readonly #event: string;
  readonly #user: NotifySenderUser;
  #state: NotifierState = 'asked';
  #body: Body | undefined;
  #reason = 'noresource';
  #expiresAt = 0;
  #timer: Timer | undefined;
  /** A NOTIFY is under way; `next` waits for its answer. */
  #isSending = false;
  #next: string | undefined;

  constructor(ground: AgentGround, link: DialogLink, event: string, user: NotifySenderUser) {
    this.#ground = ground;
    this.#link = link;
    this.#event = event;
    this.#user = user;
  }

  get state(): NotifierState {
    return this.#state;
  }

  /** How long it lives from now. */
  expireIn(seconds: number): void {
    this.#timer?.cancel();
    this.#expiresAt = this.#ground.clock.now() + seconds * 1_000;
    this.#timer = this.#ground.clock.after(seconds * 1_000, () => {
      this.#reason = 'timeout';
      this.step('expired');
    });
  }

  /** Sets what the subscriber is to know, and tells it. */
  notify(body: Body | undefined): void {
    this.#body = body;
    if (this.#state === 'active') this.#tell();
  }

  /** Ends it, with a last word. */
  finish(reason: string, body: Body | undefined = this.#body): void {
    this.#reason = reason;
    this.#body = body;
    this.step('finish');
  }

  step(input: NotifierInput): void {
    const { state, effects } = stepNotifier(this.#state, input);
    this.#state = state;
    if (input === 'unsubscribe') this.#reason = 'timeout';
    for (const effect of effects) {
      if (effect === 'respond') this.#user.respond();
      else if (effect === 'end') this.#end();
      else this.#tell();
    }
  }

  /** Forgets everything at once. */
  drop(): void {
    this.#state = 'terminated';
    this.#next = undefined;
    this.#end();
  }

  #end(): void {
    this.#timer?.cancel();
    if (!this.#isSending) this.#user.onSenderEnd();
  }

  #tell(): void {
    const left = Math.max(0, Math.round((this.#expiresAt - this.#ground.clock.now()) / 1_000));
    const isOver = this.#state === 'terminated';
    const text = writeSubscriptionState({
      state: isOver ? 'terminated' : this.#state === 'pending' ? 'pending' : 'active',
      expires: isOver ? undefined : left,
      reason: isOver ? this.#reason : undefined,
      retryAfter: undefined,
    });
    // RFC 3265 3.2.2, RFC 6665 4.2.2: one at a time; what changed meanwhile is told once, by the newest.
    if (this.#isSending) this.#next = text;
    else this.#send(text);
  }

  #send(state: string): void {
    this.#isSending = true;
    const headers = { Event: this.#event, 'Subscription-State': state, Allow: this.#ground.allow };
    this.#link.send('NOTIFY', { headers, body: this.#body }, this);
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) return;
    this.#sent();
    const isLost = response.status === 481 || scopeOfFailure(response.status, false) !== 'transaction';
    if (response.status >= 300 && isLost) this.step('lost');
  }

  onFailure(): void {
    this.#sent();
    this.step('lost');
  }

  #sent(): void {
    this.#isSending = false;
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#send(next);
    else if (this.#state === 'terminated') this.#user.onSenderEnd();
  }
}
