import { parseNameAddr, parseUri } from '../messages/index.ts';
import type { SipMessage, SipRequest, SipResponse, Uri, NameAddr } from '../messages/index.ts';
import { isSession } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { Refusal, SipError } from '../transactions/index.ts';
import type { Change, ChangeAnswer } from './change.ts';
import { Emitter, reasonOf } from './emitter.ts';
import type { AgentGround } from './ground.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { InviteDialog, InviteDialogUser } from './invite-dialog.ts';
import type { LinkRequest } from './link.ts';
import { IncomingRefer, Referral } from './referral.ts';
import type { ReferOptions } from './referral.ts';

/** How a call ended. */
export interface CallEnd {
  readonly by: 'us' | 'peer' | 'network';
  /** The final response to the INVITE, where there was one of 300 or above. */
  readonly status?: number | undefined;
  /** The message that ended it: BYE, CANCEL, or that response. */
  readonly message?: SipMessage | undefined;
  readonly error?: SipError | undefined;
}

/** A provisional response to our INVITE. */
export interface Progress {
  readonly status: number;
  readonly response: SipResponse;
  /** A session description; in a reliable response it counts, else it is a preview of the answer. */
  readonly body: Body | undefined;
  readonly isReliable: boolean;
  /** The peer offered in this reliable response: sends our answer in the PRACK. */
  acknowledge?(answer: Body): void;
}

export interface Answered {
  readonly response: SipResponse;
  readonly body: Body | undefined;
  /** The peer offers (our INVITE had no body): `call.acknowledge(answer)` is due. */
  readonly isOffer: boolean;
}

export interface CallEvents {
  /** A call of ours: it rings, or whatever else the peer says before its answer. */
  progress: Progress;
  /** A call of ours: the peer answered. */
  answered: Answered;
  /** The ACK is sent or has come, in a late offer with the answer. */
  confirmed: { readonly body: Body | undefined };
  /** The peer wants to change the session. Unheard it is refused. */
  change: Change;
  /** The peer wants us to call somebody. Unheard it is refused. */
  refer: IncomingRefer;
  /** Any other request in the call (INFO, MESSAGE …). Unheard it is refused. */
  request: IncomingRequest;
  /** The last event. */
  ended: CallEnd;
}

/** States of both sides in which the first INVITE is still open: no other may be sent (RFC 3261 14.1). */
const EARLY: ReadonlySet<string> = new Set(['calling', 'proceeding', 'cancel-wanted', 'cancelling', 'ringing']);

export interface RequestOptions extends LinkRequest {
  readonly signal?: AbortSignal | undefined;
}

/** A call: what both sides of it can do. */
export abstract class Call extends Emitter<CallEvents> implements InviteDialogUser {
  /** The INVITE that began it. */
  abstract readonly invite: SipRequest;
  abstract readonly isOutgoing: boolean;
  /** The call that this one takes the place of (RFC 3891): it is hung up when this one is answered. */
  replaces: Call | undefined;
  protected readonly ground: AgentGround;
  #end: CallEnd | undefined;
  #referrals: Set<Referral> | undefined;

  protected constructor(ground: AgentGround) {
    super();
    this.ground = ground;
  }

  /** The dialog that stands or is likely to; undefined before the first response. */
  abstract get dialog(): InviteDialog | undefined;
  abstract get state(): string;

  /** Ends the call whatever its state: CANCEL, a refusal, or BYE. */
  abstract hangup(options?: LinkRequest): void;

  get callId(): string {
    return this.invite.headers.callId ?? '';
  }

  /** The other party, with its tag where known. */
  get remote(): NameAddr {
    const dialog = this.dialog?.link.dialog;
    const { headers } = this.invite;
    const text = dialog?.remote ?? headers.get(this.isOutgoing ? 'To' : 'From') ?? '';
    return parseNameAddr(text, 'To');
  }

  get local(): NameAddr {
    const dialog = this.dialog?.link.dialog;
    const { headers } = this.invite;
    return parseNameAddr(dialog?.local ?? headers.get(this.isOutgoing ? 'From' : 'To') ?? '', 'From');
  }

  /** How it ended, once it has. */
  get end(): CallEnd | undefined {
    return this.#end;
  }

