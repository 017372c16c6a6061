/** A pending timer. `cancel` is idempotent and does nothing once the timer has fired. */
export interface Timer {
  cancel(): void;
}

/** Time as everything below `main.ts` sees it. Milliseconds since 1970 UTC. */
export interface Clock {
  now(): number;
  /** Calls `run` once, `ms` from now. A pending timer never keeps the process alive. */
  after(ms: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Repeats `run` every `ms` until cancelled; a run that is late delays the next one, they never pile up. */
export function every(clock: Clock, ms: number, run: () => void): Timer {
  let timer = clock.after(ms, tick);
  function tick(): void {
    timer = clock.after(ms, tick);
    run();
  }
  return { cancel: () => timer.cancel() };
}
