import type { UserId } from '../journal/index.ts';
import type { Presence, SessionPresence, Show, StatedPresence } from './model.ts';

/** Best first. */
const ORDER: readonly Show[] = ['chat', 'available', 'away', 'xa', 'dnd', 'offline'];

/** Stated activities that outrank every session (design §3), in order of their strength. */
const STATED: readonly (readonly [activity: string, show: Show])[] = [
  ['dnd', 'dnd'],
  ['busy', 'dnd'],
  ['away', 'away'],
  ['vacation', 'xa'],
];

export interface PresenceFacts {
  readonly user: UserId;
  readonly stated: readonly StatedPresence[];
  readonly sessions: ReadonlyMap<string, SessionPresence>;
  readonly isOnPhone: boolean;
}

/** Merges what is known of a user: on the phone > stated dnd, busy, away > best session. */
export function mergePresence(facts: PresenceFacts): Presence {
  const { user, sessions, isOnPhone } = facts;
  const stated = [...facts.stated].sort((a, b) => b.at - a.at);
  const best = bestSession(sessions);
  const isOnline = best !== null && best.presence.show !== 'offline';
  const outranking = STATED.map(([activity, show]) => ({
    show,
    item: stated.find((s) => s.activity === activity),
  })).find((s) => s.item !== undefined);
  let show: Show = best?.presence.show ?? 'offline';
  let status = best?.presence.status ?? '';
  if (isOnline && outranking?.item !== undefined) {
    show = outranking.show;
    status = outranking.item.note;
  }
  if (isOnline && isOnPhone) show = 'dnd';
  if (status === '') status = stated.find((s) => s.contact === 'tel:' && s.activity === '')?.note ?? '';
  return { user, isOnline, isOnPhone, show, status, stated, resource: best?.resource ?? null };
}

function bestSession(
  sessions: ReadonlyMap<string, SessionPresence>,
): { resource: string; presence: SessionPresence } | null {
  let best: { resource: string; presence: SessionPresence } | null = null;
  for (const [resource, presence] of sessions) {
    const rank = best === null ? 1 : ORDER.indexOf(best.presence.show) - ORDER.indexOf(presence.show);
    if (best === null || rank > 0 || (rank === 0 && presence.at > best.presence.at)) best = { resource, presence };
  }
  return best;
}

/** Whether anybody who watches would see a difference. */
export function isSamePresence(a: Presence, b: Presence): boolean {
  return (
    a.isOnline === b.isOnline &&
    a.isOnPhone === b.isOnPhone &&
    a.show === b.show &&
    a.status === b.status &&
    a.resource === b.resource &&
    JSON.stringify(a.stated) === JSON.stringify(b.stated)
  );
}
