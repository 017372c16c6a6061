import type { UserId } from '../journal/index.ts';

/** Contacts of stated presence (PBX §4). */
export type PresenceContact = 'tel:' | 'im:' | 'calendar:';

/** What a user has stated, by contact. Stored. `activity` '' = available. */
export interface StatedPresence {
  readonly contact: PresenceContact;
  readonly activity: string;
  readonly note: string;
  /** When it was stated: newest first. */
  readonly at: number;
}

export type Show = 'chat' | 'available' | 'away' | 'xa' | 'dnd' | 'offline';

/** What one live session says of itself. Leased: gone with the session. */
export interface SessionPresence {
  readonly show: Show;
  readonly status: string;
  readonly at: number;
}

/** Everything anybody is told of a user's presence, in one value. */
export interface Presence {
  readonly user: UserId;
  /** At least one live session takes chat. */
  readonly isOnline: boolean;
  readonly isOnPhone: boolean;
  /** Merged: on the phone > stated dnd, busy, away > best session. */
  readonly show: Show;
  readonly status: string;
  readonly stated: readonly StatedPresence[];
  /** Resource of the best session, for full JIDs. */
  readonly resource: string | null;
}
