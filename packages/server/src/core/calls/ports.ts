import type { NodeId } from '../cluster/index.ts';
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
 * `invalid-number`, `call-refused`, `no-such-call`, `wrong-state` or `not-supported`, and have done nothing then; or
 * `outcome-unknown`. They resolve when the engine has taken the command, not when it succeeded: a dial that fails afterwards is
 * reported as an outbound call that ended. Calls of numbers that nobody listens to are announced by no engine (TM AP-16).
 * A reported call that the engine loses sight of is reported `ended` as `lost`.
 */
export interface CallEngine {
  readonly name: string;
  /** Its refs are made as call ids are, and serve as such on every node. */
  readonly givesIds?: boolean;
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

/** What the store knows of an idempotency key that was claimed before. */
export interface ClaimedKey {
  /** What came of it, as `calls.settle` was told; null: that is not known. */
  readonly outcome: string | null;
  /** The node that claimed it lives: it may still be at it. Only where there is no outcome. */
  readonly isUnderWay: boolean;
}

export interface CallUnits {
  /** These calls of node `owner` live and stand so. Each has a user; without a lease the owner has no calls, and nothing is kept. */
  'calls.live': { input: { owner: NodeId; calls: readonly Call[] }; output: null };
  /**
   * A call ended: its record, and it lives no more. In the stream of `call.user`, if it has one. A repeat (same `call.id`) changes
   * nothing. Calls of a node whose lease has run out, or ends, are recorded likewise, as lost, in the unit that says so.
   */
  'calls.record': { input: { call: Call }; output: null };
  /**
   * Claims an idempotency key for 24 h. Null: it is claimed from now on, and `calls.settle` says what became of it.
   * @throws idempotency-conflict (the key stands with another hash)
   */
  'calls.claim': { input: { key: string; hash: string; node: NodeId }; output: ClaimedKey | null };
  /** What came of a key that this node claimed; null: nothing was done, the key is free again. */
  'calls.settle': { input: { key: string; node: NodeId; outcome: string | null }; output: null };
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
