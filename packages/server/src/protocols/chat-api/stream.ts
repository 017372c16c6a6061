import type { ChatStream, StreamEnd, User } from '../../core/directory/index.ts';
import type { Position } from '../../core/journal/index.ts';
import type { PresenceLease, Show } from '../../core/presence/index.ts';

/** One open event stream, as the chat stream sees it. */
export interface EventReader {
  end(reason: StreamEnd): void;
  /** The contacts of the user have changed. */
  contactsChanged(): void;
  /** The user has another number, or none. */
  numberChanged(): void;
}

/** A chat stream that this node knows: one held session of a user (OF §3), with the readers of its events. */
export class LiveStream {
  readonly id: string;
  readonly resource: string;
  readonly readers = new Set<EventReader>();
  #user: User;
  #usedAt: number;
  /** Up to when its use has been written down. */
  #notedAt = 0;
  #cursor: Position;
  #saved: Position;
  readonly #lease: PresenceLease;

  constructor(options: {
    readonly stream: ChatStream;
    readonly user: User;
    readonly cursor: Position;
    readonly lease: PresenceLease;
    readonly now: number;
  }) {
    this.id = options.stream.id;
    this.resource = options.stream.resource;
    this.#user = options.user;
    this.#cursor = options.cursor;
    this.#saved = options.cursor;
    this.#lease = options.lease;
    this.#usedAt = options.now;
    this.#lease.resume();
  }

  get user(): User {
    return this.#user;
  }

  /** The account has changed. */
  setUser(user: User): void {
    const isOtherNumber = user.number !== this.#user.number;
    this.#user = user;
    if (isOtherNumber) for (const reader of [...this.readers]) reader.numberChanged();
  }

  /** Up to where the user has been told; an event stream without `Last-Event-ID` begins there. */
  get cursor(): Position {
    return this.#cursor;
  }

  /** The position to write down, or null where that was done. */
  get unsaved(): Position | null {
    return this.#cursor > this.#saved ? this.#cursor : null;
  }

  told(position: Position): void {
    this.#cursor = Math.max(this.#cursor, position);
  }

  /** Told up to here by another node. */
  moved(position: Position): void {
    this.told(position);
    this.saved(position);
  }

  saved(position: Position): void {
    this.#saved = Math.max(this.#saved, position);
  }

  setPresence(show: Show, status: string): void {
    this.#lease.set(show, status);
  }

  /** A request, or a reader: the user is there. */
  used(now: number): void {
    this.#usedAt = now;
    this.#lease.resume();
  }

  /** How long nothing was heard of the user on this node. */
  idleMs(now: number): number {
    if (this.readers.size > 0) this.#usedAt = now;
    return now - this.#usedAt;
  }

  /** It has been used on this node since that was written down last. */
  hasUnnotedUse(now: number): boolean {
    this.idleMs(now);
    return this.#usedAt > this.#notedAt;
  }

  noted(at: number): void {
    this.#notedAt = at;
  }

  goOffline(): void {
    this.#lease.suspend();
  }

  end(reason: StreamEnd): void {
    for (const reader of [...this.readers]) reader.end(reason);
    this.#lease.end('over');
  }

  /** The node stops; the stream lives on. */
  release(): void {
    this.#lease.end('broken');
  }
}
