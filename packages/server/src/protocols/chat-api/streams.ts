import type { ChatStream, Directory, User } from '../../core/directory/index.ts';
import type { Position, UserId } from '../../core/journal/index.ts';
import type { PresenceService } from '../../core/presence/index.ts';
import { type Clock, every, Lru, type Timer } from '../../kit/index.ts';
import type { ChatApiLimits } from './limits.ts';
import type { ChatApiObserver } from './parts.ts';
import { type EndReason, LiveStream } from './stream.ts';

export interface StreamsParts {
  readonly directory: Pick<Directory, 'openStream' | 'stream' | 'closeStream' | 'moveCursors' | 'userById'>;
  readonly presence: Pick<PresenceService, 'lease'>;
  readonly clock: Clock;
  readonly limits: Pick<ChatApiLimits, 'offlineAfterMs' | 'endAfterMs' | 'saveCursorsMs'>;
  readonly observer: Pick<ChatApiObserver, 'trouble'>;
}

/** Checks for idleness in the shorter of the two times. */
const SWEEPS = 4;
/**
 * Ended streams that a look-up under way may still find; ids are never used again.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_ENDED = 10_000;

/**
 * The chat streams of this node. A stream is a row, so it outlives the process: what is asked for and not known here is looked
 * up, and the stream goes on with the position that was written down last.
 */
export class Streams {
  readonly #parts: StreamsParts;
  readonly #byId = new Map<string, LiveStream>();
  readonly #byUser = new Map<UserId, LiveStream>();
  readonly #ended = new Lru<string, true>(MAX_ENDED);
  readonly #timers: readonly Timer[];
  #isOpen = true;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
    const { clock, limits } = parts;
    this.#timers = [
      every(clock, limits.saveCursorsMs, () => void this.#save()),
      every(clock, limits.offlineAfterMs / SWEEPS, () => this.#sweep()),
    ];
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The user's stream; a second login gets the one that stands (OF §3). */
  async open(user: User): Promise<LiveStream> {
    const opened = await this.#parts.directory.openStream(user);
    // It was found while it was being ended; behind that stands a new one.
    const isEnded = this.#ended.get(opened.stream.id) === true;
    const { stream, cursor } = isEnded ? await this.#parts.directory.openStream(user) : opened;
    const live = this.#adopt(stream, user, cursor);
    live.used(this.#parts.clock.now());
    return live;
  }

  async byId(id: string): Promise<LiveStream | null> {
    const known = this.#byId.get(id);
    return known ?? this.#load(await this.#parts.directory.stream({ by: 'id', id }));
  }

  async ofUser(user: UserId): Promise<LiveStream | null> {
    const known = this.#byUser.get(user);
    return known ?? this.#load(await this.#parts.directory.stream({ by: 'user', user }));
  }

  /** The stream of this user that this node knows; nothing is looked up. */
  known(user: UserId): LiveStream | null {
    return this.#byUser.get(user) ?? null;
  }

  /** From the first moment nobody finds it any more; its readers are told when the row is gone, so that coming back fails. */
  async end(live: LiveStream, reason: EndReason): Promise<void> {
    this.#ended.set(live.id, true);
    this.#forget(live);
    try {
      await this.#parts.directory.closeStream(live.id, live.cursor);
    } catch (error) {
      this.#ended.delete(live.id);
      throw error;
    } finally {
      live.end(reason);
    }
  }

  /** The account has changed: new names are used, locked and deleted accounts lose their stream. */
  async accountChanged(id: UserId): Promise<void> {
    const live = this.#byUser.get(id);
    if (live === undefined) return;
    const user = await this.#parts.directory.userById(id);
    if (user !== null && !user.isLocked) live.setUser(user);
    else if (this.#byUser.get(id) === live) await this.end(live, 'locked');
  }

  /** Writes down what was told. Streams live on. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const timer of this.#timers) timer.cancel();
    await this.#save();
    for (const live of this.#byId.values()) live.release();
    this.#byId.clear();
    this.#byUser.clear();
  }

  async #load(found: { readonly stream: ChatStream; readonly cursor: Position } | null): Promise<LiveStream | null> {
    if (found === null) return null;
    const user = await this.#parts.directory.userById(found.stream.user);
    return user === null || user.isLocked || this.#ended.get(found.stream.id) === true
      ? null
      : this.#adopt(found.stream, user, found.cursor);
  }

  /** Two requests may have looked up the same stream; the first one's is kept. */
  #adopt(stream: ChatStream, user: User, cursor: Position): LiveStream {
    const known = this.#byUser.get(user.id);
    if (known?.id === stream.id) return known;
    if (known !== undefined) this.#forget(known);
    const lease = this.#parts.presence.lease(user.id, stream.resource);
    const live = new LiveStream({ stream, user, cursor, lease, now: this.#parts.clock.now() });
    this.#byId.set(live.id, live);
    this.#byUser.set(user.id, live);
    return live;
  }

  #forget(live: LiveStream): void {
    this.#byId.delete(live.id);
    if (this.#byUser.get(live.user.id) === live) this.#byUser.delete(live.user.id);
  }

  async #save(): Promise<void> {
    const moved = [...this.#byId.values()].flatMap((live) =>
      live.unsaved === null ? [] : [{ live, cursor: live.unsaved }],
    );
    if (moved.length === 0) return;
    try {
      await this.#parts.directory.moveCursors(moved.map(({ live, cursor }) => ({ user: live.user.id, cursor })));
      for (const { live, cursor } of moved) live.saved(cursor);
    } catch (error) {
      // Tried again with the next round; what was told twice is recognised by its id.
      this.#parts.observer.trouble('positions of chat streams', error);
    }
  }

  #sweep(): void {
    const now = this.#parts.clock.now();
    for (const live of [...this.#byId.values()]) {
      const idleMs = live.idleMs(now);
      if (idleMs >= this.#parts.limits.endAfterMs)
        this.end(live, 'idle').catch((error: unknown) => this.#parts.observer.trouble('idle chat stream', error));
      else if (idleMs >= this.#parts.limits.offlineAfterMs) live.goOffline();
    }
  }
}
