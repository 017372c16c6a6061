import { type Clock, Listeners, Problem, type Stop } from '../../kit/index.ts';
import type { Store, UserId } from '../journal/index.ts';
import { type Actor, demand } from '../permissions/index.ts';
import { isSamePresence, mergePresence } from './merge.ts';
import type { Presence, PresenceContact, SessionPresence, Show, StatedPresence } from './model.ts';
import type { PresenceQueries, PresenceUnits } from './ports.ts';

/**
 * Text of a status or note, in characters: it is repeated to every watcher.
 * @peer a status is cut; a note: 413, cause 111
 * @test presence/presence: what is said of oneself
 */
export const MAX_STATUS = 1_024;
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

/** A live session's own presence: a lease that ends with `end`. */
export interface PresenceLease {
  set(show: Show, status: string): void;
  end(): void;
}

export interface PresenceService {
  /** Opens a session's lease, offline until `set`. */
  lease(user: UserId, resource: string): PresenceLease;
  /** States presence for a contact; stored. @throws forbidden | too-large */
  state(
    actor: Actor,
    user: UserId,
    stated: { readonly contact: PresenceContact; readonly activity: string; readonly note: string },
  ): Promise<void>;
  /** The merged presence now. */
  now(user: UserId): Promise<Presence>;
  /** Tells the presence at once and on each change, newest wins. @throws forbidden | too-many-watchers */
  watch(actor: Actor, user: UserId, tell: (presence: Presence) => void): Promise<Stop>;
  /** Every change of anybody, for policies. */
  readonly changes: Pick<Listeners<Presence>, 'add'>;
  setOnPhone(user: UserId, isOnPhone: boolean): void;
}

interface Entry {
  stated: readonly StatedPresence[] | null;
  loading: Promise<void> | null;
  readonly sessions: Map<string, SessionPresence>;
  isOnPhone: boolean;
  readonly watchers: Listeners<Presence>;
  /** Who waits for the store, and goes on with this entry. */
  waiting: number;
  last: Presence | null;
}

export interface PresenceParts {
  readonly store: Store<PresenceUnits, PresenceQueries>;
  readonly clock: Clock;
}

/**
 * Presence of everybody who is live or watched. What nobody needs is dropped; stated presence is read from the store again.
 * Never in the journal: it comes back as a snapshot.
 */
export function createPresence(parts: PresenceParts): PresenceService {
  const { store, clock } = parts;
  const records = new Map<UserId, Entry>();
  const changes = new Listeners<Presence>();

  function record(user: UserId): Entry {
    const known = records.get(user);
    if (known !== undefined) return known;
    const fresh: Entry = {
      stated: null,
      loading: null,
      sessions: new Map(),
      isOnPhone: false,
      watchers: new Listeners(),
      waiting: 0,
      last: null,
    };
    records.set(user, fresh);
    return fresh;
  }

  function dropIdle(user: UserId, entry: Entry): void {
    const isNeeded = entry.sessions.size > 0 || entry.watchers.size > 0 || entry.waiting > 0 || entry.isOnPhone;
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
    if (entry.stated !== null) return;
    entry.loading ??= store.read('presence.stated', { user }).then(
      (stated) => {
        entry.stated ??= stated;
        entry.loading = null;
      },
      (error: unknown) => {
        entry.loading = null;
        throw error;
      },
    );
    await entry.loading;
  }

  function merged(user: UserId, entry: Entry): Presence {
    return mergePresence({ user, stated: entry.stated ?? [], sessions: entry.sessions, isOnPhone: entry.isOnPhone });
  }

  function changed(user: UserId): void {
    const entry = records.get(user);
    if (entry === undefined) return;
    if (entry.stated === null) {
      load(user, entry).then(
        () => changed(user),
        () => tell(user, entry),
      );
      return;
    }
    tell(user, entry);
  }

  function tell(user: UserId, entry: Entry): void {
    const presence = merged(user, entry);
    if (entry.last !== null && isSamePresence(entry.last, presence)) return dropIdle(user, entry);
    entry.last = presence;
    entry.watchers.emit(presence);
    changes.emit(presence);
    dropIdle(user, entry);
  }

  return {
    changes,
    lease(user, resource) {
      const entry = record(user);
      let isOpen = true;
      entry.sessions.set(resource, { show: 'offline', status: '', at: clock.now() });
      return {
        set(show, status) {
          if (!isOpen) return;
          entry.sessions.set(resource, { show, status: status.slice(0, MAX_STATUS), at: clock.now() });
          changed(user);
        },
        end() {
          if (!isOpen) return;
          isOpen = false;
          entry.sessions.delete(resource);
          changed(user);
        },
      };
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
    now(user) {
      const entry = record(user);
      return withStated(user, entry, () => merged(user, entry));
    },
    async watch(actor, user, listener) {
      demand(actor, { do: 'see-presence', of: user });
      const entry = record(user);
      if (entry.watchers.size >= MAX_WATCHERS)
        throw new Problem('too-many-watchers', 'Too many watch this user.', { retry: true });
      const unwatch = entry.watchers.add(listener);
      const stop = (): void => {
        unwatch();
        dropIdle(user, entry);
      };
      try {
        await withStated(user, entry, () => {
          entry.last = merged(user, entry);
          listener(entry.last);
        });
      } catch (error) {
        stop();
        throw error;
      }
      return stop;
    },
    setOnPhone(user, isOnPhone) {
      const entry = record(user);
      entry.isOnPhone = isOnPhone;
      changed(user);
    },
  };
}
