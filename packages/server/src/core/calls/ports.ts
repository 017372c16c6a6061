import type { CallId, UserId } from '../journal/index.ts';
import type { Stop } from '../../kit/index.ts';
import type { Call, CallDirection, CallEnd, CallState } from './model.ts';

/** What an engine reports. */
export interface EngineEvent {
  /**
   * The engine's own name of this call of this number; never used again for another call. A call between two of its numbers
   * has two. Engines without ids make one up per announcement.
   */
  readonly ref: string;
  /** The number the call belongs to, as the engine spells it. */
  readonly number: string;
  readonly direction: CallDirection;
  readonly state: CallState;
  /** The far end as the engine spells it; '' = withheld. May change while the call lives (it was transferred). */
  readonly peer: string;
  readonly end: CallEnd | null;
  /**
   * Nothing more will be reported of this call as far as the engine knows: it ends as `unknown` after 60 s and never changes
   * presence. Absent: what `abilities.reportsProgress` says. A later event of the same call may lift it.
   */
  readonly isAnnouncement?: boolean;
}

/** What an engine can do besides announcing and dialling. May change with every connection: read it when it is needed. */
export interface EngineAbilities {
  /** It reports how calls go on; else a ringing call ends as `unknown` after 60 s. */
  readonly reportsProgress: boolean;
  readonly answer: boolean;
  readonly hangup: boolean;
  readonly hold: boolean;
  readonly transfer: boolean;
}

/** Where a call is transferred to: a number, unannounced, or the far end of another call of the same number. */
export type TransferTarget = { readonly number: string } | { readonly ref: string };

/**
 * A telephone system that Tieline steers: the built-in exchange, a TapiServer, an innovaphone PBX.
 *
 * Numbers are canonical (TM AP-25). Commands throw Problem `engine-unavailable` (not connected; never queued),
 * `invalid-number`, `call-refused`, `no-such-call`, `wrong-state` or `not-supported`. They resolve when the engine has taken the
 * command, not when it succeeded: a dial that fails afterwards is reported as an outbound call that ended.
 * A reported call that the engine loses sight of is reported `ended` as `lost`.
 */
export interface CallEngine {
  readonly name: string;
  readonly abilities: EngineAbilities;
  readonly isConnected: boolean;
  /**
   * Calls of `number` are reported from now until `unlisten`. Idempotent; never fails for a lost connection: what is listened
   * to is made good after every reconnect. An engine that sees every call (the built-in exchange) may report numbers that
   * nobody listens to: they count for presence and history.
   */
  listen(number: string): void;
  unlisten(number: string): void;
  /** The new call's ref, or null where the engine does not say. Some engines dial only from numbers that are listened to. */
  dial(command: { readonly from: string; readonly to: string }): Promise<string | null>;
  answer(ref: string): Promise<void>;
  hangup(ref: string): Promise<void>;
  hold(ref: string, on: boolean): Promise<void>;
  transfer(ref: string, to: TransferTarget): Promise<void>;
  /** In the order in which it happened, per number. */
  onEvent(listener: (event: EngineEvent) => void): Stop;
  /** Stops listening to everything and ends the connection. Idempotent. */
  close(): Promise<void>;
}

/** Whose a number is. */
export interface NumberOwner {
  readonly user: UserId;
  readonly displayName: string;
}

/** The directory as calls need it. May reject with `store-unavailable`. */
export interface CallDirectory {
  ownerOf(number: string): Promise<NumberOwner | null>;
  numberOf(user: UserId): Promise<string | null>;
}

/** A live call as one node tells it to the others. */
export interface ToldCall {
  readonly call: Call;
  readonly ref: string;
}

/** Live calls between nodes: may lose and repeat, never reorders one call's. With one node it does nothing. */
export interface CallSignals {
  /** Tells every other node. */
  tell(told: ToldCall): void;
  onTold(listener: (told: ToldCall) => void): Stop;
}

export interface CallUnits {
  /** A call ended: its record. In the stream of `call.user`, if it has one. A repeat (same `call.id`) changes nothing. */
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
