import type { Clock, Timer } from '../clock/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { ServerTransaction, TimerValues } from '../transactions/index.ts';

export interface AwaitedAckUser {
  /** The ACK stayed out for 64*T1. */
  onAckTimeout(): void;
}

/** A 2xx to an INVITE that is repeated until its ACK comes, on every transport (RFC 3261 13.3.1.4). */
export class AwaitedAck {
  readonly seq: number;
  /** Told with the ACK's body; with undefined where the call ended first. */
  readonly onAck: (body: Body | undefined) => void;
  readonly #transaction: ServerTransaction;
  readonly #bytes: Uint8Array;
  readonly #clock: Clock;
  readonly #timers: TimerValues;
  readonly #user: AwaitedAckUser;
  #timer: Timer | undefined;
  #intervalMs: number;
  #waitedMs = 0;

  constructor(
    ground: { readonly clock: Clock; readonly timers: TimerValues; readonly user: AwaitedAckUser },
    transaction: ServerTransaction,
    ok: { readonly seq: number; readonly bytes: Uint8Array; readonly onAck: (body: Body | undefined) => void },
  ) {
    this.#clock = ground.clock;
    this.#timers = ground.timers;
    this.#user = ground.user;
    this.#transaction = transaction;
    this.seq = ok.seq;
    this.onAck = ok.onAck;
    this.#bytes = ok.bytes;
    this.#intervalMs = ground.timers.t1;
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    const left = 64 * this.#timers.t1 - this.#waitedMs;
    const delay = Math.min(this.#intervalMs, left);
    this.#timer = this.#clock.after(delay, () => this.#repeat(delay));
  }

  #repeat(waitedMs: number): void {
    this.#waitedMs += waitedMs;
    if (this.#waitedMs >= 64 * this.#timers.t1) {
      this.stop();
      this.#user.onAckTimeout();
      return;
    }
    this.#transaction.respondBytes(200, this.#bytes);
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#timers.t2);
    this.#wait();
  }
}
