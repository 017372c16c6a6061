import type { Cluster } from '../../core/index.ts';
import type { ChatStream, Directory, StreamEnd, StreamEnded, User } from '../../core/directory/index.ts';
import type { Position, UserId } from '../../core/journal/index.ts';
import type { PresenceService } from '../../core/presence/index.ts';
import { type Clock, every, Lru, type Stop } from '../../kit/index.ts';
import type { ChatApiLimits } from './limits.ts';
import type { ChatApiObserver } from './parts.ts';
import { LiveStream } from './stream.ts';

export interface StreamsParts {
  readonly directory: Pick<
    Directory,
    'openStream' | 'stream' | 'closeStream' | 'moveCursors' | 'useStreams' | 'endIdleStreams' | 'userById'
  >;
  readonly cluster: { readonly membership: Pick<Cluster['membership'], 'seek' | 'holderOf' | 'self'> };
  readonly presence: Pick<PresenceService, 'lease'>;
  readonly clock: Clock;
  readonly limits: Pick<ChatApiLimits, 'offlineAfterMs' | 'endAfterMs' | 'saveCursorsMs' | 'noteUseMs'>;
  readonly observer: Pick<ChatApiObserver, 'trouble'>;
}

/** Checks for idleness in the time that a user may be silent. */
const SWEEPS = 4;
/** The node that has this role ends streams that nobody uses, wherever they were used last. */
const SWEEPER = 'chat-streams';
/**
 * Streams that one unit of work notes the use of, or ends: a long one holds up what people wait for.
 * @peer nothing to notice
 * @test chat-api/streams: of very many streams
 */
const MAX_AT_ONCE = 500;
/**
 * Ended streams that a look-up under way may still find; ids are never used again.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_ENDED = 10_000;

/**
 * The chat streams that this node has met. A stream is a row: any node serves it, and it outlives the process. What is asked for
 * and not known here is looked up, and the stream goes on with the position that was written down last.
 */
export class Streams {
  readonly #parts: StreamsParts;
  readonly #byId = new Map<string, LiveStream>();
  readonly #byUser = new Map<UserId, LiveStream>();
  readonly #ended = new Lru<string, true>(MAX_ENDED);
  readonly #stops: readonly Stop[];
  #isOpen = true;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
    const { clock, limits, cluster } = parts;
    const timers = [
      every(clock, limits.saveCursorsMs, () => void this.#save()),
      every(clock, limits.offlineAfterMs / SWEEPS, () => this.#sweep()),
      every(clock, limits.noteUseMs, () => void this.#noteUse()),
    ];
    this.#stops = [cluster.membership.seek(SWEEPER, () => undefined), ...timers.map((timer) => () => timer.cancel())];
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

  byId(id: string): LiveStream | Promise<LiveStream | null> {
    return this.#byId.get(id) ?? this.#lookUp({ by: 'id', id });
  }

  ofUser(user: UserId): LiveStream | Promise<LiveStream | null> {
    return this.#byUser.get(user) ?? this.#lookUp({ by: 'user', user });
  }

  /** Learns how far the user has been told on other nodes. False: the stream has ended meanwhile. */
  async catchUp(live: LiveStream): Promise<boolean> {
    const found = await this.#parts.directory.stream({ by: 'id', id: live.id });
    if (found !== null) live.moved(found.cursor);
    return found !== null && this.#byId.get(live.id) === live;
  }

  /** The stream of this user that this node knows; nothing is looked up. */
  known(user: UserId): LiveStream | null {
    return this.#byUser.get(user) ?? null;
  }

  /** From the first moment nobody finds it any more; its readers are told when the row is gone, so that coming back fails. */
  async end(live: LiveStream, reason: StreamEnd): Promise<void> {
    this.#ended.set(live.id, true);
    this.#forget(live);
    try {
      await this.#parts.directory.closeStream(live.id, live.cursor, reason);
    } catch (error) {
      this.#ended.delete(live.id);
      throw error;
    } finally {
      live.end(reason);
    }
  }

  /** A stream has ended, on whatever node: nobody finds it here any more, and its readers are told. */
  async ended({ stream, reason }: StreamEnded): Promise<void> {
    this.#ended.set(stream, true);
    const live = this.#byId.get(stream);
    if (live === undefined) return;
    this.#forget(live);
    live.end(reason);
    const cursor = live.unsaved;
    if (cursor !== null) await this.#parts.directory.moveCursors([{ user: live.user.id, cursor }]);
  }

  /** The account has changed: new names are used. Locked and deleted accounts lose their stream in the store. */
  async accountChanged(id: UserId): Promise<void> {
    const live = this.#byUser.get(id);
    if (live === undefined) return;
    const user = await this.#parts.directory.userById(id);
    if (user !== null) live.setUser(user);
  }

  /** Writes down what was told. Streams live on. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const stop of this.#stops) stop();
    await this.#save();
    await this.#noteUse();
    for (const live of this.#byId.values()) live.release();
    this.#byId.clear();
    this.#byUser.clear();
  }

  async #lookUp(key: Parameters<Directory['stream']>[0]): Promise<LiveStream | null> {
    const found = await this.#parts.directory.stream(key);
    if (found === null) return null;
    const user = await this.#parts.directory.userById(found.stream.user);
    return user === null || user.isLocked || this.#ended.get(found.stream.id) === true
      ? null
      : this.#adopt(found.stream, user, found.cursor);
  }

  /**
   * Two requests may have looked up the same stream; the first one's is kept. An older one of the user has been ended by another
   * node: its readers and its presence end with that news.
   */
  #adopt(stream: ChatStream, user: User, cursor: Position): LiveStream {
    const known = this.#byId.get(stream.id);
    if (known !== undefined) {
      this.#byUser.set(user.id, known);
      return known;
    }
    const lease = this.#parts.presence.lease(user.id, stream.resource, stream.openedAt);
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

  /** Whoever used his stream lately keeps it; of the others one node ends those that are due. */
  async #noteUse(): Promise<void> {
    const { directory, clock, limits, cluster, observer } = this.#parts;
    const now = clock.now();
    const used = [...this.#byId.values()].filter((live) => live.hasUnnotedUse(now));
    try {
      for (let i = 0; i < used.length; i += MAX_AT_ONCE) {
        const some = used.slice(i, i + MAX_AT_ONCE);
        await directory.useStreams(
          some.map(({ id }) => id),
          now,
        );
        for (const live of some) live.noted(now);
      }
      const { membership } = cluster;
      if (!this.#isOpen || membership.holderOf(SWEEPER) !== membership.self) return;
      // Another node may be about to note a use.
      const due = now - limits.endAfterMs - limits.noteUseMs;
      while ((await directory.endIdleStreams(due, MAX_AT_ONCE)) === MAX_AT_ONCE);
    } catch (error) {
      observer.trouble('use of chat streams', error);
    }
  }

  #sweep(): void {
    const now = this.#parts.clock.now();
    for (const live of this.#byId.values()) if (live.idleMs(now) >= this.#parts.limits.offlineAfterMs) live.goOffline();
  }
}
