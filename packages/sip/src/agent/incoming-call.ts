import type { Timer } from '../clock/index.ts';
import { dialogByRequest, stepCallee } from '../dialogs/index.ts';
import type { CalleeEffect, CalleeInput, CalleeState } from '../dialogs/index.ts';
import type { SipRequest, SipResponse, Uri } from '../messages/index.ts';
import { bodyOf, isSession } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { SipError } from '../transactions/index.ts';
import type { FailureCause, ServerTransaction, ServerTransactionUser } from '../transactions/index.ts';
import type { AwaitedAck } from './awaited-ack.ts';
import { Call, sessionOf } from './call.ts';
import type { CallEnd } from './call.ts';
import { SILENT } from './early-branch.ts';
import type { AgentGround } from './ground.ts';
import { IncomingRequest, responseTo } from './incoming-request.ts';
import type { ResponseOptions } from './incoming-request.ts';
import { InviteDialog } from './invite-dialog.ts';
import { DialogLink } from './link.ts';
import type { LinkRequest } from './link.ts';
import { Provisionals } from './provisionals.ts';

export interface ProgressOptions extends ResponseOptions {
  /** Repeated until the peer acknowledges it (RFC 3262); by default where the peer demands that, or where a body makes it matter. */
  readonly isReliable?: boolean | undefined;
}

const NOBODY: ServerTransactionUser = {};

/** RFC 3261 13.3.1.1: proxies give a call up that is silent for three minutes; a phone that rings says so every minute. */
const RING_AGAIN_MS = 60_000;

/** A call that came in. */
export class IncomingCall extends Call implements ServerTransactionUser {
  readonly isOutgoing = false;
  readonly invite: SipRequest;
  readonly dialog: InviteDialog;
  /** The peer's offer; undefined: we are to offer in our answer, and `confirmed` brings the peer's. */
  readonly offer: Body | undefined;
  readonly #incoming: IncomingRequest;
  readonly #tag: string;
  #state: CalleeState = 'ringing';
  #provisionals: Provisionals | undefined;
  #refusal: SipResponse | undefined;
  #ringAgain: Timer | undefined;
  #ok: SipResponse | undefined;
  #awaited: AwaitedAck | undefined;
  #cause: CallEnd | undefined;
  #byeExtras: LinkRequest = {};

