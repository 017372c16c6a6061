import type { ServerResponse } from 'node:http';
import type { Call, CallListener } from '../../../core/calls/index.ts';
import type { ChatStateChange, Message } from '../../../core/conversations/index.ts';
import type { StreamEnd } from '../../../core/directory/index.ts';
import type { Entry } from '../../../core/index.ts';
import {
  type CallId,
  parseResume,
  type Position,
  type ResyncReason,
  type UserId,
} from '../../../core/journal/index.ts';
import type { Presence } from '../../../core/presence/index.ts';
import type { ChatSession, LiveSink, Sink } from '../../../delivery/index.ts';
import type { Http } from '../../../http/index.ts';
import { type ChatApiLimits, MAX_WAITING_CALLS } from '../limits.ts';
import type { ChatApiObserver } from '../parts.ts';
import type { EventReader, LiveStream } from '../stream.ts';
import type { ContactReader, ContactWatch } from './contact-watch.ts';
import type { Encoder } from './encode.ts';
import { type Frame, retryFrame } from './frame.ts';
import { Outbox, type OutboxOwner, type OutboxParts } from './outbox.ts';

/** How long a response that has been ended may take to leave. */
const END_MS = 5_000;

/** What all event streams share: there are thousands. */
export interface ReaderParts extends OutboxParts {
  readonly encoder: Encoder;
  readonly http: Pick<Http, 'joinWrites'>;
  readonly limits: ChatApiLimits;
  readonly observer: ChatApiObserver;
  /** Begins to listen to the calls of the user's number, until the signal. */
  readonly listen: (reader: SseReader, signal: AbortSignal) => void;
  readonly onGone: (reader: SseReader) => void;
}

/** What waits for a reader that is too slow, newest state each. */
class Waiting {
  readonly presences = new Map<UserId, { readonly presence: Presence; readonly name: string }>();
  readonly calls = new Map<CallId, Call>();
}

/**
 * One open event stream. Entries of the journal are told in order and never dropped: while the peer reads too slowly nothing is
 * told, and later it is caught up from the journal. Presence and calls are coalesced meanwhile, newest wins; chat states are
 * dropped. So what is held for a slow reader is bounded.
 */
export class SseReader implements Sink, LiveSink, EventReader, ContactReader, OutboxOwner {
  readonly isAttended = true;
  readonly live: LiveStream;
  readonly #parts: ReaderParts;
  readonly #response: ServerResponse;
  readonly #outbox: Outbox;
  #waiting: Waiting | null = null;
  /** Null: the user has no number. */
  #listening: AbortController | null = null;
  #session: ChatSession | null = null;
  #contacts: ContactWatch | null = null;
  #isOpen = true;
  #endedAt: number | null = null;

  constructor(parts: ReaderParts, live: LiveStream, response: ServerResponse) {
    this.#parts = parts;
    this.live = live;
    this.#response = response;
    this.#outbox = new Outbox(this, parts);
  }

  get user(): UserId {
    return this.live.user.id;
  }

  get waitingBytes(): number {
    return this.#outbox.waitingBytes;
  }

  /** The head has been written: everything else follows. `position`: where telling begins, if the client doesn't know. */
  start(session: ChatSession, contacts: ContactWatch, position: string | null): void {
    this.#session = session;
    this.#contacts = contacts;
    this.#response.on('close', () => this.#gone());
    this.#response.on('error', cut);
    this.#outbox.push(retryFrame(this.#parts.limits.retryMs));
    this.#outbox.push(this.#parts.encoder.ready(position));
    this.#listen();
  }

  // Sink: the journal.

  entry(entry: Entry, resume: string): void {
    const text = this.#parts.encoder.entry(entry, resume, this.user);
    if (text !== null) this.#outbox.push(text, { position: entry.position });
  }

  resync(reason: ResyncReason, resume: string): void {
    this.#outbox.push(this.#parts.encoder.reset(reason, resume), { position: parseResume(resume).position });
  }

  isReady(): boolean {
    return this.#isOpen && this.#endedAt === null && this.#outbox.isReady();
  }

  /** The client comes back with its position. */
  failed(error: unknown): void {
    this.#parts.observer.trouble('event stream', error);
    this.#response.destroy();
  }

  // LiveSink: what no journal keeps.

