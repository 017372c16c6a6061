import type { Clock, Timer } from '../../kit/index.ts';
import { type HeartBeat, judgeHeartBeat } from './stomp/index.ts';

/** Longest wait of one timer; beats further apart are looked at again. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface BeatActions {
  beat(): void;
  lost(): void;
  /** We do not read the peer at the moment: its silence says nothing. */
  isDeaf(): boolean;
}

/** The heart-beats of one session on the clock (TM ST-14). One timer, or none where nothing was agreed. */
export class Beats {
  readonly #clock: Clock;
  readonly #actions: BeatActions;
  #agreed: HeartBeat | null = null;
  #sentAt = 0;
  #heardAt = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, actions: BeatActions) {
    this.#clock = clock;
    this.#actions = actions;
  }

  start(agreed: HeartBeat): void {
    this.#agreed = agreed;
    this.#sentAt = this.#heardAt = this.#clock.now();
    this.#look();
  }

  sent(): void {
    if (this.#agreed !== null) this.#sentAt = this.#clock.now();
  }

  heard(): void {
    if (this.#agreed !== null) this.#heardAt = this.#clock.now();
  }

  stop(): void {
    this.#agreed = null;
    this.#timer?.cancel();
  }

  #look(): void {
    if (this.#agreed === null) return;
    const now = this.#clock.now();
    if (this.#actions.isDeaf()) this.#heardAt = now;
    const verdict = judgeHeartBeat(this.#agreed, { sentAt: this.#sentAt, heardAt: this.#heardAt }, now);
    if (verdict.isLost) return this.#actions.lost();
    if (verdict.isBeatDue) {
      this.#sentAt = now;
      this.#actions.beat();
    }
    if (verdict.nextAt === Infinity) return;
    this.#timer = this.#clock.after(Math.min(LONGEST_WAIT_MS, Math.max(1, verdict.nextAt - now)), () => this.#look());
  }
}
