import type { Clock } from '../../kit/index.ts';
import { MAX_STATUS, type SessionPresence, type Show } from './model.ts';

/**
 * Sessions of one user whose connections broke and that still count as present: each holds a timer.
 * @peer the oldest counts no more
 * @test presence/between-nodes: of very many broken sessions
 */
export const MAX_LINGERING = 10;

/**
 * How a session ended. `over`: its user wished it, or may not stay. `broken`: the connection is lost, or the user is asked to
 * come back: most are there again in a moment.
 */
export type LeaseEnd = 'over' | 'broken';

/** A session's own presence: a lease that ends with `end`. All are idempotent, and do nothing after the end. */
export interface PresenceLease {
  /** The session is there, and says this of itself. */
  set(show: Show, status: string): void;
  /** The session is there; what it said last counts, on whatever node that was. */
  resume(): void;
  /** Nobody is there for now. */
  suspend(): void;
  /** A broken session counts as it was for a while: watchers of one who comes back see nothing of it. */
  end(how: LeaseEnd): void;
}

export type Session = { -readonly [K in keyof SessionPresence]: SessionPresence[K] };

/** The sessions of one user on this node. */
export interface Held {
  readonly sessions: Map<string, Session>;
  /** Ends of those that linger, oldest first. */
  readonly lingering: Set<() => void>;
}

export function openLease(
  held: Held,
  resource: string,
  session: Session,
  parts: { readonly clock: Clock; readonly lingerMs: number; readonly changed: () => void },
): PresenceLease {
  const { clock, lingerMs, changed } = parts;
  let isOpen = true;
  held.sessions.set(resource, session);

  function put(change: Partial<SessionPresence>): void {
    if (!isOpen) return;
    Object.assign(session, change);
    changed();
  }

  function drop(): void {
    // A session of the same name may have taken its place.
    if (held.sessions.get(resource) === session) held.sessions.delete(resource);
    changed();
  }

  function linger(): void {
    const timer = clock.after(lingerMs, end);
    held.lingering.add(end);
    const [oldest] = held.lingering;
    if (held.lingering.size > MAX_LINGERING) oldest?.();
    function end(): void {
      timer.cancel();
      held.lingering.delete(end);
      drop();
    }
  }

  return {
    set(show, status) {
      // The word before may be another node's, whose clock is ahead: this one is newer.
      const at = Math.max(clock.now(), session.at + 1);
      put({ show, status: status.slice(0, MAX_STATUS), at, isThere: true });
    },
    resume: () => session.isThere || put({ isThere: true }),
    suspend: () => session.isThere && put({ isThere: false }),
    end(how) {
      if (!isOpen) return;
      isOpen = false;
      if (how === 'broken' && session.isThere && lingerMs > 0) linger();
      else drop();
    },
  };
}
