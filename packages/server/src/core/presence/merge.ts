import type { UserId } from '../journal/index.ts';
import type { Presence, SessionPresence, Show, StatedPresence } from './model.ts';

/** Best first. */
export const ORDER: readonly Show[] = ['chat', 'available', 'away', 'xa', 'dnd', 'offline'];

/** Stated activities that outrank every session (design §3), in order of their strength. */
const STATED: readonly (readonly [activity: string, show: Show])[] = [
  ['dnd', 'dnd'],
  ['busy', 'dnd'],
  ['away', 'away'],
  ['vacation', 'xa'],
];

/** By resource. */
export type Sessions = ReadonlyMap<string, SessionPresence>;

export interface PresenceFacts {
  readonly user: UserId;
  readonly stated: readonly StatedPresence[];
  readonly sessions: Sessions;
  readonly isOnPhone: boolean;
}

/** Merges what is known of a user: on the phone > stated dnd, busy, away > best session. */
export function mergePresence(facts: PresenceFacts): Presence {
  const { user, sessions, isOnPhone } = facts;
  const stated = [...facts.stated].sort((a, b) => b.at - a.at);
  const [resource, best] = bestFirst(sessions)[0] ?? [null, null];
  const isOnline = best !== null && best.show !== 'offline';
  const outranking = STATED.map(([activity, show]) => ({
    show,
    item: stated.find((s) => s.activity === activity),
  })).find((s) => s.item !== undefined);
  let show: Show = best?.show ?? 'offline';
  let status = best?.status ?? '';
  if (isOnline && outranking?.item !== undefined) {
    show = outranking.show;
    status = outranking.item.note;
  }
  if (isOnline && isOnPhone) show = 'dnd';
  if (status === '') status = stated.find((s) => s.contact === 'tel:' && s.activity === '')?.note ?? '';
  return { user, isOnline, isOnPhone, show, status, stated, resource };
}

/** The sessions where somebody is. All nodes find the same order. */
export function bestFirst(sessions: Sessions): readonly (readonly [resource: string, session: SessionPresence])[] {
  return [...sessions]
    .filter(([, { isThere }]) => isThere)
    .sort(([one, a], [two, b]) => ORDER.indexOf(a.show) - ORDER.indexOf(b.show) || b.at - a.at || (one < two ? -1 : 1));
}

/** The same user's sessions as several nodes know them. Where two know one, the newer word counts, and either's being there. */
export function joinSessions(nodes: Iterable<Sessions>): Sessions {
  const joined = new Map<string, SessionPresence>();
  for (const sessions of nodes)
    for (const [resource, session] of sessions) {
      const known = joined.get(resource);
      joined.set(resource, known === undefined ? session : joinSession(known, session));
    }
  return joined;
}

function joinSession(a: SessionPresence, b: SessionPresence): SessionPresence {
  const newer = b.at > a.at || (b.at === a.at && `${b.show} ${b.status}` > `${a.show} ${a.status}`) ? b : a;
  return { ...newer, isThere: a.isThere || b.isThere };
}

/** Whether anybody who watches would see a difference. Which of two equal sessions is named is none. */
export function isSamePresence(a: Presence, b: Presence): boolean {
  return (
    a.isOnline === b.isOnline &&
    a.isOnPhone === b.isOnPhone &&
    a.show === b.show &&
    a.status === b.status &&
    JSON.stringify(a.stated) === JSON.stringify(b.stated)
  );
}
