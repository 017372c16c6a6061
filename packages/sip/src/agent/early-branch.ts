import { bodyOf } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { SipResponse } from '../messages/index.ts';
import type { SentAlone, SipError } from '../transactions/index.ts';
import type { Answered, Progress } from './call.ts';
import { sessionOf } from './call.ts';
import type { AgentGround } from './ground.ts';
import { InviteDialog } from './invite-dialog.ts';
import type { InviteDialogUser } from './invite-dialog.ts';
import { DialogLink } from './link.ts';
import type { LinkOptions, LinkRequest } from './link.ts';
import type { OutboundUser } from './outbound.ts';
import { PrackClient } from './prack.ts';

/** One dialog that an INVITE of ours made: a forking proxy gives several (RFC 3261 13.2.2). */
export class EarlyBranch {
  readonly dialog: InviteDialog;
  readonly #prack = new PrackClient();
  readonly #user: InviteDialogUser;
  #inviteSeq = 0;
  #ack: SentAlone | Promise<SentAlone> | undefined;

  constructor(ground: AgentGround, link: LinkOptions, user: InviteDialogUser, offer: Body | undefined) {
    this.#user = user;
    this.dialog = new InviteDialog(ground, new DialogLink(ground, link), user, true);
    if (offer !== undefined) this.dialog.trackOffer('send', offer);
    this.#inviteSeq = link.dialog.localSeq;
  }

  get isAcknowledged(): boolean {
    return this.#ack !== undefined;
  }

  /** A provisional response; reliable ones are acknowledged, at once where no answer of ours is due. */
  progress(response: SipResponse): Progress | 'repeated' {
    const verdict = this.#prack.judge(response);
    if (verdict === 'drop') return 'repeated';
    this.dialog.learn(response);
    const body = sessionOf(bodyOf(response));
    const { status } = response;
    if (verdict === 'plain') return { status, response, body, isReliable: false };
    const wasStable = this.dialog.offers.name === 'stable';
    const isOffer = this.dialog.hearOffer(body) && wasStable;
    if (!isOffer) {
      this.#sendPrack(response, undefined);
      return { status, response, body, isReliable: true };
    }
    const acknowledge = (answer: Body): void => {
      this.dialog.trackOffer('send', answer);
      this.#sendPrack(response, answer);
    };
    return { status, response, body, isReliable: true, acknowledge };
  }

  #sendPrack(response: SipResponse, body: Body | undefined): void {
    const user: OutboundUser = {
      onResponse: () => undefined,
      onFailure: (error: SipError) => this.#user.onLost(error),
    };
    this.#prack.send(this.dialog.link, response, body, user);
  }

  confirm(response: SipResponse): void {
    this.dialog.link.confirm(response);
    this.dialog.learn(response);
    this.#inviteSeq = response.headers.cseq?.seq ?? this.#inviteSeq;
  }

  /** The 2xx: what it means for offer and answer. */
  answered(response: SipResponse, askedInterval: number): Answered {
    const { dialog } = this;
    const body = sessionOf(bodyOf(response));
    // After a reliable answer the 2xx may repeat it (RFC 3262 5): that is no new offer.
    const isRepeat = dialog.offers.name === 'stable' && dialog.isConfirmed;
    const wasStable = dialog.offers.name === 'stable';
    const isHeard = !isRepeat && dialog.hearOffer(body);
    const isOffer = isHeard && wasStable;
    if (dialog.offers.name === 'offered') dialog.trackOffer('failed');
    if (askedInterval > 0 || response.headers.has('Session-Expires')) dialog.timer.settle(response.headers);
    return { response, body, isOffer };
  }

  acknowledge(answer: Body | undefined): void {
    if (answer !== undefined) this.dialog.trackOffer('send', answer);
    this.#ack = this.dialog.link.acknowledge(this.#inviteSeq, answer);
  }

  repeatAck(): void {
    const ack = this.#ack;
    if (ack === undefined) return;
    if ('then' in ack) void ack.then((sent) => sent.repeat());
    else ack.repeat();
  }

  ackAndBye(options: LinkRequest): void {
    if (this.#ack === undefined) this.acknowledge(undefined);
    this.bye(options);
  }

  bye(options: LinkRequest): void {
    this.dialog.link.send('BYE', options, SILENT);
    this.dialog.close();
  }

  close(): void {
    this.dialog.close();
  }
}

/** A BYE ends the call whatever is answered (RFC 3261 15.1.1). */
export const SILENT: OutboundUser = { onResponse: () => undefined, onFailure: () => undefined };
