import type { Brand, Json } from '../../kit/index.ts';
import type { ConversationId, UserId } from '../journal/index.ts';

/** Conference id: the same on all legs of one call. 32 hex digits. */
export type ConferenceId = Brand<'ConferenceId'>;
/** One device's part in a call. 32 hex digits. */
export type LegId = Brand<'LegId'>;
export type EndpointId = Brand<'EndpointId'>;

/** Q.850 causes that the exchange itself gives (PBX §2.7). */
export const CAUSE = {
  unknownNumber: 1,
  normal: 16,
  busy: 17,
  noReaction: 18,
  noAnswer: 19,
  absent: 20,
  rejected: 21,
  elsewhere: 26,
  lost: 27,
  facilityRejected: 29,
  failure: 41,
  notSubscribed: 50,
  unknownCall: 81,
  incompatible: 88,
  timer: 102,
  protocol: 111,
} as const;
export type Cause = number;

/** What a call carries: text only, or nothing the exchange looks into. */
export type CallKind = 'chat' | 'plain' | 'media';

/** Something that only the two ends understand; relayed unchanged. */
export interface Opaque {
  readonly type: string;
  readonly value: Json;
}

/** A party as the other side is told. Never what a peer claims: always from the directory. */
export interface Party {
  readonly user: UserId;
  readonly name: string;
  readonly number: string | null;
  readonly displayName: string;
}

export interface Setup {
  readonly conference: ConferenceId;
  readonly leg: LegId;
  readonly kind: CallKind;
  readonly caller: Party;
  readonly callee: Party;
  /** The conversation of a chat call. */
  readonly conversation: ConversationId;
  readonly body: readonly Opaque[];
}
