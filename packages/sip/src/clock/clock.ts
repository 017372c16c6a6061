/** A timer that has been set. Cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as the library sees it. The real one is `systemClock`; tests bring their own. */
export interface Clock {
  /** Milliseconds on a scale that never goes back. */
  now(): number;
  /** Calls `fire` once, at the earliest after `delayMs`. */
  after(delayMs: number, fire: () => void): Timer;
}

/** The machine's clock. Its timers keep the process alive while they run. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
