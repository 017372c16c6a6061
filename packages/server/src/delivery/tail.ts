import { type Clock, Listeners, type Stop, type Timer } from '../kit/index.ts';
import type { Batch, Entry, TielineBell, TielineJournal } from '../core/index.ts';
import type { Position } from '../core/journal/index.ts';

/** How often the journal's head is compared, so that a lost bell is noticed; ± a third, so that nodes don't do it together. */
const CHECK_MS = 3_000;
/** Entries read at once to fill a gap. */
const PAGE = 500;

/**
 * A node's own reading of the journal: every entry, once, in order.
 *
 * Positions are dense, so a batch that begins after `applied + 1` proves a gap, which is read from the store; repeats and late
 * batches are dropped. Whoever listens has therefore seen everything up to `applied`, and nothing after it.
 */
export interface Tail {
  /** Everything up to here has been told. */
  readonly applied: Position;
  onEntry(listener: (entry: Entry) => void): Stop;
  close(): void;
}

export interface TailParts {
  readonly journal: TielineJournal;
  readonly bell: Pick<TielineBell, 'batches'>;
  readonly clock: Clock;
  readonly random?: () => number;
  /** A read failed; it is tried again at the next check. */
  readonly onTrouble: (error: unknown) => void;
}

export async function openTail(parts: TailParts): Promise<Tail> {
  const { journal, clock } = parts;
  const random = parts.random ?? Math.random;
  const listeners = new Listeners<Entry>();
  let applied = await journal.head();
  let target = applied;
  let filling = false;
  let isOpen = true;
  const stopBell = parts.bell.batches.add(onBatch);
  let timer: Timer = scheduleCheck();
  void fill();

  function onBatch(batch: Batch): void {
    if (!isOpen || batch.last <= applied) return;
    if (filling || batch.first > applied + 1) {
      target = Math.max(target, batch.last);
      void fill();
      return;
    }
    for (const entry of batch.entries) apply(entry);
  }

  function apply(entry: Entry): void {
    if (entry.position !== applied + 1) return;
    applied = entry.position;
    listeners.emit(entry);
  }

  async function fill(): Promise<void> {
    if (filling) return;
    filling = true;
    try {
      target = Math.max(target, await journal.head());
      while (isOpen && applied < target) {
        const entries = await journal.tail({ after: applied, limit: PAGE });
        const before = applied;
        if (isOpen) for (const entry of entries) apply(entry);
        if (applied === before) break;
      }
    } catch (error) {
      parts.onTrouble(error);
    } finally {
      filling = false;
    }
  }

  function scheduleCheck(): Timer {
    return clock.after(CHECK_MS * (2 / 3 + (2 / 3) * random()), () => {
      timer = scheduleCheck();
      void fill();
    });
  }

  return {
    get applied() {
      return applied;
    },
    onEntry: (listener) => listeners.add(listener),
    close() {
      isOpen = false;
      stopBell();
      timer.cancel();
    },
  };
}
