import { backoffMs, type Clock, Problem, reasonOf, storable } from '../../kit/index.ts';
import type { Store } from '../journal/index.ts';
import { MAX_UNRECORDED, RECORD_RETRIES } from './limits.ts';
import type { CallLog } from './log.ts';
import type { Call } from './model.ts';
import type { CallQueries, CallUnits } from './ports.ts';

export interface RecordsParts {
  readonly store: Store<CallUnits, CallQueries>;
  readonly clock: Clock;
  readonly log: CallLog;
}

/** Writes ended calls down. While the store is away they wait and are written again, some and for a while. */
export class Records {
  readonly #parts: RecordsParts;
  #isClosed = false;
  readonly #underway = new Map<Promise<void>, () => void>();
  /** Records that were given up. */
  lost = 0;

  constructor(parts: RecordsParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#underway.size;
  }

  keep(call: Call): void {
    if (this.#underway.size >= MAX_UNRECORDED) return this.#give(call, 'too many wait');
    const { promise: hurry, resolve } = Promise.withResolvers<void>();
    const written: Promise<void> = this.#write(call, hurry).finally(() => this.#underway.delete(written));
    this.#underway.set(written, resolve);
  }

  /** Resolves when everything has been written or, without further waiting, given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const hurry of this.#underway.values()) hurry();
    await Promise.all(this.#underway.keys());
  }

  async #write(call: Call, hurry: Promise<void>): Promise<void> {
    const record = storableCall(call);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#parts.store.write('calls.record', { call: record });
        return;
      } catch (error) {
        const isWorthIt = error instanceof Problem && error.retry && attempt < RECORD_RETRIES && !this.#isClosed;
        if (!isWorthIt) return this.#give(call, reasonOf(error));
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = this.#parts.clock.after(backoffMs(attempt, { firstMs: 500, maxMs: 30_000 }), resolve);
      await Promise.race([promise, hurry]);
      timer.cancel();
    }
  }

  #give(call: Call, reason: string): void {
    this.lost++;
    this.#parts.log.warn('a call was not recorded', { call: call.id, reason });
  }
}

/** What a telephone system says may hold anything. */
export function storableCall(call: Call): Call {
  const { peer, peerName } = call;
  return { ...call, peer: storable(peer), peerName: peerName === null ? null : storable(peerName) };
}
