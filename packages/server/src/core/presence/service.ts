import { type Clock, Listeners, Problem, type Stop, type Timer } from '../../kit/index.ts';
import { createBoard, type Peers } from '../cluster/index.ts';
import type { Store, UserId } from '../journal/index.ts';
import { type Actor, demand } from '../permissions/index.ts';
import { decodeSessions, encodeSessions } from './contribution.ts';
import { type Held, openLease, type PresenceLease, type Session } from './lease.ts';
import { isSamePresence, joinSessions, mergePresence, type Sessions } from './merge.ts';
import { MAX_STATUS, type Presence, type PresenceContact, type SessionPresence, type StatedPresence } from './model.ts';
import type { PresenceQueries, PresenceUnits } from './ports.ts';

/**
 * An activity is one word of a list.
 * @peer 413, cause 111
 * @test presence/presence: what is said of oneself
 */
export const MAX_ACTIVITY = 64;
/**
 * Watchers of one user: each costs memory and a message a change.
 * @peer 503 `too-many-watchers`
 * @test presence/presence: watchers of one user
 */
export const MAX_WATCHERS = 10_000;
/** A change of a user is told at once, the next ones of the same user together after this: nobody reads faster. */
export const TELL_AGAIN_MS = 250;
/** How long a session whose connection broke, or whose node has gone, still counts: longer than clients wait before they come back. */
export const LINGER_MS = 10_000;

export interface PresenceService {
  /** Opens a session's lease: nobody is there until `set` or `resume`. `since`: when it began, if that was before now. */
  lease(user: UserId, resource: string, since?: number): PresenceLease;
  /** States presence for a contact; stored. @throws forbidden | too-large */
  state(
    actor: Actor,
    user: UserId,
    stated: { readonly contact: PresenceContact; readonly activity: string; readonly note: string },
  ): Promise<void>;
  /** Stated presence has changed in the store: what is held of it is read anew. Fed with the directory stream. */
  restated(user: UserId): void;
  /** The merged presence now. */
  now(user: UserId): Promise<Presence>;
  /** Tells the presence at once and on each change, newest wins. @throws forbidden | too-many-watchers */
  watch(actor: Actor, user: UserId, tell: (presence: Presence) => void): Promise<Stop>;
  /** Every change of anybody who is live here or watched here, for policies. */
  readonly changes: Pick<Listeners<Presence>, 'add'>;
  /** Every node knows by itself: calls are told between the nodes. */
  setOnPhone(user: UserId, isOnPhone: boolean): void;
  /** No timer is left. The other nodes see this node's sessions until they notice that it has gone. Idempotent. */
  close(): void;
}

interface Entry extends Held {
  stated: readonly StatedPresence[] | null;
  /** `stated` is not what the store has. */
  isStale: boolean;
  loading: Promise<void> | null;
  isOnPhone: boolean;
  readonly watchers: Listeners<Presence>;
  /** Who waits for the store, and goes on with this entry. */
  waiting: number;
  last: Presence | null;
  /** Until then nothing is told again. */
  pause: Timer | null;
}

export interface PresenceParts {
  readonly store: Store<PresenceUnits, PresenceQueries>;
  readonly peers: Peers;
  readonly clock: Clock;
  /** 0: at once. */
  readonly lingerMs?: number;
}

/**
 * Presence of everybody who is live or watched. What nobody needs is dropped; stated presence is read from the store again.
 * Never in the journal: it comes back as a snapshot. Each node knows its own sessions, and what the others say of theirs.
 */
