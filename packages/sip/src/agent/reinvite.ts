import type { Timer } from '../clock/index.ts';
import { glareDelayMs } from '../dialogs/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { bodyOf, isSession } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { Refusal, SipError } from '../transactions/index.ts';
import type { SentAlone } from '../transactions/index.ts';
import type { ChangeAnswer } from './change.ts';
import type { AgentGround } from './ground.ts';
import type { DialogLink } from './link.ts';
import type { Outbound, OutboundUser } from './outbound.ts';
import { PrackClient } from './prack.ts';
import type { SessionClock } from './session-clock.ts';

/**
 * Tries after a 491: with the random waits of RFC 3261 14.1 a fourth collision in a row means a peer that never lets us.
 * @peer the change fails: 491
 * @test changes: a peer that always changes
 */
const MAX_GLARE_TRIES = 4;

export interface ReinviteParts {
  readonly method: 'INVITE' | 'UPDATE';
  readonly body: Body | undefined;
  readonly isCallIdOwner: boolean;
}

export interface ReinviteUser {
  readonly ground: AgentGround;
  readonly link: DialogLink;
  readonly timer: SessionClock;
  /** A change of the peer is being answered. */
  readonly isTaken: boolean;
  /** A session description goes out, comes in, or the open offer has failed. Throws `wrong-state`. */
  trackOffer(input: 'send' | 'failed', body?: Body): void;
  /** The peer's description; false where it comes out of turn. */
  hearOffer(body: Body | undefined): boolean;
  /** The change is over: another may begin. */
  onReinviteEnd(reinvite: Reinvite): void;
  /** 408 or 481: the call is gone (RFC 3261 12.2.1.2). */
  onCallLost(error: SipError): void;
}

/** A change of the session by us: a re-INVITE or UPDATE, with its repetitions after 491 and 422. */
export class Reinvite implements OutboundUser {
  readonly #user: ReinviteUser;
  readonly #parts: ReinviteParts;
  readonly #resolve: (answer: ChangeAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #prack = new PrackClient();
  #outbound: Outbound | undefined;
  #ack: SentAlone | Promise<SentAlone> | undefined;
  #wait: Timer | undefined;
  #tries = 0;
  #isOver = false;

  constructor(
    user: ReinviteUser,
    parts: ReinviteParts,
    resolve: (answer: ChangeAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#user = user;
    this.#parts = parts;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** It is on its way; not while it waits after a 491. */
  get isSent(): boolean {
    return !this.#isOver && this.#wait === undefined;
  }

  /** Throws `wrong-state` where an offer is open. */
  start(): void {
    const { method, body } = this.#parts;
    const { link, ground } = this.#user;
    if (isSession(body)) this.#user.trackOffer('send', body);
    const headers = { Supported: ground.supported, Allow: ground.allow };
    this.#outbound = link.send(method, { headers, body }, this);
  }

  onSend(request: SipRequest): void {
    this.#user.timer.ask(request.headers, false);
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) return this.#provisional(response);
    if (this.#isOver) return this.#repeatAck(response);
    if (response.status < 300) return this.#accepted(response);
    this.#refused(response);
  }

  onFailure(error: SipError): void {
    if (this.#isOver) return;
    this.#fail(error);
    if (error.isNoAnswer) this.#user.onCallLost(error);
  }

  /** The call is over. */
  stop(error: SipError): void {
    this.#wait?.cancel();
    if (this.#isOver) return;
    this.#fail(error);
  }

  #provisional(response: SipResponse): void {
    if (this.#prack.judge(response) === 'reliable') this.#prack.send(this.#user.link, response, undefined, SILENT);
  }

  #repeatAck(response: SipResponse): void {
    const ack = this.#ack;
    if (ack === undefined || response.status >= 300) return;
    if ('then' in ack) void ack.then((sent) => sent.repeat());
    else ack.repeat();
  }

  #accepted(response: SipResponse): void {
    const { link, timer } = this.#user;
    const body = bodyOf(response);
    const session = isSession(body) ? body : undefined;
    link.refresh(response);
    timer.settle(response.headers);
    this.#isOver = true;
    const isHeard = this.#user.hearOffer(session);
    // An offer of ours that the answer leaves open has failed.
    if (!isHeard && isSession(this.#parts.body)) this.#user.trackOffer('failed');
    const isOffer = isHeard && !isSession(this.#parts.body);
    if (this.#parts.method === 'INVITE' && !isOffer) this.#acknowledge(response, undefined);
    if (!isOffer) this.#user.onReinviteEnd(this);
    this.#resolve({
      body: session,
      acknowledge: (answer) => {
        if (!isOffer || this.#ack !== undefined) return;
        this.#user.trackOffer(answer === undefined ? 'failed' : 'send', answer);
        this.#acknowledge(response, answer);
        this.#user.onReinviteEnd(this);
      },
    });
  }

  #acknowledge(response: SipResponse, answer: Body | undefined): void {
    this.#ack = this.#user.link.acknowledge(response.headers.cseq?.seq ?? 0, answer);
  }

  #refused(response: SipResponse): void {
    const { timer } = this.#user;
    if (response.status === 422 && timer.raise(response.headers)) {
      this.#outbound?.resend((request) => timer.ask(request.headers, false));
      return;
    }
    if (response.status === 491 && this.#tries < MAX_GLARE_TRIES - 1) {
      if (isSession(this.#parts.body)) this.#user.trackOffer('failed');
      return this.#waitOut();
    }
    const refusal = new Refusal(response);
    this.#fail(refusal);
    if (response.status === 481 || response.status === 408) this.#user.onCallLost(refusal);
  }

  #again(): void {
    this.#wait = undefined;
    // The peer's change came first and is not done yet: ours waits on.
    if (this.#user.isTaken) this.#waitOut();
    else this.start();
  }

  #waitOut(): void {
    const { ground } = this.#user;
    if ((this.#tries += 1) >= MAX_GLARE_TRIES)
      return this.#fail(new SipError('timeout', "the peer's changes leave no room"));
    this.#wait = ground.clock.after(glareDelayMs(this.#parts.isCallIdOwner, ground.random), () => this.#again());
  }

  #fail(error: SipError): void {
    const wasSent = this.isSent;
    this.#isOver = true;
    if (isSession(this.#parts.body) && wasSent) this.#user.trackOffer('failed');
    this.#user.onReinviteEnd(this);
    this.#reject(error);
  }
}

/** For requests whose failure tells nothing new: the INVITE tells it too. */
const SILENT: OutboundUser = { onResponse: () => undefined, onFailure: () => undefined };
