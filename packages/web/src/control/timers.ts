/** Time, as far as the page waits for it; replaced in tests. */
export interface Timers {
  now(): number;
  /** Calls `run` once, `ms` from now. @returns what prevents it */
  after(ms: number, run: () => void): () => void;
}

export const browserTimers: Timers = {
  now: () => Date.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    return () => clearTimeout(handle);
  },
};
