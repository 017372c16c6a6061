import { afterEach, describe, expect, test } from 'vitest';
import { benches, type MakePlace } from './store-place.ts';
import { alice, bob, messageFrom, userNamed } from './store-samples.ts';

/** More than any store lets wait. */
const FLOOD = 60_000;

export function unitContract(makePlace: MakePlace): void {
  describe('units of work', () => {
    const at = benches(makePlace);
    afterEach(() => at.closeAll());

    test('a read sees everything whose write resolved before', async () => {
      const { store } = await at.open();
      for (let i = 0; i < 100; i++) {
        const { message } = await store.write('conversations.append', messageFrom(alice, bob));
        expect(await store.read('conversations.message', { id: message.id })).toEqual(message);
      }
    });

    test('units of one turn apply in their order, whatever their kinds', async () => {
      const { store } = await at.open();
      const outcomes = await Promise.allSettled([
        store.write('directory.change-user', { id: alice, change: { number: '1' } }),
        store.write('directory.add-user', userNamed('alice', alice)),
        store.write('conversations.append', messageFrom(alice, bob)),
        store.write('directory.change-user', { id: alice, change: { number: '2' } }),
        store.write('directory.add-user', userNamed('alice', bob)),
        store.write('conversations.append', messageFrom(alice, bob)),
        store.write('directory.remove-user', { id: alice }),
        store.write('directory.add-user', userNamed('alice', bob)),
      ]);
      expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code))).toEqual([
        'unknown-user',
        'done',
        'done',
        'done',
        'name-taken',
        'done',
        'done',
        'done',
      ]);
      expect(await store.read('directory.user', { by: 'name', value: 'alice' })).toMatchObject({
        id: bob,
        number: null,
      });
    });

    test('a unit that can not be stored fails alone', async () => {
      const { store, journal } = await at.open();
      const broken = messageFrom(alice, bob, { body: { not: 'a text' } as never });
      const uncloneable = messageFrom(alice, bob, { body: (() => 'no text') as never });
      const outcomes = await Promise.allSettled([
        store.write('conversations.append', messageFrom(alice, bob)),
        store.write('conversations.append', broken),
        store.write('conversations.append', uncloneable),
        store.write('conversations.append', messageFrom(alice, bob)),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
      expect(outcomes[3]).toMatchObject({ value: { message: { seq: 2 } } });
      expect(await journal.head()).toBe(4);
    });

    test('text that can not be stored everywhere is refused, alone, and may be asked for', async () => {
      const { store } = await at.open();
      await store.write('directory.add-user', userNamed('alice', alice));
      for (const text of ['a\0b', 'a\ud83d']) {
        const idem = { key: text, hash: 'h' };
        const stated = { contact: 'im:', activity: '', note: text, at: 1 } as const;
        const outcomes = await Promise.allSettled([
          store.write('conversations.append', messageFrom(alice, bob, { body: text })),
          store.write('conversations.append', messageFrom(alice, bob, { idem })),
          store.write('directory.change-user', { id: alice, change: { displayName: text } }),
          store.write('directory.add-group', { group: { name: 'staff', description: '', members: [text as never] } }),
          store.write('presence.state', { user: alice, stated }),
        ]);
        expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
          outcomes.map(() => 'invalid-text'),
        );
        expect(await store.read('directory.user', { by: 'name', value: text })).toBeNull();
        expect(await store.read('conversations.history', { user: alice, limit: 9, keywords: text })).toEqual([]);
      }
      const odd = { text: 'a\0b \\u0000', list: ['\0'] };
      const { message } = await store.write('conversations.append', messageFrom(alice, bob, { data: odd }));
      expect(message).toMatchObject({ seq: 1, data: odd });
      expect(await store.read('conversations.message', { id: message.id })).toEqual(message);
    });

    test('what waits is bounded: more is refused at once, to be tried again, and what was taken is stored', async () => {
      const { store } = await at.open();
      const refusals: unknown[] = [];
      let stored = 0;
      const writes = Array.from({ length: FLOOD }, () =>
        store.write('conversations.append', messageFrom(alice, bob, { tell: [], keepFor: [] })).then(
          () => stored++,
          (error: unknown) => refusals.push(error),
        ),
      );
      await Promise.all(writes);
      expect(refusals.length).toBeGreaterThan(0);
      expect(stored + refusals.length).toBe(FLOOD);
      expect(refusals[0]).toMatchObject({ code: 'store-unavailable', retry: true });
      await store.write('conversations.append', messageFrom(alice, bob));
    });

    test('so are questions', async () => {
      const { store } = await at.open();
      const asked = Array.from({ length: FLOOD }, () => store.read('directory.is-empty', null));
      const outcomes = await Promise.allSettled(asked);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(FLOOD);
      expect(refused[0]).toMatchObject({ reason: { code: 'store-unavailable', retry: true } });
      expect(await store.read('directory.is-empty', null)).toBe(true);
    });

    test('closing waits for what was asked; afterwards nothing is taken', async () => {
      const bench = await at.open();
      const asked = Array.from({ length: 50 }, () =>
        bench.store.write('conversations.append', messageFrom(alice, bob)),
      );
      const read = bench.store.read('conversations.unread', { user: bob });
      await Promise.all([bench.close(), bench.close()]);
      expect((await Promise.all(asked)).map(({ message }) => message.seq)).toEqual(asked.map((_, i) => i + 1));
      await read;
      const late = bench.store.write('conversations.append', messageFrom(alice, bob));
      await expect(late).rejects.toMatchObject({ code: 'store-unavailable', retry: true });
      await expect(bench.store.read('directory.is-empty', null)).rejects.toMatchObject({ code: 'store-unavailable' });
      await bench.reopen();
      expect(await bench.store.read('conversations.history', { user: bob, limit: 500 })).toHaveLength(50);
    });
  });
}
