import { writeMessage } from '../messages/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { bodyOf, isSession, noOffer, stepOffer } from '../offer-answer/index.ts';
import type { Body, OfferAnswer } from '../offer-answer/index.ts';
import { SipError } from '../transactions/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import { AwaitedAck } from './awaited-ack.ts';
import { ChangeDesk } from './change-desk.ts';
import type { Change, ChangeAnswer } from './change.ts';
import type { AgentGround, DialogUser } from './ground.ts';
import { IncomingRequest } from './incoming-request.ts';
import type { DialogLink } from './link.ts';
import { Reinvite } from './reinvite.ts';
import type { ReinviteUser } from './reinvite.ts';
import { SessionClock } from './session-clock.ts';

/** The call that a dialog belongs to. */
export interface InviteDialogUser {
  /** False: nobody answers changes. */
  onChange(change: Change): boolean;
  onBye(bye: SipRequest): void;
  /** False: it matches no response of ours (481). */
  onPrack(prack: SipRequest): boolean;
  /** The PRACK has been answered. */
  onPrackDone(): void;
  /** Any other request in the dialog. */
  onOther(dialog: InviteDialog, request: IncomingRequest): void;
  onAckTimeout(): void;
  onLost(error: SipError): void;
  onDrop(): void;
}

/** One dialog of a call, early or confirmed: its offers and answers, changes, and session timer. */
export class InviteDialog implements DialogUser, ReinviteUser {
  readonly ground: AgentGround;
  readonly link: DialogLink;
  readonly timer: SessionClock;
  /** The session description that we sent last, for refreshing. */
  localBody: Body | undefined;
  remoteBody: Body | undefined;
  /** Both, as they were when no offer was open. */
  #agreed: readonly [local: Body | undefined, remote: Body | undefined] = [undefined, undefined];
  readonly #user: InviteDialogUser;
  readonly #desk: ChangeDesk;
  readonly #isCaller: boolean;
  /** A re-INVITE may overtake the ACK of the INVITE before it: each 2xx waits for its own. */
  readonly #awaited: AwaitedAck[] = [];
  #offers: OfferAnswer = noOffer;
  #own: Reinvite | undefined;
  #peerAllows = '';
  #isOver = false;
  #holds = 0;

  constructor(ground: AgentGround, link: DialogLink, user: InviteDialogUser, isCaller: boolean) {
    this.ground = ground;
    this.link = link;
    this.#user = user;
    this.#isCaller = isCaller;
    this.#desk = new ChangeDesk(this, (change) => user.onChange(change));
    this.timer = new SessionClock(ground.clock, ground.settings.sessionTimer, this);
    link.enter(this);
  }

  /** The call that it belongs to. */
  get call(): InviteDialogUser {
    return this.#user;
  }

  get offers(): OfferAnswer {
    return this.#offers;
  }

  /** A change of ours is on its way. */
  get hasOwnChange(): boolean {
    return this.#own?.isSent === true;
  }

  get isTaken(): boolean {
    return this.#desk.hasInvite || this.#offers.name !== 'stable';
  }

  /** An exchange of offer and answer has been completed. */
  get isConfirmed(): boolean {
    return this.#offers.rounds > 0;
  }

  /** Whether the peer said that it takes this method. */
  allows(method: string): boolean {
    return this.#peerAllows.includes(method);
  }

  learn(message: SipRequest | SipResponse): void {
    this.#peerAllows = message.headers.get('Allow') ?? this.#peerAllows;
  }

