import type { UserId } from '../journal/index.ts';
import type { StatedPresence } from './model.ts';

export interface PresenceUnits {
  /** Replaces the item of the same contact. One entry in the directory stream: every node reads it anew. */
  'presence.state': { input: { user: UserId; stated: StatedPresence }; output: null };
}

export interface PresenceQueries {
  'presence.stated': { input: { user: UserId }; output: readonly StatedPresence[] };
}

/** This user has stated presence. */
export interface PresenceStated {
  readonly kind: 'presence-stated';
  readonly user: UserId;
}
