import type { Timer } from '../clock/index.ts';
import type { DigestClient } from '../digest/index.ts';
import { dialogByResponse, stepCaller } from '../dialogs/index.ts';
import type { CallerEffect, CallerInput, CallerState } from '../dialogs/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { bodyOf } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { SipError } from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import { Call, sessionOf } from './call.ts';
import type { Answered, CallEnd } from './call.ts';
import { EarlyBranch } from './early-branch.ts';
import { addHeaders, contactOn } from './ground.ts';
import type { AgentGround } from './ground.ts';
import type { InviteDialog } from './invite-dialog.ts';
import type { LinkRequest } from './link.ts';
import { Outbound } from './outbound.ts';
import type { OutboundUser } from './outbound.ts';
import type { Hop } from './reach.ts';

/**
 * Early dialogs of one call: a proxy that forks to more phones than this is an attack.
 * @peer no early dialog
 * @test reliable: early dialogs are bounded
 */
export const MAX_BRANCHES = 64;

export interface OutgoingCallParts {
  readonly request: SipRequest;
  readonly hop: Hop;
  readonly body: Body | undefined;
  readonly digest: DigestClient | undefined;
  readonly contactUser: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A call that we make. */
export class OutgoingCall extends Call implements OutboundUser {
  readonly isOutgoing = true;
  readonly #parts: OutgoingCallParts;
  readonly #outbound: Outbound;
  readonly #branches = new Map<string, EarlyBranch>();
  readonly #abort = (): void => this.hangup();
  #state: CallerState = 'calling';
  #branch: EarlyBranch | undefined;
  #guard: Timer | undefined;
  #cause: CallEnd | undefined;
  #byeExtras: LinkRequest = {};
  #answer: Answered | undefined;
  /** Agreed before there is a dialog: the first INVITE's session timer is read from here. */
  #minSE: number | undefined;

