import { afterEach, describe, expect, test } from 'vitest';
import type { HistoryAsk } from '../../packages/server/src/core/conversations/index.ts';
import { directConversation } from '../../packages/server/src/core/conversations/index.ts';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { scaled, seeded, seedOf } from '../kit/scale.ts';
import { sqlitePlace } from './sqlite-place.ts';
import { type Bench, benches } from './store-place.ts';
import { guid, messageFrom } from './store-samples.ts';

const PEOPLE = [1, 2, 3, 4, 5].map(guid);

/** Every answer that could depend on where the rows lie. */
async function answersOf({ store, journal }: Bench): Promise<readonly unknown[]> {
  const head = await journal.head();
  const asks: Promise<unknown>[] = [journal.tail({ after: 0, limit: 2_000 })];
  for (const user of PEOPLE) {
    asks.push(store.read('conversations.unread', { user }));
    for (const limit of [7, 500]) {
      const all: HistoryAsk = { user, limit };
      asks.push(store.read('conversations.history', all));
      asks.push(store.read('conversations.history', { ...all, keywords: '3', since: 1_010, until: 1_060 }));
      asks.push(store.read('conversations.history', { ...all, conversation: directConversation(user, PEOPLE[0]!) }));
      for (const after of [0, Math.floor(head / 2)])
        asks.push(journal.range({ streams: [userStream(user), userStream(PEOPLE[1]!)], after, until: head, limit }));
    }
  }
  return Promise.all(asks);
}

/** A message or a read mark, the same for every store that it is applied to. */
function nextStep(random: () => number): (bench: Bench) => Promise<unknown> {
  const one = Math.floor(random() * PEOPLE.length);
  const other = (one + 1 + Math.floor(random() * (PEOPLE.length - 1))) % PEOPLE.length;
  const [sender, recipient] = [PEOPLE[one]!, PEOPLE[other]!];
  if (random() < 0.2) {
    const mark = { user: sender, conversation: directConversation(sender, recipient), seq: Math.floor(random() * 30) };
    return ({ store }) => store.write('conversations.mark-read', mark);
  }
  const keepFor = [sender, recipient].filter(() => random() < 0.8);
  const message = messageFrom(sender, recipient, { at: 1_000 + Math.floor(random() * 80), keepFor });
  return ({ store }) => store.write('conversations.append', message);
}

describe('SQLite: settling', () => {
  const random = seeded(seedOf('settling'));
  const never = benches(() => sqlitePlace(1_000_000));
  const always = benches(() => sqlitePlace(1));
  const sometimes = benches(() => sqlitePlace(37));
  const each = [never, always, sometimes];
  afterEach(async () => {
    for (const bench of each) await bench.closeAll();
  });

  test('no answer depends on when rows are sorted in', async () => {
    const stores = await Promise.all(each.map((bench) => bench.open()));
    for (let round = 0; round < scaled({ verify: 25, soak: 500 }); round++) {
      const steps = Array.from({ length: 10 }, () => nextStep(random));
      await Promise.all(stores.flatMap((bench) => steps.map((step) => step(bench))));
      if (round % 20 === 19) await Promise.all(stores.map((bench) => bench.reopen()));
    }
    const [first, ...others] = await Promise.all(stores.map(answersOf));
    for (const other of others) for (const [i, answer] of other.entries()) expect(answer).toEqual(first![i]);
    // Three stores at once, on a machine that does other things too.
  }, 90_000);
});