  /** Resolves when the call is over; never rejects. */
  ended(): Promise<CallEnd> {
    if (this.#end !== undefined) return Promise.resolve(this.#end);
    return new Promise((resolve) => this.on('ended', resolve));
  }

  /** The value of Replaces by which another call takes this one's place (RFC 3891), as seen by our peer. */
  get replacesValue(): string {
    const { callId, localTag, remoteTag } = this.#confirmed().link.dialog;
    return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
  }

  /**
   * Changes the session: an offer of ours (hold, resume, another address), or none to ask for the peer's. Collisions are repeated as
   * the RFC says. Rejects with `Refusal` where the peer says no; the session then stays as it was.
   */
  async change(body?: Body): Promise<ChangeAnswer> {
    const dialog = this.#confirmed();
    if (EARLY.has(this.state)) throw new SipError('wrong-state', 'the call is not answered yet');
    return await dialog.change('INVITE', body);
  }

  /** As `change`, by UPDATE (RFC 3311): allowed before the call is answered, and answered by a machine at once. */
  async update(body?: Body): Promise<ChangeAnswer> {
    return await this.#confirmed().change('UPDATE', body);
  }

  /** Sends any request in the call: INFO, MESSAGE, OPTIONS … Rejects with `Refusal` where the answer is no. */
  async request(method: string, options: RequestOptions = {}): Promise<SipResponse> {
    const { link } = this.#confirmed();
    const { signal } = options;
    return await new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw reasonOf(signal);
      const stop = (): void => signal?.removeEventListener('abort', abort);
      const outbound = link.send(method, options, {
        onResponse: (response) => {
          if (response.status < 200) return;
          stop();
          if (response.status < 300) return resolve(response);
          const refusal = new Refusal(response);
          reject(refusal);
          if (response.status === 408 || response.status === 481) this.onLost(refusal);
        },
        onFailure: (error) => {
          stop();
          reject(error);
          // RFC 3261 12.2.1.2: no answer is as good as a 408.
          if (error.isNoAnswer) this.onLost(error);
        },
      });
      const abort = (): void => {
        outbound.drop();
        reject(reasonOf(signal));
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Asks the peer to call somebody (RFC 3515); throws `wrong-state` where the call does not stand. A blind transfer, or with `replaces` an attended one. */
  refer(target: Uri | string, options: ReferOptions = {}): Referral {
    const dialog = this.#confirmed();
    const parts = { ...options, target: parseUri(target.toString()) };
    return new Referral(this.ground, dialog.link, parts, dialog.hold(), (referral, isOpen) => {
      const referrals = (this.#referrals ??= new Set());
      if (isOpen) referrals.add(referral);
      else referrals.delete(referral);
    });
  }

  onChange(change: Change): boolean {
    return this.emit('change', change);
  }

  onOther(dialog: InviteDialog, request: IncomingRequest): void {
    if (request.method === 'REFER') return this.#takeRefer(dialog, request);
    if (request.method === 'NOTIFY') return this.#takeNotify(request);
    if (this.#end !== undefined) return void request.respond(481);
    if (this.emit('request', request)) return;
    // RFC 6086 4.2.2 has 469 for INFO packages; without a listener we take none at all.
    request.respond(405, { headers: { Allow: this.ground.allow } });
  }

  onPrack(_prack: SipRequest): boolean {
    return false;
  }

  onPrackDone(): void {
    // Only who is called sends reliable responses.
  }

  abstract onBye(bye: SipRequest): void;
  abstract onAckTimeout(): void;
  abstract onLost(error: SipError): void;
  abstract onDrop(): void;

  protected conclude(end: CallEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.emit('ended', end);
    this.finish();
  }

  #confirmed(): InviteDialog {
    const dialog = this.dialog;
    if (dialog === undefined || this.#end !== undefined) throw new SipError('wrong-state', 'the call does not stand');
    return dialog;
  }

  #takeRefer(dialog: InviteDialog, request: IncomingRequest): void {
    if (this.#end !== undefined) return void request.respond(481);
    const release = dialog.hold();
    try {
      const refer = IncomingRefer.read(this.ground, dialog.link, request, release);
      if (refer !== undefined && !this.emit('refer', refer)) refer.reject(603);
    } catch (error) {
      release();
      throw error;
    }
  }

  #takeNotify(request: IncomingRequest): void {
    const event = request.request.headers.event;
    const id = event?.value === 'refer' ? (event.params.get('id') ?? '') : undefined;
    const referrals = [...(this.#referrals ?? [])];
    const only = referrals.length === 1 ? referrals[0] : undefined;
    // RFC 3515 2.4.6: the id may be missing where there is but one.
    const referral = id === undefined ? undefined : id === '' ? only : referrals.find((own) => own.id === id);
    if (referral === undefined) request.respond(481);
    else referral.take(request);
  }
}

/** The session description of a message's body, if any. */
export const sessionOf = (body: Body | undefined): Body | undefined => (isSession(body) ? body : undefined);
