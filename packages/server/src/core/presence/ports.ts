import type { UserId } from '../journal/index.ts';
import type { StatedPresence } from './model.ts';

export interface PresenceUnits {
  /** Replaces the item of the same contact. No journal entry: presence comes back as a snapshot. */
  'presence.state': { input: { user: UserId; stated: StatedPresence }; output: null };
}

export interface PresenceQueries {
  'presence.stated': { input: { user: UserId }; output: readonly StatedPresence[] };
}
