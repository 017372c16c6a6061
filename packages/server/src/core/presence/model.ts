import type { UserId } from '../journal/index.ts';

/**
 * Text of a status or note, in characters: it is repeated to every watcher.
 * @peer a status is cut; a note: 413, cause 111
 * @test presence/presence: what is said of oneself
 */
export const MAX_STATUS = 1_024;

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

/** What one session says of itself. Leased: gone with the session. */
export interface SessionPresence {
  readonly show: Show;
  readonly status: string;
  /** When it was said: of one session that two nodes know, the newer counts. */
  readonly at: number;
  /** False: nobody has been there for a while; what was said stands until somebody is. */
  readonly isThere: boolean;
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
