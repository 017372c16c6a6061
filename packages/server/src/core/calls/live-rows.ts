import type { NodeId } from '../cluster/index.ts';
import { type Clock, Problem, reasonOf, type Timer } from '../../kit/index.ts';
import type { CallId, Store } from '../journal/index.ts';
import { ROWS_AT_ONCE, ROW_RETRY_MS } from './limits.ts';
import type { CallLog } from './log.ts';
import type { Call } from './model.ts';
import type { CallQueries, CallUnits } from './ports.ts';
import { storableCall } from './records.ts';

export interface LiveRowParts {
  readonly store: Store<CallUnits, CallQueries>;
  readonly owner: NodeId;
  readonly clock: Clock;
  readonly log: CallLog;
}

/**
 * Rows of this node's live calls, so that others can close them when it is dead. A call that is changed again while it is
 * written is written once more, as it stands then; the end is the record's.
 */
export class LiveRows {
  readonly #parts: LiveRowParts;
  /** Not written yet as they stand. */
  readonly #dirty = new Map<CallId, Call>();
  #isWriting = false;
  #again: Timer | null = null;

  constructor(parts: LiveRowParts) {
    this.#parts = parts;
  }

  /** The call has begun, changed or ended. */
  changed(call: Call): void {
    if (call.state === 'ended') this.#dirty.delete(call.id);
    else if (call.user !== null) this.#dirty.set(call.id, storableCall(call));
    void this.#write();
  }

  close(): void {
    this.#dirty.clear();
    this.#again?.cancel();
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const { store, owner, clock, log } = this.#parts;
    let calls: readonly Call[] = [];
    try {
      while (this.#dirty.size > 0) {
        calls = [...this.#dirty.values()].slice(0, ROWS_AT_ONCE);
        await store.write('calls.live', { owner, calls });
        this.#settled(calls);
      }
    } catch (error) {
      log.warn('live calls could not be written down', { calls: calls.length, reason: reasonOf(error) });
      // What can't be stored at all stays without a row.
      if (!(error instanceof Problem) || !error.retry) this.#settled(calls);
      this.#again?.cancel();
      this.#again = clock.after(ROW_RETRY_MS, () => void this.#write());
    } finally {
      this.#isWriting = false;
    }
  }

  #settled(calls: readonly Call[]): void {
    for (const call of calls) if (this.#dirty.get(call.id) === call) this.#dirty.delete(call.id);
  }
}
