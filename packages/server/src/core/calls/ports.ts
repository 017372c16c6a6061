import type { CallId, UserId } from '../journal/index.ts';
import type { Stop } from '../../kit/index.ts';
import type { Call, CallDirection, CallEnd, CallState } from './model.ts';

/** What an engine reports. `ref` is the engine's own id of the call; engines without ids make one up per announcement. */
export interface EngineEvent {
  readonly ref: string;
  /** The number the call belongs to, as the engine spells it. */
  readonly number: string;
  readonly direction: CallDirection;
  readonly state: CallState;
  readonly peer: string;
  readonly end: CallEnd | null;
}

/** What an engine can do besides announcing and dialling. */
export interface EngineAbilities {
  /** It reports how calls go on; else a ringing call ends as `unknown` after 60 s. */
  readonly reportsProgress: boolean;
  readonly answer: boolean;
  readonly hangup: boolean;
  readonly hold: boolean;
  readonly transfer: boolean;
}

/**
 * A telephone system that Tieline steers: the built-in exchange, a TapiServer, an innovaphone PBX.
 *
 * Numbers are canonical (TM AP-25). Commands throw Problem `engine-unavailable` (not connected; never queued),
 * `call-refused`, `no-such-call` or `not-supported`. They resolve when the engine has taken the command, not when it succeeded.
 */
export interface CallEngine {
  readonly name: string;
  readonly abilities: EngineAbilities;
  readonly isConnected: boolean;
  /**
   * Calls of `number` are reported from now until `unlisten`. Idempotent; never fails for a lost connection: what is listened
   * to is made good after every reconnect.
   */
  listen(number: string): void;
  unlisten(number: string): void;
  dial(command: { readonly from: string; readonly to: string }): Promise<void>;
  answer(ref: string): Promise<void>;
  hangup(ref: string): Promise<void>;
  hold(ref: string, on: boolean): Promise<void>;
  transfer(ref: string, to: string): Promise<void>;
  onEvent(listener: (event: EngineEvent) => void): Stop;
  /** Stops listening to everything and ends the connection. */
  close(): Promise<void>;
}

export interface CallUnits {
  /** A call ended: its record. In the stream of `call.user`, if it has one. */
  'calls.record': { input: { call: Call }; output: null };
}

export interface CallQueries {
  /** Newest first by (startedAt, id). */
  'calls.history': { input: { user: UserId; before: CallId | null; limit: number }; output: readonly Call[] };
}

/** A call of this user's number ended and stands in the history. */
export interface CallRecorded {
  readonly kind: 'call-record';
  readonly call: Call;
}
