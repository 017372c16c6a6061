import { afterEach, describe, expect, test } from 'vitest';
import type { HistoryAsk, Message } from '../../packages/server/src/core/conversations/index.ts';
import { directConversation } from '../../packages/server/src/core/conversations/index.ts';
import type { MessageId } from '../../packages/server/src/core/journal/index.ts';
import { type Bench, benches, type MakePlace } from './store-place.ts';
import { alice, bob, carol, guid, messageFrom } from './store-samples.ts';

export function historyContract(makePlace: MakePlace): void {
  describe('conversations: history', () => {
    const at = benches(makePlace);
    afterEach(() => at.closeAll());

    async function fill(bench: Bench, count: number): Promise<Message[]> {
      const inputs = Array.from({ length: count }, (_, i) =>
        messageFrom(alice, i % 3 === 2 ? carol : bob, { at: 1_000 + Math.floor(i / 2) }),
      );
      const sent = await Promise.all(inputs.map((input) => bench.store.write('conversations.append', input)));
      return sent.map(({ message }) => message).reverse();
    }
    const asked = (bench: Bench, ask: Partial<HistoryAsk>) =>
      bench.store.read('conversations.history', { user: alice, limit: 100, ...ask });

    test('newest first, everything or one conversation, between two times', async () => {
      const bench = await at.open();
      const all = await fill(bench, 12);
      const conversation = directConversation(alice, bob);
      expect(await asked(bench, {})).toEqual(all);
      expect(await asked(bench, { limit: 5 })).toEqual(all.slice(0, 5));
      expect(await asked(bench, { conversation })).toEqual(all.filter((m) => m.conversation === conversation));
      const between = all.filter((m) => m.at >= 1_002 && m.at <= 1_004);
      expect(await asked(bench, { since: 1_002, until: 1_004 })).toEqual(between);
      expect(await asked(bench, { since: 1_002, until: 1_004, conversation })).toEqual(
        between.filter((m) => m.conversation === conversation),
      );
    });

    test('page by page with `before`, also within one millisecond', async () => {
      const bench = await at.open();
      const all = await fill(bench, 13);
      for (const conversation of [undefined, directConversation(alice, bob)]) {
        const ask = conversation === undefined ? {} : { conversation };
        const pages: Message[] = [];
        for (let before: MessageId | undefined; ; before = pages.at(-1)!.id) {
          const page = await asked(bench, { ...ask, limit: 3, ...(before === undefined ? {} : { before }) });
          if (page.length === 0) break;
          pages.push(...page);
        }
        expect(pages).toEqual(all.filter((m) => conversation === undefined || m.conversation === conversation));
      }
      expect(await asked(bench, { before: 'unknown' as MessageId })).toEqual([]);
    });

    test('only what was kept for the user', async () => {
      const bench = await at.open();
      const { store } = bench;
      const both = (await store.write('conversations.append', messageFrom(bob, alice))).message;
      const bobs = (await store.write('conversations.append', messageFrom(bob, alice, { keepFor: [bob] }))).message;
      const { conversation } = both;
      for (const ask of [{}, { conversation }]) {
        expect(await asked(bench, ask)).toEqual([both]);
        expect(await asked(bench, { ...ask, user: bob })).toEqual([bobs, both]);
        expect(await asked(bench, { ...ask, user: carol })).toEqual([]);
      }
    });

    test('every word must occur in the text without tags, in any case', async () => {
      const bench = await at.open();
      const bodies = [
        ['text/plain', 'Hello World'],
        ['text/html', 'He<b>llo</b> <i>WORLD</i> &amp; all'],
        ['text/plain', 'hello b strong'],
        ['text/plain', 'Straße nach ÄÖÜ'],
        ['text/plain', '100% under_score back\\slash'],
      ] as const;
      const sent: Message[] = [];
      for (const [type, body] of bodies)
        sent.push((await bench.store.write('conversations.append', messageFrom(alice, bob, { type, body }))).message);
      const find = async (keywords: string) => {
        const found = await asked(bench, { keywords });
        return found.map((message) => sent.findIndex(({ id }) => id === message.id)).sort();
      };
      expect(await find('hello')).toEqual([0, 1, 2]);
      expect(await find('WORLD hell')).toEqual([0, 1]);
      expect(await find('<b>')).toEqual([]);
      expect(await find('&')).toEqual([1]);
      expect(await find('äöü')).toEqual([3]);
      expect(await find('%')).toEqual([4]);
      expect(await find('r_s k\\s')).toEqual([4]);
      expect(await find('  ')).toEqual([0, 1, 2, 3, 4]);
      expect(await find("' or 1=1 --")).toEqual([]);
      await expect(find('x'.repeat(501))).rejects.toMatchObject({ code: 'search-too-complex' });
      await expect(find('x '.repeat(17))).rejects.toMatchObject({ code: 'search-too-complex' });
    });

    test('the list of conversations holds the latest ones, so many at most', async () => {
      const { store } = await at.open();
      const sent = Array.from({ length: 1_002 }, (_, i) =>
        store.write('conversations.append', messageFrom(guid(i + 100), alice, { at: 1_000 + i })),
      );
      const last = (await Promise.all(sent)).at(-1)?.message;
      const listed = await store.read('conversations.unread', { user: alice });
      expect(listed).toHaveLength(1_000);
      expect(listed[0]).toMatchObject({ conversation: last?.conversation, lastAt: last?.at });
    });
  });
}
