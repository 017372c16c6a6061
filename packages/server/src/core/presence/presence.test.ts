import { expect, test } from 'vitest';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { ManualClock, randomIds } from '../../kit/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import { MAX_STATUS, type Presence, type StatedPresence } from './model.ts';
import { createPresence, MAX_ACTIVITY, MAX_WATCHERS } from './service.ts';

const bob = 'bob' as UserId;
const alice: Actor = { kind: 'user', user: 'alice' as UserId, admin: false };
const server: Actor = { kind: 'server' };

/** A store whose reads the test ends. */
function presenceWith(read: () => Promise<readonly StatedPresence[]>): ReturnType<typeof createPresence> {
  const store = {
    write: () => Promise.resolve(null),
    read: read as () => Promise<never>,
  };
  const clock = new ManualClock();
  return createPresence({ store, peers: new MemoryNetwork(clock, randomIds).join(), clock });
}

test('a watch that could not begin leaves no watcher behind', async () => {
  let isAway = true;
  const presence = presenceWith(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve([])));
  const told: Presence[] = [];
  await expect(presence.watch(alice, bob, (now) => told.push(now))).rejects.toThrow('away');
  isAway = false;
  presence.lease(bob, 'r').set('available', '');
  await presence.now(bob);
  expect(told).toEqual([]);
});

test('who stops watching twice does not make others miss what comes', async () => {
  const presence = presenceWith(() => Promise.resolve([]));
  const stop = await presence.watch(alice, bob, () => undefined);
  stop();
  const told: boolean[] = [];
  await presence.watch(alice, bob, (now) => told.push(now.isOnline));
  stop();
  presence.lease(bob, 'r').set('available', '');
  expect(told).toEqual([false, true]);
});

test('what is stated while the store is slow is not lost', async () => {
  const { promise: stated, resolve } = Promise.withResolvers<readonly StatedPresence[]>();
  const presence = presenceWith(() => stated);
  const told: Presence[] = [];
  const watching = presence.watch(alice, bob, (now) => told.push(now));
  const stating = presence.state(server, bob, { contact: 'tel:', activity: 'away', note: 'lunch' });
  resolve([{ contact: 'tel:', activity: '', note: 'before', at: 0 }]);
  await Promise.all([watching, stating]);
  expect(told.at(-1)?.stated).toMatchObject([{ contact: 'tel:', activity: 'away', note: 'lunch' }]);
});

test('watchers of one user', async () => {
  const presence = presenceWith(() => Promise.resolve([]));
  for (let i = 0; i < MAX_WATCHERS; i++) await presence.watch(alice, bob, () => undefined);
  await expect(presence.watch(alice, bob, () => undefined)).rejects.toMatchObject({ code: 'too-many-watchers' });
});

test('what is said of oneself: a status is cut, a note and an activity are refused', async () => {
  const presence = presenceWith(() => Promise.resolve([]));
  presence.lease(bob, 'r').set('away', 'x'.repeat(MAX_STATUS + 1));
  expect((await presence.now(bob)).status).toHaveLength(MAX_STATUS);
  const stated = { contact: 'tel:', activity: '', note: '' } as const;
  for (const more of [{ note: 'x'.repeat(MAX_STATUS + 1) }, { activity: 'x'.repeat(MAX_ACTIVITY + 1) }])
    await expect(presence.state(server, bob, { ...stated, ...more })).rejects.toMatchObject({ code: 'too-large' });
});
