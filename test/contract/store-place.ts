import type { Batch, TielineJournal, TielineStore } from '../../packages/server/src/core/index.ts';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { ManualClock } from '../../packages/server/src/kit/index.ts';
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
  /** Closes what is open and deletes the data. */
  dispose(): Promise<void>;
}

export type MakePlace = () => Promise<StorePlace>;

/** A store with a clock that stands still and everything its bell rang. */
export interface Bench extends OpenStore {
  readonly clock: ManualClock;
  readonly rung: Batch[];
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
      return {
        clock,
        rung,
        get store() {
          return inner.store;
        },
        get journal() {
          return inner.journal;
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
