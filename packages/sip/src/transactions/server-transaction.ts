import { makeResponse, writeMessage, type SipRequest, type SipResponse } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';
import { inviteServerStart, stepInviteServer, type InviteServerState } from './invite-server.ts';
import type { Effect, FailureCause, MachineContext, ServerInput } from './machine.ts';
import { nonInviteServerStart, stepNonInviteServer, type NonInviteServerState } from './non-invite-server.ts';
import { responseFlow } from './response-flow.ts';
import { RunningTimers } from './running-timers.ts';
import type { TransactionGround } from './ground.ts';

/** What a server transaction reports; each may be set by whoever answers the request. */
export interface ServerTransactionUser {
  /** An ACK came while a 2xx is being repeated (RFC 6026 7.1). */
  onAck?(ack: SipRequest): void;
  /** A CANCEL for this INVITE came (RFC 3261 9.2); it has been answered already. */
  onCancel?(cancel: SipRequest): void;
  onFailure?(cause: FailureCause, error: unknown): void;
  onEnd?(): void;
}

/** One request that came in and waits for its answer (RFC 3261 17.2). */
export class ServerTransaction {
  readonly key: string;
  /** The flow on which the request came. */
  readonly flow: Flow;
  readonly method: string;
  user: ServerTransactionUser = {};
  /** For whoever receives requests: the transaction is gone. */
  onGone: (() => void) | undefined;
  readonly #ground: TransactionGround;
  readonly #context: MachineContext;
  readonly #timers: RunningTimers;
  readonly #replyFlow: Flow;
  #state: InviteServerState | NonInviteServerState;
  #request: SipRequest | undefined;
  #response: Uint8Array | undefined;

  constructor(ground: TransactionGround, key: string, request: SipRequest, flow: Flow) {
    this.key = key;
    this.flow = flow;
    this.method = request.method;
    this.#ground = ground;
    this.#request = request;
    this.#replyFlow = responseFlow(request, flow);
    this.#context = { isReliable: flow.protocol !== 'udp', timers: ground.timers };
    this.#timers = new RunningTimers(ground.clock, (timer) => this.#step({ on: 'timer', timer }));
    this.#state = request.method === 'INVITE' ? inviteServerStart : nonInviteServerStart;
  }

  get state(): string {
    return this.#state.name;
  }

  /** A final response has been given. */
  get isAnswered(): boolean {
    const name = this.#state.name;
    return name !== 'idle' && name !== 'trying' && name !== 'proceeding';
  }

  begin(): void {
    this.#step({ on: 'begin' });
  }

  /** Answers. What the state no longer allows (a 180 after a 200) is not sent; the result says whether it was taken. */
  respond(response: SipResponse): boolean {
    return this.respondBytes(response.status, writeMessage(response));
  }

  /** As `respond`, for a response that is written already (the repeated 2xx of a user agent). */
  respondBytes(status: number, bytes: Uint8Array): boolean {
    return this.#step({ on: 'respond', status }, undefined, undefined, bytes);
  }

  /** The same request again, or an ACK to its non-2xx response. */
  receive(request: SipRequest): void {
    this.#step({ on: request.method === 'ACK' ? 'ack' : 'request' }, request);
  }

  drop(): void {
    if (this.#state.name === 'terminated') return;
    this.#state = { name: 'terminated' };
    this.#end();
  }

  #step(input: ServerInput, request?: SipRequest, error?: unknown, bytes?: Uint8Array): boolean {
    const before = this.#state.name;
    const { state, effects } =
      this.method === 'INVITE'
        ? stepInviteServer(this.#state as InviteServerState, input, this.#context)
        : stepNonInviteServer(this.#state as NonInviteServerState, input, this.#context);
    this.#state = state;
    const isSent = effects.some((e) => e.do === 'send');
    if (isSent && bytes) this.#response = bytes;
    for (const effect of effects) this.#run(effect, request, error);
    if (before !== state.name && this.#state === state) this.#settle(state.name);
    return isSent;
  }

  #run(effect: Effect, request: SipRequest | undefined, error: unknown): void {
    switch (effect.do) {
      case 'send':
        return this.#send();
      case 'trying':
        if (this.#request) this.#response = writeMessage(makeResponse(this.#request, 100));
        return this.#send();
      case 'start':
        return this.#timers.start(effect.timer, effect.ms);
      case 'stop':
        return this.#timers.stop(effect.timer);
      case 'deliver':
        return this.#deliver(request);
      case 'fail':
        this.user.onFailure?.(effect.cause, error);
        return;
      case 'ack':
        return;
    }
  }

  #deliver(ack: SipRequest | undefined): void {
    if (ack) this.user.onAck?.(ack);
    else if (this.#request) this.#ground.onRequest(this, this.#request);
  }

  #send(): void {
    const bytes = this.#response;
    if (!bytes) return;
    // In Accepted the user repeats the 2xx itself.
    if (this.#state.name === 'accepted') this.#response = undefined;
    this.#ground.transport.send(bytes, this.#replyFlow).catch((error: unknown) => {
      this.#step({ on: 'transport-error' }, undefined, error);
    });
  }

  #settle(name: string): void {
    if (name === 'terminated') return this.#end();
    if (name === 'proceeding' || name === 'trying') return;
    // Answered: the request is not needed again.
    this.#request = undefined;
    if (name === 'confirmed') this.#response = undefined;
  }

  #end(): void {
    this.#timers.stopAll();
    this.#request = undefined;
    this.#response = undefined;
    this.#ground.forgetServer(this);
    this.user.onEnd?.();
    this.onGone?.();
  }
}
