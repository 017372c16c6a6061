import type { Clock, Timer } from '../clock/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { readSubscriptionState, stepSubscriber } from '../subscriptions/index.ts';
import type { SubscriberInput, SubscriberState, SubscriptionStatus } from '../subscriptions/index.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** A NOTIFY as the subscriber sees it. */
export interface Notified extends SubscriptionStatus {
  readonly request: IncomingRequest;
  readonly body: Body | undefined;
}

export interface NotifyReaderUser {
  onNotified(notified: Notified): void;
  /** Nothing follows. `last` is the NOTIFY that ended it, if one did. */
  onReaderEnd(last: Notified | undefined): void;
}

/** Runs the subscriber's machine: its states, timer N and the expiry. */
export class NotifyReader {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #user: NotifyReaderUser;
  #state: SubscriberState = 'waiting';
  #timer: Timer | undefined;
  #last: Notified | undefined;
  #isLeaving = false;

  /** `waitMs`: 64*T1, for the first NOTIFY. */
  constructor(clock: Clock, waitMs: number, user: NotifyReaderUser) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#user = user;
    this.step('begin');
  }

  get state(): SubscriberState {
    return this.#state;
  }

  take(request: IncomingRequest): void {
    const status = readSubscriptionState(request.request.headers);
    if (status === undefined) return void request.respond(400, { reason: 'Missing Subscription-State' });
    if (this.#state === 'terminated') return void request.respond(481);
    request.respond(200);
    this.#last = { ...status, request, body: request.body };
    if (status.expires !== undefined && status.state !== 'terminated') this.expireIn(status.expires);
    this.step(`notify-${status.state}`);
  }

  /** The subscription ends by itself unless it is refreshed. */
  expireIn(seconds: number): void {
    if (this.#state === 'terminated' || this.#isLeaving) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(seconds * 1_000, () => this.step('expired'));
  }

  /** We want its end: whatever the notifier says it is over by then. */
  leaveIn(seconds: number): void {
    this.expireIn(seconds);
    this.#isLeaving = true;
  }

  step(input: SubscriberInput): void {
    const { state, effects } = stepSubscriber(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect === 'start-n') this.#timer = this.#clock.after(this.#waitMs, () => this.step('timer-n'));
      else if (effect === 'notified' && this.#last) this.#user.onNotified(this.#last);
      else if (effect === 'stop-n' && state === 'terminated') this.#timer?.cancel();
      else if (effect === 'end') {
        this.#timer?.cancel();
        this.#user.onReaderEnd(input === 'notify-terminated' ? this.#last : undefined);
      }
    }
  }
}
