import type { Json } from '../../kit/index.ts';
import { bestFirst, ORDER, type Sessions } from './merge.ts';
import type { SessionPresence } from './model.ts';

/**
 * Sessions of one user that a node tells the others of: those that may decide how the user is seen. The best come first, so
 * what is left out changes nothing; and all of them with the longest notes fit into one message.
 * @peer nothing to notice
 * @test presence/between-nodes: however many sessions
 */
export const MAX_TOLD_SESSIONS = 16;

/** One user's sessions on one node, for the others: `[[resource, show, status, at, isThere], …]`. */
export function encodeSessions(sessions: Sessions): Json {
  const absent = [...sessions].filter(([, { isThere }]) => !isThere);
  const told = [...bestFirst(sessions), ...absent].slice(0, MAX_TOLD_SESSIONS);
  return told.map(([resource, { show, status, at, isThere }]) => [resource, show, status, at, isThere]);
}

/** Null where another version of this program has written it. */
export function decodeSessions(json: Json): Sessions | null {
  if (!Array.isArray(json)) return null;
  const sessions = new Map<string, SessionPresence>();
  for (const item of json as readonly unknown[]) {
    if (!isSession(item)) return null;
    const [resource, show, status, at, isThere] = item;
    // A word of another version: somebody is there.
    const known = ORDER.find((one) => one === show) ?? 'available';
    sessions.set(resource, { show: known, status, at, isThere });
  }
  return sessions;
}

const KINDS = ['string', 'string', 'string', 'number', 'boolean'];

function isSession(item: unknown): item is readonly [string, string, string, number, boolean] {
  return Array.isArray(item) && KINDS.every((kind, i) => typeof item[i] === kind);
}
