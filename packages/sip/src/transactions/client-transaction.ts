import { writeMessage, type SipRequest, type SipResponse } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';
import { ackFor } from './derived.ts';
import { inviteClientStart, stepInviteClient, type InviteClientState } from './invite-client.ts';
import type { ClientInput, Effect, FailureCause, MachineContext } from './machine.ts';
import { nonInviteClientStart, stepNonInviteClient, type NonInviteClientState } from './non-invite-client.ts';
import { RunningTimers } from './running-timers.ts';
import type { TransactionGround } from './ground.ts';

/** What a client transaction reports. */
export interface ClientTransactionUser {
  onResponse(response: SipResponse): void;
  /** No answer in time, or the transport failed; nothing follows. */
  onFailure(cause: FailureCause, error: unknown): void;
  /** The transaction is gone; always the last call. */
  onEnd?(): void;
}

/** One request on its way (RFC 3261 17.1). */
export class ClientTransaction {
  readonly key: string;
  readonly flow: Flow;
  readonly isInvite: boolean;
  readonly #ground: TransactionGround;
  readonly #user: ClientTransactionUser;
  readonly #context: MachineContext;
  readonly #timers: RunningTimers;
  #state: InviteClientState | NonInviteClientState;
  #request: SipRequest | undefined;
  #bytes: Uint8Array | undefined;
  #ack: Uint8Array | undefined;

  constructor(ground: TransactionGround, key: string, request: SipRequest, flow: Flow, user: ClientTransactionUser) {
    this.key = key;
    this.flow = flow;
    this.isInvite = request.method === 'INVITE';
    this.#ground = ground;
    this.#user = user;
    this.#request = request;
    this.#context = { isReliable: flow.protocol !== 'udp', timers: ground.timers };
    this.#timers = new RunningTimers(ground.clock, (timer) => this.#step({ on: 'timer', timer }));
    this.#state = this.isInvite ? inviteClientStart : nonInviteClientStart;
  }

  get state(): string {
    return this.#state.name;
  }

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#step({ on: 'begin' });
  }

  receive(response: SipResponse): void {
    this.#step({ on: 'response', status: response.status }, response);
  }

  /** Ends at once, without a word. */
  drop(): void {
    if (this.#state.name === 'terminated') return;
    this.#state = { name: 'terminated', retransmitMs: 0 };
    this.#end();
  }

  #step(input: ClientInput, response?: SipResponse, error?: unknown): void {
    const before = this.#state.name;
    const { state, effects } = this.isInvite
      ? stepInviteClient(this.#state as InviteClientState, input, this.#context)
      : stepNonInviteClient(this.#state as NonInviteClientState, input, this.#context);
    this.#state = state;
    for (const effect of effects) this.#run(effect, response, error);
    if (before === state.name) return;
    if (state.name === 'terminated') this.#end();
    else if (state.name === 'accepted' || state.name === 'completed') this.#release();
  }

  #run(effect: Effect, response: SipResponse | undefined, error: unknown): void {
    switch (effect.do) {
      case 'send':
        return this.#send(this.#bytes);
      case 'ack':
        return this.#acknowledge(response);
      case 'start':
        return this.#timers.start(effect.timer, effect.ms);
      case 'stop':
        return this.#timers.stop(effect.timer);
      case 'deliver':
        if (response) this.#user.onResponse(response);
        return;
      case 'fail':
        return this.#user.onFailure(effect.cause, error);
      case 'trying':
        return;
    }
  }

  #acknowledge(response: SipResponse | undefined): void {
    if (!this.#ack && this.#request && response) this.#ack = writeMessage(ackFor(this.#request, response));
    this.#send(this.#ack);
  }

  #send(bytes: Uint8Array | undefined): void {
    if (!bytes) return;
    this.#ground.transport.send(bytes, this.flow).catch((error: unknown) => {
      this.#step({ on: 'transport-error' }, undefined, error);
    });
  }

  /** A finished transaction lives on for half a minute; what it can't need again is let go. */
  #release(): void {
    this.#request = undefined;
    this.#bytes = undefined;
  }

  #end(): void {
    this.#timers.stopAll();
    this.#release();
    this.#ack = undefined;
    this.#ground.forgetClient(this);
    this.#user.onEnd?.();
  }
}
