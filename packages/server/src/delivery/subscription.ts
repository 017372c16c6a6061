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

export interface Subscription {
  /** The token that goes on after everything told so far. */
  readonly resume: string;
  /** The peer can take more. */
  pump(): void;
  close(): void;
}

export interface SubscriptionParts {
  readonly journal: TielineJournal;
  readonly tail: Tail;
  readonly streams: readonly StreamId[];
  readonly sink: Sink;
  /** A token, a position of this store, or `now`. */
  readonly from: { readonly resume: string } | { readonly position: Position } | 'now';
  readonly watch: (subscription: { offer(entry: Entry): void }) => () => void;
}

/**
 * Backfill, cut-over, live. Behind the tail, entries are read from the journal by stream; once everything up to `tail.applied`
 * was told, the tail's own entries follow, in the same turn of the event loop, so nothing falls between. A peer that reads too
 * slowly falls behind the tail again and is caught up from the journal: no memory is held for it.
 */
export function openSubscription(parts: SubscriptionParts): Subscription {
  const { journal, tail, streams, sink } = parts;
  let cursor: Position = tail.applied;
  let isStarted = false;
  let isLive = false;
  let isReading = false;
  let isOpen = true;
  let pageSize = FIRST_PAGE;
  const unwatch = parts.watch({ offer });
  void start();

  function offer(entry: Entry): void {
    if (!isLive || entry.position <= cursor) return;
    try {
      if (sink.isReady()) tell(entry);
      else isLive = false;
    } catch (error) {
      // One session's defect ends that session; the others hear on.
      fail(error);
    }
  }

  function tell(entry: Entry): void {
    cursor = entry.position;
    sink.entry(entry, formatResume(journal.epoch, cursor));
  }

  async function start(): Promise<void> {
    isReading = true;
    try {
      const point = await startingPoint();
      if (!isOpen) return;
      isStarted = true;
      if (typeof point === 'number') cursor = point;
      else {
        cursor = tail.applied;
        sink.resync(point, formatResume(journal.epoch, cursor));
      }
    } catch (error) {
      fail(error);
    } finally {
      isReading = false;
    }
    void catchUp();
  }

  async function startingPoint(): Promise<Position | ResyncReason> {
    if (parts.from === 'now') return cursor;
    if ('position' in parts.from)
      return (await journal.oldest()) <= parts.from.position + 1 ? parts.from.position : 'expired';
    let token;
    try {
      token = parseResume(parts.from.resume);
    } catch (error) {
      if (error instanceof Problem && error.code === 'resync') return 'unknown';
      throw error;
    }
    if (token.epoch !== journal.epoch || token.position > Math.max(tail.applied, await journal.head())) return 'epoch';
    return (await journal.oldest()) <= token.position + 1 ? token.position : 'expired';
  }

  async function catchUp(): Promise<void> {
    if (isReading || isLive || !isOpen) return;
    isReading = true;
    try {
      while (isOpen && cursor < tail.applied && sink.isReady()) {
        const page = await journal.range({ streams, after: cursor, until: tail.applied, limit: pageSize });
        let told = true;
        for (const entry of page.entries) {
          told = isOpen && sink.isReady();
          if (!told) break;
          tell(entry);
        }
        if (told) cursor = Math.max(cursor, page.scannedTo);
        pageSize = told ? Math.min(2 * pageSize, MAX_PAGE) : FIRST_PAGE;
      }
      isLive = isOpen && cursor >= tail.applied;
    } catch (error) {
      if (isExpired(error)) lost();
      else fail(error);
    } finally {
      isReading = false;
    }
    if (isOpen && !isLive && sink.isReady()) void catchUp();
  }

  /** What comes next for this peer has left the journal while it read too slowly. */
  function lost(): void {
    if (!isOpen) return;
    cursor = tail.applied;
    sink.resync('expired', formatResume(journal.epoch, cursor));
  }

  function fail(error: unknown): void {
    if (!isOpen) return;
    close();
    sink.failed(error);
  }

  function close(): void {
    isOpen = false;
    isLive = false;
    unwatch();
  }

  return {
    get resume() {
      // Who leaves before the start was known goes on where he wanted to start.
      if (!isStarted && parts.from !== 'now')
        return 'resume' in parts.from ? parts.from.resume : formatResume(journal.epoch, parts.from.position);
      return formatResume(journal.epoch, cursor);
    },
    pump: () => void catchUp(),
    close,
  };
}

function isExpired(error: unknown): boolean {
  return error instanceof Problem && error.code === 'resync';
}