  /** Taken when the network has taken it; refused while the peer reads too slowly. */
  volatile(message: Message): boolean | Promise<boolean> {
    if (!this.isReady()) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#outbox.push(this.#parts.encoder.message(message, this.user), { gone: resolve });
    return promise;
  }

  echo(message: Message): void {
    if (this.isReady()) this.#outbox.push(this.#parts.encoder.message(message, this.user));
  }

  chatState(change: ChatStateChange): void {
    if (this.isReady()) this.#outbox.push(this.#parts.encoder.chatState(change, this.live.user.name));
  }

  reach(): boolean {
    return this.isReady();
  }

  presence(presence: Presence, name: string): void {
    this.#waiting?.presences.delete(presence.user);
    if (this.isReady()) this.#tellPresence(presence, name);
    else (this.#waiting ??= new Waiting()).presences.set(presence.user, { presence, name });
  }

  readonly call: CallListener = (call) => {
    this.#waiting?.calls.delete(call.id);
    if (this.isReady()) return this.#outbox.push(this.#parts.encoder.call(call));
    const { calls } = (this.#waiting ??= new Waiting());
    calls.set(call.id, call);
    if (calls.size > MAX_WAITING_CALLS) this.#tooSlow();
  };

  // OutboxOwner.

  write(piece: Frame, done?: (error?: Error | null) => void): void {
    const { socket, chunkedEncoding } = this.#response;
    if (socket !== null && done === undefined) this.#parts.http.joinWrites(socket);
    if (socket !== null && chunkedEncoding) socket.write(piece.chunk, done);
    else this.#response.write(piece.bytes, done);
  }

  told(position: Position): void {
    this.live.told(position);
  }

  /** What waited is told now, then the journal. */
  hasRoom(): void {
    const { presences, calls } = this.#waiting ?? new Waiting();
    for (const [user, { presence, name }] of presences) {
      if (!this.isReady()) return;
      presences.delete(user);
      this.#tellPresence(presence, name);
    }
    for (const [id, call] of calls) {
      if (!this.isReady()) return;
      calls.delete(id);
      this.#outbox.push(this.#parts.encoder.call(call));
    }
    this.#waiting = null;
    this.#session?.pump();
  }

  // EventReader: the chat stream.

  contactsChanged(): void {
    this.#contacts?.refresh();
  }

  /** The old number may be somebody else's now. */
  numberChanged(): void {
    if (!this.#isOpen || this.#endedAt !== null) return;
    this.#listening?.abort();
    this.#waiting?.calls.clear();
    this.#listen();
  }

  end(reason: StreamEnd): void {
    this.#finish(this.#parts.encoder.end(reason));
  }

  /** The node stops; the chat stream lives on, so the client is only asked to come back. */
  restart(retryMs: number): void {
    this.#finish(retryFrame(retryMs));
  }

  /** Called now and then: keeps the connection alive, and cuts off who takes nothing. */
  check(): void {
    const isLate = this.#endedAt !== null && this.#parts.now() - this.#endedAt > END_MS;
    if (isLate || this.#outbox.stuckMs() > this.#parts.limits.stuckReaderMs) return this.#tooSlow();
    if (this.#endedAt === null) this.#outbox.keepAlive(this.#parts.limits.keepAliveMs / 2);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#response.destroy();
  }

  /** An event stream is a listener of its user's number (design §8). */
  #listen(): void {
    this.#listening = this.live.user.number === null ? null : new AbortController();
    if (this.#listening !== null) this.#parts.listen(this, this.#listening.signal);
  }

  #tellPresence(presence: Presence, name: string): void {
    this.#outbox.push(this.#parts.encoder.presence(presence, name, this.live.user.name));
  }

  #finish(last: Frame): void {
    if (!this.#isOpen || this.#endedAt !== null) return;
    this.#outbox.finish(last);
    this.#endedAt = this.#parts.now();
    this.#stop();
    this.#response.end();
  }

  #tooSlow(): void {
    this.#parts.observer.slowReader(this.live.user.name);
    this.#response.destroy();
  }

  #stop(): void {
    this.#session?.close();
    this.#contacts?.close();
    this.#listening?.abort();
  }

  #gone(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stop();
    this.#outbox.close();
    this.#waiting = null;
    this.live.readers.delete(this);
    this.live.used(this.#parts.now());
    this.#parts.onGone(this);
  }
}

function cut(this: ServerResponse): void {
  this.destroy();
}
