import type { Clock, Timer } from '../clock/index.ts';
import type { TimerName } from './machine.ts';

/** The timers of one transaction: at most three run at a time, so a list is enough. */
export class RunningTimers {
  readonly #clock: Clock;
  readonly #fire: (name: TimerName) => void;
  readonly #running: { name: TimerName; timer: Timer }[] = [];

  constructor(clock: Clock, fire: (name: TimerName) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  start(name: TimerName, ms: number): void {
    this.stop(name);
    const timer = this.#clock.after(ms, () => {
      this.#forget(name);
      this.#fire(name);
    });
    this.#running.push({ name, timer });
  }

  stop(name: TimerName): void {
    this.#forget(name)?.cancel();
  }

  stopAll(): void {
    for (const { timer } of this.#running) timer.cancel();
    this.#running.length = 0;
  }

  #forget(name: TimerName): Timer | undefined {
    const running = this.#running;
    for (let at = 0; at < running.length; at += 1) {
      const found = running[at];
      if (found?.name !== name) continue;
      running.splice(at, 1);
      return found.timer;
    }
    return undefined;
  }
}
