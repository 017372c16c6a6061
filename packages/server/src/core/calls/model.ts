import type { CallId, UserId } from '../journal/index.ts';

/** As applications see a call of one number. */
export type CallState = 'ringing' | 'connected' | 'held' | 'ended';
export type CallDirection = 'inbound' | 'outbound';
/** Why a call ended. `unknown`: the engine does not say (TapiServer). */
export type CallEnd = 'completed' | 'missed' | 'rejected' | 'busy' | 'failed' | 'elsewhere' | 'lost' | 'unknown';

/** One call of one number, live or ended. */
export interface Call {
  readonly id: CallId;
  /** The number it belongs to, canonical. */
  readonly number: string;
  /** Whose number that is, where the directory knows. */
  readonly user: UserId | null;
  readonly direction: CallDirection;
  readonly state: CallState;
  readonly previous: CallState | null;
  /** The far end's number, verbatim as the engine reported it; '' = withheld. */
  readonly peer: string;
  /** The far end's name from the directory, or null. */
  readonly peerName: string | null;
  readonly startedAt: number;
  readonly connectedAt: number | null;
  readonly endedAt: number | null;
  readonly end: CallEnd | null;
}
