import { expect, test } from 'vitest';
import type { Contact } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import type { Presence } from '../../../core/presence/index.ts';
import { Problem } from '../../../kit/index.ts';
import { MAX_CONTACTS } from '../limits.ts';
import { ContactWatch, type ContactWatchParts } from './contact-watch.ts';

const alice = 'alice' as UserId;

function contact(name: string, subscription: Contact['subscription'] = 3): Contact {
  return { owner: alice, contact: name as UserId, nickname: name, groups: [], subscription };
}

/** A directory and a presence that the test plays. */
function fixture(contacts: readonly Contact[]) {
  const watchers = new Map<string, (presence: Presence) => void>();
  const told: string[] = [];
  const failures: unknown[] = [];
  const state = { contacts, isBroken: false, reads: 0 };
  const parts: ContactWatchParts = {
    directory: {
      async contacts() {
        state.reads++;
        if (state.isBroken) throw new Error('away');
        return state.contacts;
      },
      party: async ({ value }) => (value === 'gone' ? null : { name: `name of ${value}` }) as never,
    },
    presence: {
      async watch(_actor, user, tell) {
        if (user === 'famous') throw new Problem('too-many-watchers', 'Too many watch this user.', { retry: true });
        watchers.set(user, tell);
        return () => void watchers.delete(user);
      },
    },
    failed: (error) => void failures.push(error),
  };
  const watch = new ContactWatch(parts, {
    user: alice,
    presence: (presence, name) => void told.push(`${name} ${presence.show}`),
  });
  return { watch, watchers, told, failures, state };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('those are watched whom the user sees (OF §5.3: 1 and 3)', async () => {
  const { watch, watchers, told } = fixture([
    contact('none', 0),
    contact('to', 1),
    contact('from', 2),
    contact('both', 3),
    contact('gone', 3),
  ]);
  await settle();
  expect([...watchers.keys()]).toEqual(['to', 'both']);
  watchers.get('to')?.({ show: 'away' } as Presence);
  expect(told).toEqual(['name of to away']);
  watch.close();
});

test('the list is followed: also when it changes while it is read', async () => {
  const { watch, watchers, state } = fixture([contact('a'), contact('b')]);
  state.contacts = [contact('b'), contact('c')];
  watch.refresh();
  watch.refresh();
  await settle();
  expect([...watchers.keys()].toSorted()).toEqual(['b', 'c']);
  expect(state.reads).toBe(2);
  state.contacts = [];
  watch.refresh();
  await settle();
  expect([watchers.size, watch.size]).toEqual([0, 0]);
});

test('nothing is left after closing, also where a watch was still beginning', async () => {
  const standing = fixture([contact('a'), contact('b')]);
  await settle();
  standing.watch.close();
  const beginning = fixture([contact('a'), contact('b')]);
  await Promise.resolve();
  await Promise.resolve();
  beginning.watch.close();
  await settle();
  expect([standing.watchers.size, beginning.watchers.size]).toEqual([0, 0]);
});

test('a directory that is away is reported, and read again at the next change', async () => {
  const { watch, watchers, failures, state } = fixture([contact('a')]);
  state.isBroken = true;
  watch.refresh();
  await settle();
  expect(failures).toHaveLength(1);
  state.isBroken = false;
  watch.refresh();
  await settle();
  expect(watchers.size).toBe(1);
  watch.close();
});

test('somebody whom too many watch is left out', async () => {
  const { watch, watchers, failures } = fixture([contact('a'), contact('famous'), contact('b')]);
  await settle();
  expect([[...watchers.keys()], failures.length]).toEqual([['a', 'b'], 1]);
  watch.close();
});

test('a list is watched up to its bound', async () => {
  const { watch } = fixture(Array.from({ length: MAX_CONTACTS + 5 }, (_, i) => contact(`c${i}`)));
  await settle();
  await settle();
  expect(watch.size).toBe(MAX_CONTACTS);
  watch.close();
});
