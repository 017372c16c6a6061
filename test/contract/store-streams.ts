import { afterEach, describe, expect, test } from 'vitest';
import { directoryStream, userStream } from '../../packages/server/src/core/journal/index.ts';
import { benches, type MakePlace } from './store-place.ts';
import { alice, bob, messageFrom, userNamed } from './store-samples.ts';

export function streamContract(makePlace: MakePlace): void {
  describe('chat streams and stated presence', () => {
    const at = benches(makePlace);
    afterEach(() => at.closeAll());
    const stream = { id: 'stream-1', user: alice, resource: 'alice-1', openedAt: 5 };

    test('a user has one stream; it is there until it is closed', async () => {
      const { store } = await at.open();
      await store.write('directory.add-user', userNamed('alice', alice));
      const opened = await store.write('directory.open-stream', { stream });
      expect(opened).toMatchObject({ stream, isNew: true });
      const again = await store.write('directory.open-stream', { stream: { ...stream, id: 'stream-2' } });
      expect(again).toEqual({ stream, isNew: false, cursor: opened.cursor });
      expect(await store.read('directory.stream', { by: 'id', id: 'stream-1' })).toMatchObject({ stream });
      expect(await store.read('directory.stream', { by: 'user', user: alice })).toMatchObject({ stream });
      await store.write('directory.close-stream', { id: 'stream-1', cursor: 7, reason: 'logoff' });
      expect(await store.read('directory.stream', { by: 'user', user: alice })).toBeNull();
      await store.write('directory.close-stream', { id: 'stream-1', cursor: 9, reason: 'logoff' });
      const third = await store.write('directory.open-stream', { stream: { ...stream, id: 'stream-3' } });
      expect(third).toMatchObject({ isNew: true, cursor: 7 });
      await expect(store.write('directory.open-stream', { stream: { ...stream, user: bob } })).rejects.toMatchObject({
        code: 'unknown-user',
      });
    });

    test('what was told before the first login comes after the cursor', async () => {
      const { store, journal } = await at.open();
      await store.write('directory.add-user', userNamed('bob', bob));
      await store.write('directory.add-user', userNamed('alice', alice));
      await store.write('conversations.append', messageFrom(bob, alice));
      const { cursor } = await store.write('directory.open-stream', { stream });
      const { entries } = await journal.range({ streams: [userStream(alice)], after: cursor, until: 99, limit: 9 });
      expect(entries).toHaveLength(1);
    });

    test('a cursor never moves back', async () => {
      const { store } = await at.open();
      for (const [name, id] of [
        ['alice', alice],
        ['bob', bob],
      ] as const)
        await store.write('directory.add-user', userNamed(name, id));
      await store.write('directory.open-stream', { stream });
      await store.write('directory.move-cursor', {
        moves: [
          { user: alice, cursor: 50 },
          { user: bob, cursor: 60 },
        ],
      });
      await store.write('directory.move-cursor', { moves: [{ user: alice, cursor: 40 }] });
      expect(await store.read('directory.stream', { by: 'user', user: alice })).toMatchObject({ cursor: 50 });
      await store.write('directory.close-stream', { id: stream.id, cursor: 30, reason: 'logoff' });
      expect(await store.write('directory.open-stream', { stream })).toMatchObject({ cursor: 50 });
    });

    test('a stream ends for everybody: logged off, locked, deleted, or not used for too long', async () => {
      const { store, journal } = await at.open();
      await store.write('directory.add-user', userNamed('alice', alice));
      await store.write('directory.add-user', userNamed('bob', bob));
      const head = await journal.head();
      const open = (id: string, user = alice, openedAt = 5) =>
        store.write('directory.open-stream', { stream: { id, user, resource: id, openedAt } });
      await open('one');
      await store.write('directory.close-stream', { id: 'one', cursor: 7, reason: 'logoff' });
      await store.write('directory.close-stream', { id: 'one', cursor: 7, reason: 'logoff' });
      await open('two');
      await store.write('directory.change-user', { id: alice, change: { isLocked: true } });
      await store.write('directory.change-user', { id: alice, change: { isLocked: false } });
      await open('three');
      await open('four', bob);
      await open('four again', bob, 50);
      await store.write('directory.use-streams', { ids: ['three'], at: 40 });
      await store.write('directory.use-streams', { ids: ['three'], at: 30 });
      expect(await store.write('directory.end-idle-streams', { before: 40, limit: 9 })).toBe(0);
      expect(await store.write('directory.end-idle-streams', { before: 51, limit: 1 })).toBe(1);
      expect(await store.read('directory.stream', { by: 'id', id: 'three' })).toBeNull();
      await store.write('directory.remove-user', { id: bob });
      const { entries } = await journal.range({ streams: [directoryStream], after: head, until: 99, limit: 99 });
      const ends = entries.flatMap(({ event }) =>
        event.kind === 'stream-ended' ? [`${event.stream} ${event.reason}`] : [],
      );
      expect(ends).toEqual(['one logoff', 'two locked', 'three idle', 'four locked']);
    });

    test('stated presence: one item a contact, the newest first, an entry each time', async () => {
      const { store, journal } = await at.open();
      await store.write('directory.add-user', userNamed('alice', alice));
      const head = await journal.head();
      const tel = { contact: 'tel:', activity: 'busy', note: 'x', at: 1 } as const;
      const im = { contact: 'im:', activity: '', note: '', at: 2 } as const;
      await store.write('presence.state', { user: alice, stated: tel });
      await store.write('presence.state', { user: alice, stated: im });
      expect(await store.read('presence.stated', { user: alice })).toEqual([im, tel]);
      const away = { ...tel, activity: 'away', note: 'lunch', at: 3 };
      await store.write('presence.state', { user: alice, stated: away });
      expect(await store.read('presence.stated', { user: alice })).toEqual([away, im]);
      expect(await store.read('presence.stated', { user: bob })).toEqual([]);
      const { entries } = await journal.range({ streams: [directoryStream], after: head, until: 99, limit: 9 });
      expect(entries.map(({ event }) => event)).toEqual(Array(3).fill({ kind: 'presence-stated', user: alice }));
    });
  });
}