  /** Throws `SyntaxFailure` where the INVITE can't make a dialog, `too-many-dialogs` where there is no room. */
  constructor(ground: AgentGround, transaction: ServerTransaction, invite: SipRequest) {
    super(ground);
    this.invite = invite;
    this.#tag = ground.ids.next();
    this.#incoming = new IncomingRequest(transaction, invite, this.#tag);
    const link = new DialogLink(ground, { dialog: dialogByRequest(invite, this.#tag), flow: transaction.flow });
    this.dialog = new InviteDialog(ground, link, this, false);
    this.dialog.learn(invite);
    const body = bodyOf(invite);
    this.offer = isSession(body) ? body : undefined;
    if (this.offer !== undefined) this.dialog.trackOffer('receive', this.offer);
    transaction.user = this;
  }

  get state(): CalleeState {
    return this.#state;
  }

  /** The incoming INVITE as a request: its flow, its headers. */
  get incoming(): IncomingRequest {
    return this.#incoming;
  }

  ring(options: ProgressOptions = {}): void {
    this.progress(180, options);
  }

  /** A provisional response. A body in a reliable one is our answer, or our offer; else a preview of the answer. */
  progress(status: number, options: ProgressOptions = {}): void {
    if (this.#state !== 'ringing') return;
    this.#ringAgain?.cancel();
    if (status > 100) this.#ringAgain = this.ground.clock.after(RING_AGAIN_MS, () => this.progress(status, options));
    const response = this.#response(status, options);
    const body = sessionOf(options.body);
    const { headers } = this.invite;
    const isRequired = headers.require.includes('100rel');
    const isKnown = isRequired || headers.supported.includes('100rel');
    const isAllowed = this.ground.settings.reliableProvisionals !== 'off';
    const isReliable =
      status > 100 && isKnown && (isRequired || (isAllowed && (options.isReliable ?? body !== undefined)));
    if (!isReliable) {
      this.#incoming.transaction.respond(response);
      return;
    }
    const isNew = body !== undefined && !this.#isAnswerSent;
    if (isNew) this.dialog.trackOffer('send', body);
    const { clock, layer, random } = this.ground;
    this.#provisionals ??= new Provisionals({ clock, timers: layer.timers, random }, this.#incoming.transaction, {
      onPrackTimeout: () => this.reject(504, { reason: 'No PRACK' }),
    });
    if (!this.#provisionals.send(response, isNew))
      throw new SipError('wrong-state', 'too many responses wait for a PRACK');
  }

  /**
   * Answers the call. `body` is our answer, or our offer where the peer brought none; it may be left out where a reliable provisional
   * response had it.
   */
  answer(options: ResponseOptions = {}): void {
    if (this.#state !== 'ringing' || this.#ok !== undefined)
      throw new SipError('wrong-state', 'the call was answered or is over');
    const body = sessionOf(options.body);
    if (body !== undefined && !this.#isAnswerSent) this.dialog.trackOffer('send', body);
    const response = this.#response(200, options);
    response.headers.set('Allow', this.ground.allow);
    response.headers.set('Supported', this.ground.supported);
    this.dialog.timer.agree(this.invite.headers, response.headers);
    this.#ok = response;
    if (this.#provisionals === undefined) this.#step('accept');
    else this.#provisionals.whenQuiet(() => this.#step('accept'));
  }

  reject(status = 603, options: ResponseOptions = {}): void {
    if (this.#state !== 'ringing') return;
    this.#refusal = this.#response(status, options);
    this.#because({ by: 'us', status });
    this.#step('reject');
  }

  /** Sends the caller elsewhere (RFC 3261 8.3). */
  redirect(targets: readonly (Uri | string)[], status: 300 | 301 | 302 = 302): void {
    this.reject(status, { headers: { Contact: targets.map((target) => `<${target.toString()}>`) } });
  }

  hangup(options: LinkRequest = {}): void {
    this.#byeExtras = options;
    this.#because({ by: 'us' });
    this.#step('hangup');
  }

  onAck(ack: SipRequest): void {
    this.dialog.onAck(ack);
  }

  onCancel(cancel: SipRequest): void {
    if (this.#state !== 'ringing') return;
    this.#because({ by: 'peer', status: 487, message: cancel });
    this.#step('cancel');
  }

  onFailure(_cause: FailureCause, _error: unknown): void {
    // A response could not be sent: the peer repeats its INVITE, and the ACK's absence ends an answered call.
  }

  onBye(bye: SipRequest): void {
    this.#because({ by: 'peer', message: bye });
    this.#step('bye');
  }

  override onPrack(prack: SipRequest): boolean {
    return this.#provisionals?.acknowledge(prack, this.invite.headers.cseq?.seq ?? 0) ?? false;
  }

  override onPrackDone(): void {
    this.#provisionals?.settle();
  }

  onAckTimeout(): void {
    this.#because({ by: 'network', error: new SipError('timeout', 'no ACK came') });
    if (this.#state === 'confirmed') this.#step('lost');
    else this.#step('ack-timeout');
  }

  onLost(error: SipError): void {
    this.#because({ by: 'network', error });
    this.#step('lost');
  }

  onDrop(): void {
    this.#because({ by: 'us', error: new SipError('closed', 'the agent closed') });
    this.#state = 'ended';
    this.#ringAgain?.cancel();
    this.#finish();
  }

  /** An answer went out already, in a reliable response. */
  get #isAnswerSent(): boolean {
    return this.dialog.offers.name !== 'owing' && this.dialog.localBody !== undefined;
  }

  #response(status: number, options: ResponseOptions): SipResponse {
    const response = responseTo(this.invite, status, this.#tag, options);
    if (status <= 100 || status >= 300) return response;
    response.headers.set('Contact', this.dialog.link.contact);
    return response;
  }

  #step(input: CalleeInput): void {
    const { state, effects } = stepCallee(this.#state, input);
    if (state !== 'ringing') this.#ringAgain?.cancel();
    this.#state = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: CalleeEffect): void {
    switch (effect) {
      case 'accept':
        return this.#accept();
      case 'reject':
        if (this.#refusal) this.#incoming.transaction.respond(this.#refusal);
        return;
      case 'terminate':
        return void this.#incoming.respond(487);
      case 'decline':
        return void this.#incoming.respond(603);
      case 'stop-2xx':
        return this.dialog.stopOk(this.#awaited);
      case 'confirmed':
        return;
      case 'bye':
        this.dialog.link.send('BYE', this.#byeExtras, SILENT);
        return;
      case 'end':
        return this.#finish();
    }
  }

  #accept(): void {
    const ok = this.#ok;
    if (ok === undefined) return;
    this.#provisionals?.stop();
    this.#awaited = this.dialog.sendOk(this.#incoming, ok, (body) => this.#acknowledged(body));
    this.replaces?.hangup();
  }

  #acknowledged(body: Body | undefined): void {
    if (this.#state === 'ended') return;
    this.#step('ack');
    if (this.state === 'confirmed') this.emit('confirmed', { body });
  }

  #because(end: CallEnd): void {
    this.#cause ??= end;
  }

  #finish(): void {
    this.#provisionals?.stop();
    this.dialog.close();
    // The transaction outlives the call by half a minute: it need not hold it.
    this.#incoming.transaction.user = NOBODY;
    this.conclude(this.#cause ?? { by: 'network' });
  }
}
