import type { Stop } from '../kit/index.ts';
import type { Calls } from './calls/index.ts';
import type { PresenceService } from './presence/index.ts';

/** What one context's news means to another: the only place where contexts are tied together. */
export function startPolicies(parts: {
  readonly calls: Pick<Calls, 'onPhone'>;
  readonly presence: Pick<PresenceService, 'setOnPhone'>;
}): Stop {
  return parts.calls.onPhone.add(({ user, isOnPhone }) => parts.presence.setOnPhone(user, isOnPhone));
}