  constructor(ground: AgentGround, parts: OutgoingCallParts) {
    super(ground);
    this.#parts = parts;
    const { request, hop, digest } = parts;
    this.#outbound = new Outbound(ground, { request, hop, digest, user: this });
    parts.signal?.addEventListener('abort', this.#abort, { once: true });
    if (parts.signal?.aborted === true) queueMicrotask(this.#abort);
    this.#outbound.start();
  }

  get invite(): SipRequest {
    return this.#outbound.request;
  }

  get dialog(): InviteDialog | undefined {
    return this.#branch?.dialog;
  }

  get state(): CallerState {
    return this.#state;
  }

  /** Resolves when the peer answers; rejects with what it said instead. */
  async answered(): Promise<Answered> {
    if (this.#answer !== undefined) return this.#answer;
    return await new Promise((resolve, reject) => {
      this.on('answered', resolve);
      const refuse = ({ error, status }: CallEnd): void =>
        reject(
          error ??
            new SipError('closed', `the call ended before an answer${status === undefined ? '' : `: ${status}`}`),
        );
      if (this.end !== undefined) refuse(this.end);
      else this.on('ended', refuse);
    });
  }

  /** Sends the ACK with our answer, where the peer offered in its 2xx; without one nothing was agreed, and the call ends. */
  acknowledge(answer: Body | undefined): void {
    if (this.#state === 'calling' || this.#state === 'proceeding')
      throw new SipError('wrong-state', 'no offer waits for its answer');
    // The call ended meanwhile, or the peer did not offer after all.
    if (this.#state !== 'answered') return;
    this.#branch?.acknowledge(answer);
    this.#step('acknowledged');
    if (answer === undefined) this.hangup();
    else this.emit('confirmed', { body: undefined });
  }

  hangup(options: LinkRequest = {}): void {
    this.#byeExtras = options;
    this.#end({ by: 'us' });
    this.#step('hangup');
  }

  onSend(request: SipRequest, flow: Flow): void {
    const { headers } = request;
    const scheme = request.uri.scheme === 'sips' ? 'sips' : 'sip';
    headers.set('Contact', contactOn(flow, this.#parts.contactUser ?? this.ground.settings.contactUser, scheme));
  }

  onResponse(response: SipResponse): void {
    const { status } = response;
    if (status < 200) return this.#provisional(response);
    if (status < 300) return this.#success(response);
    if (status === 422 && this.#raise(response)) return;
    this.#end({ by: 'peer', status, message: response });
    this.#step('failure');
  }

  onFailure(error: SipError): void {
    this.#end({ by: 'network', error });
    this.#step('failure');
  }

  /** The INVITE's transaction is gone: no more 2xx can come. */
  onEnd(): void {
    for (const branch of this.#branches.values()) if (branch !== this.#branch) branch.close();
    this.#branches.clear();
  }

  onBye(bye: SipRequest): void {
    this.#end({ by: 'peer', message: bye });
    this.#step('bye');
  }

  onAckTimeout(): void {
    this.onLost(new SipError('timeout', 'no ACK came'));
  }

  onLost(error: SipError): void {
    this.#end({ by: 'network', error });
    this.#step('lost');
  }

  onDrop(): void {
    this.#outbound.drop();
    this.#end({ by: 'us', error: new SipError('closed', 'the agent closed') });
    this.#state = 'ended';
    this.#finish();
  }

  #provisional(response: SipResponse): void {
    this.#step('provisional');
    if (this.#state !== 'proceeding' || response.status === 100) return;
    const branch = this.#branchOf(response);
    if (branch !== undefined && this.#branch === undefined) this.#branch = branch;
    const progress = branch?.progress(response) ?? {
      status: response.status,
      response,
      body: sessionOf(bodyOf(response)),
      isReliable: false,
    };
    if (progress !== 'repeated') this.emit('progress', progress);
  }

  #success(response: SipResponse): void {
    const branch = this.#branchOf(response);
    if (branch === undefined) return;
    if (branch.isAcknowledged) return branch.repeatAck();
    if (this.#state === 'answered' && branch === this.#branch) return;
    branch.confirm(response);
    // RFC 3261 13.2.2.4: another fork answered too, or the answer comes after the end.
    const isLate = this.#state === 'answered' || this.#state === 'confirmed' || this.#state === 'ended';
    if (isLate) return branch.ackAndBye({});
    this.#branch = branch;
    this.#step('success', response);
  }

  #step(input: CallerInput, response?: SipResponse): void {
    const { state, effects } = stepCaller(this.#state, input);
    this.#state = state;
    if (state === 'cancel-wanted' || state === 'cancelling') this.#outbound.tryNoMore();
    for (const effect of effects) this.#run(effect, response);
  }

  #run(effect: CallerEffect, response: SipResponse | undefined): void {
    switch (effect) {
      case 'progress':
        return;
      case 'cancel':
        this.#outbound.cancel();
        // RFC 3261 9.1: a peer that ignores the CANCEL is left alone after 64*T1.
        this.#guard = this.ground.clock.after(64 * this.ground.layer.timers.t1, () => {
          this.#outbound.drop();
          this.#step('cancel-timeout');
        });
        return;
      case 'answered':
        if (response) this.#answered(response);
        return;
      case 'ack-bye':
        this.#branch?.ackAndBye(this.#byeExtras);
        return;
      case 'bye':
        this.#branch?.bye(this.#byeExtras);
        return;
      case 'end':
        return this.#finish();
    }
  }

  #answered(response: SipResponse): void {
    const branch = this.#branch;
    if (branch === undefined) return;
    for (const other of this.#branches.values()) if (other !== branch) other.close();
    const answered = branch.answered(response, this.ground.settings.sessionTimer.expires);
    if (!answered.isOffer) {
      branch.acknowledge(undefined);
      this.#step('acknowledged');
    }
    this.#answer = answered;
    this.emit('answered', answered);
    if (!answered.isOffer && this.#state === 'confirmed') this.emit('confirmed', { body: undefined });
  }

  #branchOf(response: SipResponse): EarlyBranch | undefined {
    const tag = response.headers.to?.tag;
    if (tag === undefined && response.status < 200) return undefined;
    const known = this.#branches.get(tag ?? '');
    if (known !== undefined) return known;
    const flow = this.#outbound.flow;
    if (this.#branches.size >= MAX_BRANCHES || flow === undefined) return undefined;
    const { digest, contactUser, body } = this.#parts;
    const dialog = dialogByResponse(this.#outbound.request, response);
    const branch = new EarlyBranch(this.ground, { dialog, flow, digest, contactUser }, this, sessionOf(body));
    this.#branches.set(tag ?? '', branch);
    return branch;
  }

  /** RFC 4028 7.3: once more, with the interval that the peer bears. */
  #raise(response: SipResponse): boolean {
    const minSE = Number(response.headers.get('Min-SE'));
    const isWanted = this.#state === 'calling' || this.#state === 'proceeding';
    if (!Number.isInteger(minSE) || minSE <= (this.#minSE ?? 0) || !isWanted) return false;
    this.#minSE = minSE;
    this.#outbound.resend(({ headers }) =>
      addHeaders(headers, {
        'Session-Expires': Math.max(minSE, this.ground.settings.sessionTimer.expires),
        'Min-SE': minSE,
      }),
    );
    return true;
  }

  #end(end: CallEnd): void {
    this.#cause ??= end;
  }

  #finish(): void {
    this.#guard?.cancel();
    this.#parts.signal?.removeEventListener('abort', this.#abort);
    for (const branch of this.#branches.values()) branch.close();
    this.#branch?.close();
    this.#answer = undefined;
    this.conclude(this.#cause ?? { by: 'network' });
  }
}
