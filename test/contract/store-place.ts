import type { Batch, TielineJournal, TielineStore } from '../../packages/server/src/core/index.ts';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { ManualClock } from '../../packages/server/src/kit/index.ts';
import { until } from '../kit/wait.ts';
import type { TielineBell } from '../../packages/server/src/core/index.ts';

/** An open store under test. */
export interface OpenStore {
  readonly store: TielineStore;
  readonly journal: TielineJournal;
  close(): Promise<void>;
}

/** Where one store's data live: it can be opened, closed and opened again. */
export interface StorePlace {
  open(parts: {
    readonly clock: ManualClock;
    readonly bell: TielineBell;
    readonly retentionMs?: number;
  }): Promise<OpenStore>;
  /** Resolves when everything that was acknowledged has its position, where that may come later. */
  caughtUp?(): Promise<void>;
  /** Closes what is open and deletes the data. */
  dispose(): Promise<void>;
}

export type MakePlace = () => Promise<StorePlace>;

/**
 * A store with a clock that stands still and everything its bell rang. Its journal is read when everything that was
 * acknowledged before has its position.
 */
export interface Bench extends OpenStore {
  readonly clock: ManualClock;
  readonly rung: Batch[];
  /** Resolves when everything that was acknowledged has its position and was rung. */
  caughtUp(): Promise<void>;
  /** Closes it and opens it again, on the same data. */
  reopen(): Promise<void>;
}

/** Opens stores for the tests of one file and puts them away after each. */
export function benches(makePlace: MakePlace) {
  const used: { readonly place: StorePlace; close: () => Promise<void> }[] = [];
  return {
    async open(options: { readonly retentionMs?: number } = {}): Promise<Bench> {
      const place = await makePlace();
      const clock = new ManualClock();
      const rung: Batch[] = [];
      const bell = createMemoryBell();
      bell.batches.add((batch) => rung.push(batch));
      let inner = await place.open({ clock, bell, ...options });
      used.push({ place, close: () => inner.close() });
      async function caughtUp(): Promise<void> {
        if (place.caughtUp === undefined) return;
        await place.caughtUp();
        const head = await inner.journal.head();
        await until(() => (rung.at(-1)?.last ?? 0) >= head, 'the bell');
      }
      const journal: TielineJournal = {
        get epoch() {
          return inner.journal.epoch;
        },
        head: () => caughtUp().then(() => inner.journal.head()),
        oldest: () => caughtUp().then(() => inner.journal.oldest()),
        range: (ask) => caughtUp().then(() => inner.journal.range(ask)),
        tail: (ask) => caughtUp().then(() => inner.journal.tail(ask)),
      };
      return {
        caughtUp,
        journal,
        clock,
        rung,
        get store() {
          return inner.store;
        },
        close: () => inner.close(),
        async reopen() {
          await inner.close();
          inner = await place.open({ clock, bell, ...options });
        },
      };
    },
    async closeAll(): Promise<void> {
      for (const { place, close } of used.splice(0)) {
        await close();
        await place.dispose();
      }
    },
  };
}
