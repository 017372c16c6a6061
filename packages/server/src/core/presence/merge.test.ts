import { expect, test } from 'vitest';
import type { UserId } from '../journal/index.ts';
import { mergePresence } from './merge.ts';
import type { SessionPresence, Show, StatedPresence } from './model.ts';

const user = '0123' as UserId;
const session = (show: Show, at = 1, status = ''): SessionPresence => ({ show, status, at, isThere: true });
const said = (activity: string, at = 1, note = ''): StatedPresence => ({ contact: 'tel:', activity, note, at });

const rows: readonly [string, readonly SessionPresence[], readonly StatedPresence[], boolean, Show, string][] = [
  ['nobody is there', [], [], false, 'offline', ''],
  ['one session', [session('available', 1, 'here')], [], false, 'available', 'here'],
  ['the best session', [session('away'), session('chat'), session('xa')], [], false, 'chat', ''],
  ['among equals the newest', [session('away', 1, 'old'), session('away', 2, 'new')], [], false, 'away', 'new'],
  ['stated dnd outranks sessions', [session('chat')], [said('dnd', 1, 'quiet')], false, 'dnd', 'quiet'],
  ['busy counts as dnd', [session('chat')], [said('busy')], false, 'dnd', ''],
  ['dnd before away', [session('chat')], [said('away', 9), said('dnd', 1)], false, 'dnd', ''],
  ['vacation is xa', [session('available')], [said('vacation')], false, 'xa', ''],
  ['on the phone before all', [session('chat')], [said('away')], true, 'dnd', ''],
  ['nobody there, whatever was stated', [], [said('dnd', 1, 'quiet')], false, 'offline', ''],
  [
    'a note without activity is the status',
    [session('available')],
    [said('', 1, 'home office')],
    false,
    'available',
    'home office',
  ],
];
test.each(rows)('%s', (_name, sessions, stated, isOnPhone, show, status) => {
  const map = new Map(sessions.map((s, i) => [`s-${i}`, s]));
  expect(mergePresence({ user, sessions: map, stated, isOnPhone })).toMatchObject({ show, status, isOnPhone });
});
