/** How long to wait before connecting again. */
export interface BackOff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Each delay is varied by up to this share of itself, both ways. */
  readonly jitter: number;
  /** A login that lasted this long sets the delay back to the first. */
  readonly resetAfterMs: number;
}

/** As the vendor's browser library does (AW §8.3). */
export const BROWSER_BACK_OFF: BackOff = { firstMs: 500, maxMs: 32_000, jitter: 0, resetAfterMs: 0 };
/** Connection A of a PBX (AW §7.2). */
export const PBX_BACK_OFF: BackOff = { firstMs: 1_000, maxMs: 60_000, jitter: 0.2, resetAfterMs: 60_000 };
/** This library's clients: the browser library's steps, spread so that a restarted server is not met by all at once. */
export const CLIENT_BACK_OFF: BackOff = { ...BROWSER_BACK_OFF, jitter: 0.2 };

/** What an option for reconnecting means: `true` is {@link CLIENT_BACK_OFF}, `false` and nothing are none. */
export function backOffOf(option: boolean | BackOff | undefined): BackOff | undefined {
  if (option === true) return CLIENT_BACK_OFF;
  return option === false ? undefined : option;
}

/** Delay before attempt `attempt` (0 is the first after a loss). `random` is in [0, 1). */
export function backOffDelayMs(backOff: BackOff, attempt: number, random: number): number {
  const base = Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(base * (1 + backOff.jitter * (2 * random - 1)));
}