  trackOffer(input: 'send' | 'receive' | 'failed', body?: Body): void {
    const step = stepOffer(this.#offers, input);
    if (!step.isAllowed)
      throw new SipError('wrong-state', step.why === 'pending' ? 'our offer is open' : "the peer's offer is open");
    this.#offers = step.state;
    if (input === 'send') this.localBody = body;
    else if (input === 'receive') this.remoteBody = body;
    // RFC 3261 14.1: after a refused offer the session is what it was.
    else [this.localBody, this.remoteBody] = this.#agreed;
    if (step.state.name === 'stable') this.#agreed = [this.localBody, this.remoteBody];
  }

  /** A session description of the peer that comes out of turn is not heard: false. */
  hearOffer(body: Body | undefined): boolean {
    if (body === undefined || !stepOffer(this.#offers, 'receive').isAllowed) return false;
    this.trackOffer('receive', body);
    return true;
  }

  /** Changes the session (RFC 3261 14, RFC 3311). Rejects with `wrong-state`, `Refusal` or what else kept it from working. */
  change(method: 'INVITE' | 'UPDATE', body: Body | undefined): Promise<ChangeAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) throw new SipError('closed', 'the call is over');
      if (this.#own !== undefined) throw new SipError('wrong-state', 'a change of ours is under way');
      if (method === 'INVITE' && this.#desk.hasInvite)
        throw new SipError('wrong-state', "the peer's change is under way");
      const reinvite = new Reinvite(this, { method, body, isCallIdOwner: this.#isCaller }, resolve, reject);
      reinvite.start();
      this.#own = reinvite;
    });
  }

  onReinviteEnd(reinvite: Reinvite): void {
    if (this.#own === reinvite) this.#own = undefined;
  }

  onCallLost(error: SipError): void {
    this.#user.onLost(error);
  }

  /** RFC 4028 7.4, 10: by UPDATE without a body where the peer takes it, else by our last description again. */
  onRefresh(): void {
    const method = this.allows('UPDATE') ? 'UPDATE' : 'INVITE';
    const refreshed = this.change(method, method === 'INVITE' ? this.localBody : undefined);
    // An offer that a refresh brings up is not taken: the ACK alone ends it.
    const done = refreshed.then((answer) => answer.acknowledge(undefined));
    done.catch((error: unknown) => {
      // Another change is under way, which refreshes too; or the peer refused: then the session ends when its time is up.
      if (!(error instanceof SipError)) throw error;
      if (!this.#isOver) this.timer.expire();
    });
  }

  onSilence(): void {
    this.onCallLost(new SipError('timeout', 'the session timer ran out'));
  }

  /** A use of the dialog besides the call (a transfer's subscription): the dialog stays known until it is released. */
  hold(): () => void {
    this.#holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      if (this.#isOver && this.#holds === 0) this.link.leave(this);
    };
  }

  /** The call is over. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.timer.stop();
    for (const awaited of [...this.#awaited]) this.stopOk(awaited);
    this.#desk.close();
    this.#own?.stop(new SipError('closed', 'the call ended'));
    if (this.#holds === 0) this.link.leave(this);
  }

  drop(): void {
    this.#user.onDrop();
    // What still holds it (a transfer's subscription) ends with the agent.
    this.link.leave(this);
  }

  onRequest(transaction: ServerTransaction, request: SipRequest): void {
    const incoming = new IncomingRequest(transaction, request, '');
    if (!this.link.take(request)) {
      // RFC 3261 12.2.2.
      incoming.respond(500, { reason: 'CSeq Out Of Order' });
      return;
    }
    this.learn(request);
    const { method } = request;
    if (method === 'BYE') {
      incoming.respond(this.#isOver ? 481 : 200);
      if (!this.#isOver) this.#user.onBye(request);
    } else if (method === 'INVITE' || method === 'UPDATE' || method === 'PRACK') {
      if (this.#isOver) incoming.respond(481);
      else if (method !== 'PRACK') this.#desk.take(incoming);
      else this.#takePrack(incoming);
    } else this.#user.onOther(this, incoming);
  }

  #takePrack(incoming: IncomingRequest): void {
    if (!this.#user.onPrack(incoming.request)) return void incoming.respond(481);
    const body = bodyOf(incoming.request);
    if (isSession(body) && this.#offers.name === 'offered') {
      // The answer to the offer in our reliable response.
      this.trackOffer('receive', body);
      incoming.respond(200);
    } else this.#desk.take(incoming);
    this.#user.onPrackDone();
  }

  /** Sends a 2xx to an INVITE and repeats it until its ACK; `onAck` hears of it, with the body of the ACK, or of the call's end. */
  sendOk(incoming: IncomingRequest, response: SipResponse, onAck: (body: Body | undefined) => void): AwaitedAck {
    const bytes = writeMessage(response);
    const { transaction, request } = incoming;
    transaction.respondBytes(response.status, bytes);
    const { clock, layer } = this.ground;
    const ground = { clock, timers: layer.timers, user: this };
    const awaited = new AwaitedAck(ground, transaction, { seq: request.headers.cseq?.seq ?? 0, bytes, onAck });
    this.#awaited.push(awaited);
    return awaited;
  }

  /** This 2xx is not repeated any longer. */
  stopOk(awaited: AwaitedAck | undefined): void {
    const at = awaited === undefined ? -1 : this.#awaited.indexOf(awaited);
    if (awaited === undefined || at < 0) return;
    this.#awaited.splice(at, 1);
    awaited.stop();
    awaited.onAck(undefined);
  }

  onAckTimeout(): void {
    this.#user.onAckTimeout();
  }

  onAck(ack: SipRequest): void {
    const seq = ack.headers.cseq?.seq;
    const at = this.#awaited.findIndex((own) => own.seq === seq);
    const [awaited] = at < 0 ? [] : this.#awaited.splice(at, 1);
    if (awaited === undefined) return;
    awaited.stop();
    const body = bodyOf(ack);
    const session = isSession(body) ? body : undefined;
    // The answer to the offer in our 2xx. Without one that offer has failed.
    if (this.#offers.name === 'offered') this.trackOffer(session === undefined ? 'failed' : 'receive', session);
    awaited.onAck(session);
  }
}
