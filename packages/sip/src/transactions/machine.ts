/** The base values of RFC 3261 17.1.1.1; every other timer follows from them. */
export interface TimerValues {
  /** Estimate of the round trip. */
  readonly t1: number;
  /** Longest interval between retransmissions of a non-INVITE request or an INVITE response. */
  readonly t2: number;
  /** How long a message may stay in the network. */
  readonly t4: number;
}

export const DEFAULT_TIMERS: TimerValues = { t1: 500, t2: 4_000, t4: 5_000 };

/** The 200 ms of RFC 3261 17.2.1 after which an unanswered INVITE gets a 100. */
export const TRYING_DELAY_MS = 200;

/** Names as in RFC 3261 table 4 and RFC 6026; `trying` is the moment at which a server sends 100 by itself. */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'trying';

/** What the machine stands on. */
export interface MachineContext {
  /** True for TCP, TLS and WebSocket: nothing is retransmitted there. */
  readonly isReliable: boolean;
  readonly timers: TimerValues;
}

export type FailureCause = 'timeout' | 'transport';

/** What the runner of a machine has to do, in order: what calls the transaction user comes last, for it may call back. */
export type Effect =
  /** Send: a client its request, a server its latest response. */
  | { readonly do: 'send' }
  /** Send the ACK to a non-2xx final response (client). */
  | { readonly do: 'ack' }
  /** Make and send a 100 (server). */
  | { readonly do: 'trying' }
  /** Hand the message that was the input to the transaction user. */
  | { readonly do: 'deliver' }
  | { readonly do: 'start'; readonly timer: TimerName; readonly ms: number }
  | { readonly do: 'stop'; readonly timer: TimerName }
  | { readonly do: 'fail'; readonly cause: FailureCause };

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

export type ClientInput =
  | { readonly on: 'begin' }
  | { readonly on: 'response'; readonly status: number }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

export type ServerInput =
  | { readonly on: 'begin' }
  /** The same request again. */
  | { readonly on: 'request' }
  /** An ACK (INVITE only). */
  | { readonly on: 'ack' }
  /** The transaction user answers. */
  | { readonly on: 'respond'; readonly status: number }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

export const SEND: Effect = { do: 'send' };
export const ACK: Effect = { do: 'ack' };
export const TRYING: Effect = { do: 'trying' };
export const DELIVER: Effect = { do: 'deliver' };
export const TIMED_OUT: Effect = { do: 'fail', cause: 'timeout' };
export const TRANSPORT_FAILED: Effect = { do: 'fail', cause: 'transport' };
export const start = (timer: TimerName, ms: number): Effect => ({ do: 'start', timer, ms });
export const stop = (timer: TimerName): Effect => ({ do: 'stop', timer });

const NOTHING: readonly Effect[] = [];

/** No change. */
export function stay<S>(state: S, ...effects: Effect[]): Step<S> {
  return { state, effects: effects.length === 0 ? NOTHING : effects };
}
