import type { Entry, TielineJournal } from '../core/index.ts';
import { formatResume, parseResume, type Position, type ResyncReason, type StreamId } from '../core/journal/index.ts';
import { Problem } from '../kit/index.ts';
import type { Tail } from './tail.ts';

/**
 * Entries read at once for a session that catches up: few at first and again whenever the peer doesn't keep up, since what is
 * read and not told is thrown away, and many slow peers read at a time.
 */
const FIRST_PAGE = 2;
/**
 * Entries read at once as long as whole pages are told.
 * @peer nothing to notice
 * @test delivery: a slow reader is told nothing
 */
const MAX_PAGE = 200;

/** What a session does with what it is told. Calls never overlap and keep the journal's order. */
export interface Sink {
  /** `resume` is the token after this entry. */
  entry(entry: Entry, resume: string): void;
  /** Continuity can't be proved: the peer loads a fresh state; entries go on from now. */
  resync(reason: ResyncReason, resume: string): void;
  /** False while the peer reads too slowly: nothing is told, and nothing is kept for it, until `pump`. */
  isReady(): boolean;
  /** Reading the journal failed for good; the session should end. */
  failed(error: unknown): void;
}

/** What all subscriptions of a node share. */
export interface SubscriptionParts {
  readonly journal: TielineJournal;
  readonly tail: Tail;
}

export interface Subscribed {
  readonly streams: readonly StreamId[];
  readonly sink: Sink;
  /** A token, a position of this store, or `now`. */
  readonly from: { readonly resume: string } | { readonly position: Position } | 'now';
}

/**
 * Backfill, cut-over, live. Behind the tail, entries are read from the journal by stream; once everything up to `tail.applied`
 * was told, the tail's own entries follow, in the same turn of the event loop, so nothing falls between. A peer that reads too
 * slowly falls behind the tail again and is caught up from the journal: no memory is held for it.
 */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #what: Subscribed;
  #cursor: Position;
  #isStarted = false;
  #isLive = false;
  #isReading = false;
  #isOpen = true;
  #pageSize = FIRST_PAGE;

  /** Whoever makes it offers it the entries of its streams, beginning in the same turn. */
  constructor(parts: SubscriptionParts, what: Subscribed) {
    this.#parts = parts;
    this.#what = what;
    this.#cursor = parts.tail.applied;
    void this.#start();
  }

  /** The token that goes on after everything told so far. */
  get resume(): string {
    const { from } = this.#what;
    const { journal } = this.#parts;
    // Who leaves before the start was known goes on where he wanted to start.
    if (!this.#isStarted && from !== 'now')
      return 'resume' in from ? from.resume : formatResume(journal.epoch, from.position);
    return formatResume(journal.epoch, this.#cursor);
  }

  /** The peer can take more. */
  pump(): void {
    void this.#catchUp();
  }

  close(): void {
    this.#isOpen = false;
    this.#isLive = false;
  }

  /** From the tail. */
  offer(entry: Entry): void {
    if (!this.#isLive || entry.position <= this.#cursor) return;
    try {
      if (this.#what.sink.isReady()) this.#tell(entry);
      else this.#isLive = false;
    } catch (error) {
      // One session's defect ends that session; the others hear on.
      this.#fail(error);
    }
  }

  #tell(entry: Entry): void {
    this.#cursor = entry.position;
    this.#what.sink.entry(entry, formatResume(this.#parts.journal.epoch, this.#cursor));
  }

  async #start(): Promise<void> {
    this.#isReading = true;
    try {
      const point = await this.#startingPoint();
      if (!this.#isOpen) return;
      this.#isStarted = true;
      if (typeof point === 'number') this.#cursor = point;
      else this.#resync(point);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReading = false;
    }
    void this.#catchUp();
  }

  async #startingPoint(): Promise<Position | ResyncReason> {
    const { journal, tail } = this.#parts;
    const { from } = this.#what;
    if (from === 'now') return this.#cursor;
    if ('position' in from) return (await journal.oldest()) <= from.position + 1 ? from.position : 'expired';
    let token;
    try {
      token = parseResume(from.resume);
    } catch (error) {
      if (error instanceof Problem && error.code === 'resync') return 'unknown';
      throw error;
    }
    if (token.epoch !== journal.epoch || token.position > Math.max(tail.applied, await journal.head())) return 'epoch';
    return (await journal.oldest()) <= token.position + 1 ? token.position : 'expired';
  }

  async #catchUp(): Promise<void> {
    if (this.#isReading || this.#isLive || !this.#isOpen) return;
    const { tail } = this.#parts;
    const { sink } = this.#what;
    this.#isReading = true;
    try {
      while (this.#isOpen && this.#cursor < tail.applied && sink.isReady()) await this.#readPage();
      this.#isLive = this.#isOpen && this.#cursor >= tail.applied;
    } catch (error) {
      if (!isExpired(error)) this.#fail(error);
      // What comes next for this peer has left the journal while it read too slowly.
      else if (this.#isOpen) this.#resync('expired');
    } finally {
      this.#isReading = false;
    }
    if (this.#isOpen && !this.#isLive && sink.isReady()) void this.#catchUp();
  }

  async #readPage(): Promise<void> {
    const { journal, tail } = this.#parts;
    const { streams, sink } = this.#what;
    const until = tail.applied;
    const page = await journal.range({ streams, after: this.#cursor, until, limit: this.#pageSize });
    let told = true;
    for (const entry of page.entries) {
      told = this.#isOpen && sink.isReady();
      if (!told) break;
      this.#tell(entry);
    }
    if (told) this.#cursor = Math.max(this.#cursor, page.scannedTo);
    this.#pageSize = told ? Math.min(2 * this.#pageSize, MAX_PAGE) : FIRST_PAGE;
  }

  #resync(reason: ResyncReason): void {
    this.#cursor = this.#parts.tail.applied;
    this.#what.sink.resync(reason, formatResume(this.#parts.journal.epoch, this.#cursor));
  }

  #fail(error: unknown): void {
    if (!this.#isOpen) return;
    this.close();
    this.#what.sink.failed(error);
  }
}

function isExpired(error: unknown): boolean {
  return error instanceof Problem && error.code === 'resync';
}