export function createPresence(parts: PresenceParts): PresenceService {
  const { store, peers, clock, lingerMs = LINGER_MS } = parts;
  const records = new Map<UserId, Entry>();
  const changes = new Listeners<Presence>();
  const board = createBoard<UserId, Sessions>({
    peers,
    clock,
    name: 'presence',
    own: { get: sessionsHere, keys: () => records.keys() },
    encode: encodeSessions,
    decode: decodeSessions,
    graceMs: lingerMs,
  });
  board.changes.add((user) => {
    const entry = records.get(user);
    if (entry === undefined) return;
    let hasLearned = false;
    for (const sessions of board.of(user).values())
      for (const [resource, said] of sessions) hasLearned = learn(entry.sessions.get(resource), said) || hasLearned;
    // The others keep the word when its node goes.
    if (hasLearned) board.changed(user);
    changed(user);
  });
  let isOpen = true;

  function sessionsHere(user: UserId): Sessions | null {
    const sessions = records.get(user)?.sessions;
    return sessions === undefined || sessions.size === 0 ? null : sessions;
  }

  function record(user: UserId): Entry {
    const known = records.get(user);
    if (known !== undefined) return known;
    const fresh: Entry = {
      stated: null,
      isStale: false,
      loading: null,
      sessions: new Map(),
      lingering: new Set(),
      isOnPhone: false,
      watchers: new Listeners(),
      waiting: 0,
      last: null,
      pause: null,
    };
    records.set(user, fresh);
    return fresh;
  }

  function dropIdle(user: UserId, entry: Entry): void {
    const { sessions, watchers, waiting, isOnPhone, pause } = entry;
    const isNeeded = sessions.size > 0 || watchers.size > 0 || waiting > 0 || isOnPhone || pause !== null;
    if (!isNeeded && records.get(user) === entry) records.delete(user);
  }

  /** Loads what the user has stated, and uses it at once; the entry stays until then. */
  async function withStated<T>(user: UserId, entry: Entry, use: () => T): Promise<T> {
    entry.waiting++;
    try {
      await load(user, entry);
      return use();
    } finally {
      entry.waiting--;
      dropIdle(user, entry);
    }
  }

  async function load(user: UserId, entry: Entry): Promise<void> {
    while (entry.stated === null || entry.isStale) {
      entry.loading ??= read(user, entry).finally(() => {
        entry.loading = null;
      });
      await entry.loading;
    }
  }

  async function read(user: UserId, entry: Entry): Promise<void> {
    entry.isStale = false;
    try {
      entry.stated = await store.read('presence.stated', { user });
    } catch (error) {
      entry.isStale = true;
      throw error;
    }
  }

  function merged(user: UserId, entry: Entry): Presence {
    const others = [...board.of(user).values()];
    const { sessions, isOnPhone } = entry;
    return mergePresence({
      user,
      stated: entry.stated ?? [],
      sessions: others.length === 0 ? sessions : joinSessions([sessions, ...others]),
      isOnPhone,
    });
  }

  /** A session of this node has changed. */
  function changedHere(user: UserId): void {
    board.changed(user);
    changed(user);
  }

  function changed(user: UserId): void {
    const entry = records.get(user);
    if (entry === undefined || !isOpen) return;
    if (entry.watchers.size === 0 && changes.size === 0) return dropIdle(user, entry);
    if (entry.stated !== null && !entry.isStale) return tell(user, entry);
    load(user, entry).then(
      () => changed(user),
      () => tell(user, entry),
    );
  }

  function tell(user: UserId, entry: Entry): void {
    if (entry.pause !== null || !isOpen) return;
    const presence = merged(user, entry);
    if (entry.last === null || !isSamePresence(entry.last, presence)) {
      entry.pause = clock.after(TELL_AGAIN_MS, () => {
        entry.pause = null;
        tell(user, entry);
      });
      entry.last = presence;
      entry.watchers.emit(presence);
      changes.emit(presence);
    }
    dropIdle(user, entry);
  }

  return {
    changes,
    lease(user, resource, since = clock.now()) {
      const entry = record(user);
      const session: Session = { show: 'available', status: '', at: since, isThere: false };
      learn(session, entry.sessions.get(resource));
      for (const sessions of board.of(user).values()) learn(session, sessions.get(resource));
      return openLease(entry, resource, session, { clock, lingerMs, changed: () => changedHere(user) });
    },
    async state(actor, user, { contact, activity, note }) {
      demand(actor, { do: 'set-presence', of: user });
      if (note.length > MAX_STATUS || activity.length > MAX_ACTIVITY)
        throw new Problem('too-large', 'The note is too long.', { subject: 'note' });
      const stated: StatedPresence = { contact, activity, note, at: clock.now() };
      await store.write('presence.state', { user, stated });
      const entry = record(user);
      await withStated(user, entry, () => {
        entry.stated = [stated, ...(entry.stated ?? []).filter((item) => item.contact !== contact)];
        changed(user);
      });
    },
    restated(user) {
      const entry = records.get(user);
      if (entry === undefined || (entry.stated === null && entry.loading === null)) return;
      entry.isStale = true;
      changed(user);
    },
    now(user) {
      const entry = record(user);
      return withStated(user, entry, () => merged(user, entry));
    },
    async watch(actor, user, listener) {
      demand(actor, { do: 'see-presence', of: user });
      const entry = record(user);
      const unwatch = await withStated(user, entry, () => {
        if (entry.watchers.size >= MAX_WATCHERS)
          throw new Problem('too-many-watchers', 'Too many watch this user.', { retry: true });
        // Whoever watches already is told what has changed since.
        if (entry.last !== null) tell(user, entry);
        entry.last ??= merged(user, entry);
        const stop = entry.watchers.add(listener);
        listener(entry.last);
        return stop;
      });
      return () => {
        unwatch();
        dropIdle(user, entry);
      };
    },
    setOnPhone(user, isOnPhone) {
      const entry = record(user);
      entry.isOnPhone = isOnPhone;
      changed(user);
    },
    close() {
      isOpen = false;
      board.close();
      for (const { pause, lingering } of records.values()) {
        pause?.cancel();
        for (const end of [...lingering]) end();
      }
      records.clear();
    },
  };
}

/** The word of another node on a session that is this node's too. Being there is each node's own. True: it was news. */
function learn(session: Session | undefined, said: SessionPresence | undefined): boolean {
  if (session === undefined || said === undefined || said.at <= session.at) return false;
  const { isThere } = session;
  Object.assign(session, said, { isThere });
  return true;
}
