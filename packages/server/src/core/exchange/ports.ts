import type { Problem } from '../../kit/index.ts';
import type { ChatState, Draft, Message } from '../conversations/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import type { CallKind, Cause, EndpointId, Opaque, Party, Setup } from './model.ts';

/** A text as an endpoint hands it in. */
export type LegText = Omit<Draft, 'to' | 'resource'>;

/**
 * The exchange's end of a leg: what an endpoint may do with it. After `release`, and after the endpoint was told `released`,
 * every call is a no-op.
 */
export interface Leg {
  readonly setup: Setup;
  alert(body: readonly Opaque[]): void;
  connect(body: readonly Opaque[]): void;
  release(cause: Cause, body: readonly Opaque[]): void;
  /** Relayed to the other end as it is. */
  relay(body: readonly Opaque[]): void;
  /** A chat text to the other party; before the call is answered it is held. */
  text(text: LegText): void;
  chatState(state: ChatState): void;
}

/** The endpoint's end of a leg: what it is told. */
export interface LegUser {
  proceeding(): void;
  alerting(by: Party, body: readonly Opaque[]): void;
  connected(by: Party, body: readonly Opaque[]): void;
  released(cause: Cause, body: readonly Opaque[]): void;
  relayed(body: readonly Opaque[]): void;
  chatState(state: ChatState): void;
  /** A text of this call's other party, or the owner's own from another session (`out`). `resume` is null for volatile ones. */
  text(message: Message, info: { readonly direction: 'in' | 'out'; readonly resume: string | null }): void;
  /** A text that was handed in has failed. */
  textFailed(problem: Problem): void;
  /** A text that was handed in is stored, or taken by a live session. */
  textTaken(message: Message, idempotencyKey: string | null): void;
}

/** Something that a call can be offered to, and that can call. */
export interface Terminal {
  readonly id: EndpointId;
  /** Label of the session, for messages that come from it. */
  readonly resource: string;
  /** Who speaks through it, for permissions. */
  readonly actor: Actor;
  /** Calls of other kinds are not offered to it. */
  takes(kind: CallKind): boolean;
  /** One text of its more, or less, is on its way to the store, or to a live session: a peer that sends faster can be held back by it. */
  underWay?(change: 1 | -1): void;
  /** A call arrives. The endpoint returns its end, and may act on `leg` from then on. */
  offer(leg: Leg): LegUser;
}

/** A device's registration: implemented by the protocol that the device speaks. */
export interface Endpoint extends Terminal {
  readonly owner: UserId;
}
