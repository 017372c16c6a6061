import { describe } from 'vitest';
import { callContract } from './store-calls.ts';
import { clusterContract } from './store-cluster.ts';
import { conversationContract } from './store-conversations.ts';
import { directoryContract } from './store-directory.ts';
import { historyContract } from './store-history.ts';
import { journalContract } from './store-journal.ts';
import type { MakePlace } from './store-place.ts';
import { streamContract } from './store-streams.ts';
import { unitContract } from './store-units.ts';

export type { MakePlace, OpenStore, StorePlace } from './store-place.ts';

/** What every store has to keep to, whatever it is made of. */
export function storeContract(name: string, makePlace: MakePlace): void {
  describe(`store contract: ${name}`, () => {
    unitContract(makePlace);
    clusterContract(makePlace);
    directoryContract(makePlace);
    streamContract(makePlace);
    conversationContract(makePlace);
    historyContract(makePlace);
    callContract(makePlace);
    journalContract(makePlace);
  });
}
