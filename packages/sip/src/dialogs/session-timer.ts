/** Session timers (RFC 4028): who refreshes, how often, and when a silent session is given up. All in seconds unless named otherwise. */
export type Refresher = 'uac' | 'uas';

/** RFC 4028 5: no Min-SE may be lower. */
export const LOWEST_MIN_SE = 90;

export interface SessionTimerPolicy {
  /** The interval we ask for; 0 turns session timers off as far as the peer lets us. */
  readonly expires: number;
  /** The shortest that we accept. */
  readonly minSE: number;
}

/** What was agreed. */
export interface SessionTimer {
  readonly interval: number;
  readonly refresher: Refresher;
}

/** What a session refresh request says. */
export interface TimerRequest {
  readonly expires: number | undefined;
  readonly refresher: string | undefined;
  readonly minSE: number | undefined;
  readonly isSupported: boolean;
}

export type ServerVerdict =
  /** 422 with this Min-SE (RFC 4028 6). */
  | { readonly is: 'too-small'; readonly minSE: number }
  | { readonly is: 'none' }
  /** `requires`: the client supports timers, so that the answer says `Require: timer` where it has to refresh (RFC 4028 9). */
  | { readonly is: 'agreed'; readonly timer: SessionTimer; readonly requires: boolean };

/** RFC 4028 9: the server's part, for a 2xx to INVITE or UPDATE. */
export function negotiateTimer(request: TimerRequest, own: SessionTimerPolicy): ServerVerdict {
  const { expires, minSE, isSupported } = request;
  const floor = Math.max(minSE ?? LOWEST_MIN_SE, LOWEST_MIN_SE);
  if (expires !== undefined && expires < own.minSE && isSupported) return { is: 'too-small', minSE: own.minSE };
  if (expires === undefined && own.expires === 0) return { is: 'none' };
  // Never above what the client asked for, never below what anybody can bear.
  const wanted = Math.min(expires ?? Infinity, own.expires === 0 ? Infinity : own.expires);
  const interval = Math.max(wanted, floor);
  // Table 2 of RFC 4028: a client without support can't refresh; one that named the refresher is followed; else the client does it.
  const refresher = !isSupported || request.refresher === 'uas' ? 'uas' : 'uac';
  return { is: 'agreed', timer: { interval, refresher }, requires: isSupported && refresher === 'uac' };
}

/**
 * RFC 4028 7.2: the client's reading of a 2xx. Without Session-Expires there is no timer, unless the client wanted one: then it
 * refreshes by itself.
 */
export function settleTimer(
  asked: number,
  answer: { readonly expires: number | undefined; readonly refresher: string | undefined },
): SessionTimer | undefined {
  if (answer.expires !== undefined)
    return { interval: answer.expires, refresher: answer.refresher === 'uas' ? 'uas' : 'uac' };
  return asked > 0 ? { interval: asked, refresher: 'uac' } : undefined;
}

export type TimerPlan =
  { readonly do: 'refresh'; readonly afterMs: number } | { readonly do: 'give-up'; readonly afterMs: number };

/** RFC 4028 10: who refreshes does so at half time; the other gives up shortly before the end (a third, at most 32 s). */
export function planTimer(timer: SessionTimer, ownRole: Refresher): TimerPlan {
  const ms = timer.interval * 1_000;
  if (timer.refresher === ownRole) return { do: 'refresh', afterMs: ms / 2 };
  return { do: 'give-up', afterMs: ms - Math.min(32_000, ms / 3) };
}

/** RFC 4028 7.3: the next try after a 422. Undefined: the answer named nothing higher, another try is pointless. */
export function afterTooSmall(tried: number, minSE: number | undefined): number | undefined {
  return minSE !== undefined && minSE > tried ? minSE : undefined;
}
