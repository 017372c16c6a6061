import { expect, test } from 'vitest';
import type { Conversation, Message } from './model.ts';
import { contactsLoaded, directoryLoaded, personAt, presenceTold, rowsOf, type People } from './people.ts';

const people: People = directoryLoaded({}, [
  { name: 'alice', displayName: 'Alice Adams', number: '201' },
  { name: 'bob', displayName: 'Bob Brown', number: '202' },
  { name: 'carol', displayName: 'Carol Cox', number: '203' },
  { name: 'dora', displayName: 'Dora Dunn', number: null },
]);

function conversation(at: number, text: string): Conversation {
  const message: Message = {
    key: 'k',
    id: 'k',
    peer: 'x',
    isOwn: true,
    text,
    html: null,
    attach: [],
    at,
    delivery: 'sent',
    problem: null,
  };
  return { messages: [message], unread: ['a', 'b'], isLoaded: true, hasEarlier: false, isTyping: false };
}

const names = (search = '', talks = {}): readonly string[] =>
  rowsOf(contactsLoaded(people, ['dora']), talks, { me: 'alice', search }).map(({ person }) => person.name);

test('people in the list: who was written with last, contacts, the others; never oneself', () => {
  expect(names()).toEqual(['dora', 'bob', 'carol']);
  expect(names('', { carol: conversation(5, 'hi'), bob: conversation(9, 'hi') })).toEqual(['bob', 'carol', 'dora']);
});

test.each([
  ['CAR', ['carol']],
  ['202', ['bob']],
  ['dunn', ['dora']],
  ['nobody', []],
])('found by %s', (search, found) => {
  expect(names(search)).toEqual(found);
});

test('a row tells the last message and how many are unread', () => {
  const [row] = rowsOf(people, { bob: conversation(9, 'see you') }, { me: 'alice', search: '' });
  expect(row).toMatchObject({ unread: 2, lastAt: 9, lastText: 'You: see you' });
});

test('somebody who writes and is not in the directory is listed by name', () => {
  expect(names('', { zoe: conversation(1, 'x') })).toContain('zoe');
});

test('presence stays when the directory and the contacts are loaded after it', () => {
  const told = presenceTold({}, 'bob', { show: 'away', status: 'Lunch', isOnPhone: false });
  const loaded = contactsLoaded(directoryLoaded(told, [{ name: 'bob', displayName: 'Bob Brown', number: '202' }]), [
    'bob',
  ]);
  expect(loaded['bob']).toMatchObject({ show: 'away', status: 'Lunch', displayName: 'Bob Brown', isContact: true });
  expect(contactsLoaded(loaded, [])['bob']).toMatchObject({ isContact: false, show: 'away' });
});

test('a number leads to its person; no number to nobody', () => {
  expect(personAt(people, '203')?.name).toBe('carol');
  expect(personAt(people, '')).toBeUndefined();
});
