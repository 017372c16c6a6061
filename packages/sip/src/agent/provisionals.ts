import type { Clock, Timer } from '../clock/index.ts';
import { acknowledged, nextReliable, parseRAck, reliableServer } from '../dialogs/index.ts';
import type { ReliableServer } from '../dialogs/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { writeMessage } from '../messages/index.ts';
import type { ServerTransaction, TimerValues } from '../transactions/index.ts';

/**
 * Provisional responses that wait for the PRACK of the one before: more than a call ever has.
 * @peer left out
 * @test reliable: only so many wait for a PRACK
 */
export const MAX_WAITING_PROVISIONALS = 16;

export interface ProvisionalsUser {
  /** No PRACK for 64*T1: the INVITE is to be refused (RFC 3262 3). */
  onPrackTimeout(): void;
}

interface Waiting {
  readonly response: SipResponse;
  readonly hasOffer: boolean;
}

/** The reliable provisional responses of one INVITE (RFC 3262 3): one at a time, repeated until its PRACK. */
export class Provisionals {
  readonly #clock: Clock;
  readonly #timers: TimerValues;
  readonly #transaction: ServerTransaction;
  readonly #user: ProvisionalsUser;
  readonly #waiting: Waiting[] = [];
  #state: ReliableServer;
  #current: Waiting | undefined;
  #timer: Timer | undefined;
  #afterwards: (() => void) | undefined;

  constructor(
    ground: { readonly clock: Clock; readonly timers: TimerValues; readonly random: () => number },
    transaction: ServerTransaction,
    user: ProvisionalsUser,
  ) {
    this.#clock = ground.clock;
    this.#timers = ground.timers;
    this.#transaction = transaction;
    this.#user = user;
    // RFC 3262 3: the first number is random, so that others can't acknowledge blindly.
    this.#state = reliableServer(1 + Math.floor(ground.random() * 2 ** 30));
  }

  /** False: too many wait. */
  send(response: SipResponse, hasOffer: boolean): boolean {
    if (this.#waiting.length >= MAX_WAITING_PROVISIONALS) return false;
    this.#waiting.push({ response, hasOffer });
    this.#pump();
    return true;
  }

  /** RFC 3262 3: a 2xx waits while a reliable response with a session description is unacknowledged. */
  whenQuiet(act: () => void): void {
    if (this.#current?.hasOffer === true || this.#waiting.some((w) => w.hasOffer)) this.#afterwards = act;
    else act();
  }

  /** False: the PRACK matches nothing (481). */
  acknowledge(prack: SipRequest, inviteSeq: number): boolean {
    const rack = parseRAck(prack.headers.get('RAck'));
    const next = rack === undefined ? undefined : acknowledged(this.#state, rack, inviteSeq);
    if (next === undefined) return false;
    this.#state = next;
    this.#current = undefined;
    this.#timer?.cancel();
    this.#pump();
    return true;
  }

  /** After the answer to the PRACK: what waited for it goes on. */
  settle(): void {
    const act = this.#afterwards;
    if (act === undefined || this.#current !== undefined) return;
    this.#afterwards = undefined;
    act();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.length = 0;
    this.#current = undefined;
    this.#afterwards = undefined;
  }

  #pump(): void {
    const next = nextReliable(this.#state);
    if (next === undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#state = next;
    this.#current = waiting;
    waiting.response.headers.set('RSeq', next.rseq);
    waiting.response.headers.set('Require', '100rel');
    this.#repeat(writeMessage(waiting.response), waiting.response.status, this.#timers.t1, 0);
  }

  #repeat(bytes: Uint8Array, status: number, delayMs: number, waitedMs: number): void {
    this.#transaction.respondBytes(status, bytes);
    this.#timer = this.#clock.after(delayMs, () => {
      if (waitedMs + delayMs >= 63 * this.#timers.t1) return this.#user.onPrackTimeout();
      this.#repeat(bytes, status, delayMs * 2, waitedMs + delayMs);
    });
  }
}
