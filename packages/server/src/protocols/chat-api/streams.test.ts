import { expect, test } from 'vitest';
import type { ChatStream, User } from '../../core/directory/index.ts';
import type { NodeId } from '../../core/index.ts';
import type { UserId } from '../../core/journal/index.ts';
import { ManualClock, Problem } from '../../kit/index.ts';
import { DEFAULT_CHAT_API_LIMITS } from './limits.ts';
import { Streams } from './streams.ts';
import type { EventReader } from './stream.ts';

const HOUR = 3_600_000;
const alice = { id: 'a'.repeat(32) as UserId, name: 'alice', isLocked: false } as User;

function fixture() {
  const clock = new ManualClock();
  const rows = new Map<UserId, { stream: ChatStream; cursor: number }>();
  const cursors = new Map<UserId, number>();
  const shown: string[] = [];
  let said = 'available';
  let sweeper = 'here';
  const used = new Map<string, number>();
  const ended: string[] = [];
  const units: number[] = [];
  const troubles: string[] = [];
  let account: User | null = alice;
  let isStoreUp = true;
  let made = 0;
  const demandStore = (): void => {
    if (!isStoreUp) throw new Problem('store-unavailable', 'away', { retry: true });
  };
  const streams = new Streams({
    clock,
    limits: DEFAULT_CHAT_API_LIMITS,
    observer: { trouble: (what) => void troubles.push(what) },
    presence: {
      lease: () => ({
        set: (show, status) => void shown.push((said = status === '' ? show : `${show} ${status}`)),
        resume: () => shown.at(-1) === said || shown.push(said),
        suspend: () => shown.push('offline'),
        end: (how) => void shown.push(how),
      }),
    },
    cluster: { membership: { self: 'here' as NodeId, holderOf: () => sweeper as NodeId, seek: () => () => undefined } },
    directory: {
      async useStreams(ids, at) {
        demandStore();
        units.push(ids.length);
        for (const id of ids) used.set(id, at);
      },
      async endIdleStreams(before) {
        for (const [user, { stream }] of rows)
          if ((used.get(stream.id) ?? stream.openedAt) < before) {
            rows.delete(user);
            ended.push(stream.id);
          }
        return 0;
      },
      async openStream(user) {
        demandStore();
        const known = rows.get(user.id);
        if (known !== undefined) return { ...known, isNew: false };
        const stream = { id: `ofchat-${++made}`, user: user.id, resource: `alice-${made}`, openedAt: clock.now() };
        const row = { stream, cursor: cursors.get(user.id) ?? 0 };
        rows.set(user.id, row);
        return { ...row, isNew: true };
      },
      async stream(key) {
        const found = [...rows.values()].find(({ stream }) =>
          key.by === 'id' ? stream.id === key.id : stream.user === key.user,
        );
        return found ?? null;
      },
      async closeStream(id, cursor) {
        demandStore();
        for (const [user, { stream }] of rows) {
          if (stream.id !== id) continue;
          rows.delete(user);
          cursors.set(user, cursor);
        }
      },
      async moveCursors(moves) {
        demandStore();
        for (const { user, cursor } of moves) cursors.set(user, cursor);
      },
      userById: async () => account,
    },
  });
  return {
    clock,
    streams,
    rows,
    cursors,
    shown,
    troubles,
    used,
    ended,
    units,
    setSweeper: (node: string) => void (sweeper = node),
    setAccount: (user: User | null) => void (account = user),
    setStore: (isUp: boolean) => void (isStoreUp = isUp),
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

function reader(): EventReader & { readonly ends: string[] } {
  const ends: string[] = [];
  return {
    ends,
    end: (reason) => void ends.push(reason),
    contactsChanged: () => undefined,
    numberChanged: () => undefined,
  };
}

test('a second login gets the same stream; looking it up too', async () => {
  const { streams, shown } = fixture();
  const first = await streams.open(alice);
  expect(await streams.open(alice)).toBe(first);
  expect(await streams.byId(first.id)).toBe(first);
  expect(await streams.ofUser(alice.id)).toBe(first);
  expect(await streams.byId('ofchat-none')).toBeNull();
  expect(shown).toEqual(['available']);
});

test('a login before the news that another node has ended the stream: the old one ends with that news, the new one stays', async () => {
  const { streams, rows, shown } = fixture();
  const old = await streams.open(alice);
  const [oldReader, newReader] = [reader(), reader()];
  old.readers.add(oldReader);
  rows.delete(alice.id);
  const fresh = await streams.open(alice);
  fresh.readers.add(newReader);
  expect(fresh).not.toBe(old);
  await streams.ended({ kind: 'stream-ended', stream: old.id, reason: 'logoff' });
  expect([oldReader.ends, newReader.ends]).toEqual([['logoff'], []]);
  expect(shown.filter((what) => what === 'over')).toHaveLength(1);
  expect([await streams.byId(old.id), await streams.byId(fresh.id), streams.known(alice.id)]).toEqual([
    null,
    fresh,
    fresh,
  ]);
});

test('design §5: 60 s without anything is offline, a request brings the presence back', async () => {
  const { streams, clock, shown } = fixture();
  const live = await streams.open(alice);
  live.setPresence('away', 'Lunch');
  clock.advance(59_000);
  expect(shown.at(-1)).toBe('away Lunch');
  clock.advance(16_000);
  expect(shown.at(-1)).toBe('offline');
  live.used(clock.now());
  expect(shown.at(-1)).toBe('away Lunch');
});

test('with an event stream nobody is offline, and the stream does not end', async () => {
  const { streams, clock, shown } = fixture();
  const live = await streams.open(alice);
  const own = reader();
  live.readers.add(own);
  clock.advance(30 * HOUR);
  expect([shown, own.ends, streams.size]).toEqual([['available'], [], 1]);
  live.readers.delete(own);
  clock.advance(76_000);
  expect(shown.at(-1)).toBe('offline');
});

/** Hours pass, and what falls due in them is done. */
async function pass(clock: ManualClock, hours: number): Promise<void> {
  for (let i = 0; i < hours * 10; i++) {
    clock.advance(HOUR / 10);
    await settle();
  }
}

test('design §5: 24 h without anything end it', async () => {
  const { streams, clock, rows, ended } = fixture();
  const live = await streams.open(alice);
  const own = reader();
  live.readers.add(own);
  await pass(clock, 30);
  live.readers.delete(own);
  await pass(clock, 23.9);
  expect([streams.size, rows.size]).toEqual([1, 1]);
  await pass(clock, 0.5);
  expect([rows.size, ended]).toEqual([0, [live.id]]);
});

test('one node ends streams that nobody uses, also those that it has never met', async () => {
  const { streams, clock, rows, ended, setSweeper } = fixture();
  const row = { id: 'ofchat-left', user: alice.id, resource: 'alice-9', openedAt: clock.now() };
  rows.set(alice.id, { stream: row, cursor: 0 });
  setSweeper('elsewhere');
  await pass(clock, 25);
  expect([streams.size, ended]).toEqual([0, []]);
  setSweeper('here');
  await pass(clock, 0.2);
  expect(ended).toEqual(['ofchat-left']);
});

test('a use is written down once in a while, again where the store did not take it', async () => {
  const { streams, clock, used, setStore, troubles } = fixture();
  const live = await streams.open(alice);
  clock.advance(DEFAULT_CHAT_API_LIMITS.noteUseMs);
  await settle();
  const first = used.get(live.id)!;
  expect(first).toBe(clock.now());
  await pass(clock, 1);
  expect(used.get(live.id)).toBe(first);
  live.used(clock.now());
  setStore(false);
  await pass(clock, 0.2);
  setStore(true);
  await pass(clock, 0.2);
  expect([used.get(live.id)! > first, troubles.length > 0]).toEqual([true, true]);
});

test('of very many streams the use is written down in units that are not too long', async () => {
  const { streams, clock, units } = fixture();
  for (let i = 0; i < 1_100; i++) {
    const id = String(i).padStart(32, '0') as UserId;
    await streams.open({ ...alice, id });
  }
  clock.advance(DEFAULT_CHAT_API_LIMITS.noteUseMs);
  await settle();
  expect(units).toEqual([500, 500, 100]);
});

test('a stream that another node ends is ended here, and what was told stays told', async () => {
  const { streams, cursors } = fixture();
  const live = await streams.open(alice);
  const own = reader();
  live.readers.add(own);
  live.told(9);
  await streams.ended({ kind: 'stream-ended', stream: live.id, reason: 'logoff' });
  expect([own.ends, streams.size, cursors.get(alice.id)]).toEqual([['logoff'], 0, 9]);
  expect(await streams.byId(live.id)).toBeNull();
});

test('who comes back without a position goes on where other nodes have told him', async () => {
  const { streams, rows } = fixture();
  const live = await streams.open(alice);
  live.told(5);
  rows.get(alice.id)!.cursor = 8;
  expect([await streams.catchUp(live), live.cursor, live.unsaved]).toEqual([true, 8, null]);
  rows.delete(alice.id);
  expect(await streams.catchUp(live)).toBe(false);
});

test('positions are written down now and then, tried again, and never go back', async () => {
  const { streams, clock, cursors, troubles, setStore } = fixture();
  const live = await streams.open(alice);
  live.told(7);
  live.told(5);
  setStore(false);
  clock.advance(2_000);
  await settle();
  expect([cursors.size, troubles.length]).toEqual([0, 1]);
  setStore(true);
  clock.advance(2_000);
  await settle();
  expect([cursors.get(alice.id), live.unsaved]).toEqual([7, null]);
});

test('the node stops: positions are written, rows stay, no timer is left', async () => {
  const { streams, clock, cursors, rows, shown } = fixture();
  (await streams.open(alice)).told(9);
  await streams.close();
  await streams.close();
  expect([cursors.get(alice.id), rows.size, clock.pending, shown.at(-1)]).toEqual([9, 1, 0, 'broken']);
});

test('ending: the readers hear of it when nobody finds the stream any more', async () => {
  const { streams } = fixture();
  const live = await streams.open(alice);
  const own = reader();
  live.readers.add(own);
  const ending = streams.end(live, 'logoff');
  expect([await streams.byId(live.id), await streams.ofUser(alice.id)]).toEqual([null, null]);
  await ending;
  expect(own.ends).toEqual(['logoff']);
  expect((await streams.open(alice)).id).not.toBe(live.id);
});

test('a login while the stream is being ended gets a new one', async () => {
  const { streams } = fixture();
  const live = await streams.open(alice);
  const again = streams.open(alice);
  const ending = streams.end(live, 'logoff');
  await ending;
  const fresh = await again;
  expect(fresh.id).not.toBe(live.id);
  expect(await streams.byId(fresh.id)).toBe(fresh);
});

test('an end that the store does not take can be tried again', async () => {
  const { streams, setStore } = fixture();
  const live = await streams.open(alice);
  setStore(false);
  await expect(streams.end(live, 'logoff')).rejects.toThrow('away');
  setStore(true);
  const still = await streams.byId(live.id);
  expect(still?.id).toBe(live.id);
  await streams.end(still!, 'logoff');
  expect(await streams.byId(live.id)).toBeNull();
});

test('an account that has changed goes by its new name; one that is gone is ended by the store', async () => {
  const { streams, setAccount } = fixture();
  const live = await streams.open(alice);
  setAccount({ ...alice, displayName: 'Alice A.' });
  await streams.accountChanged(alice.id);
  expect(live.user.displayName).toBe('Alice A.');
  setAccount(null);
  await streams.accountChanged(alice.id);
  await streams.ended({ kind: 'stream-ended', stream: live.id, reason: 'locked' });
  expect(await streams.byId(live.id)).toBeNull();
});
