import { expect, test } from 'vitest';
import { callOf, contactsOf, messageOf, messagesOf, nameOf, presenceOf, usersOf } from './wire.ts';

test.each([
  ['alice@example.test/alice-x1', 'alice'],
  ['bob@example.test', 'bob'],
  ['Carol', 'carol'],
  [undefined, ''],
  [7, ''],
])('the name in %j', (jid, name) => {
  expect(nameOf(jid)).toBe(name);
});

test('a message by event', () => {
  const event = {
    type: 'chat',
    from: 'bob@example.test/x',
    to: 'alice@example.test',
    body: 'hi',
    id: '01',
    data: {},
    timestamp: '2026-01-02T03:04:05.000Z',
    html: '<b>hi</b>',
    attach: ['https://x/y', 3],
  };
  expect(messageOf(event, 'alice')).toEqual({
    key: '01',
    id: '01',
    peer: 'bob',
    isOwn: false,
    text: 'hi',
    html: '<b>hi</b>',
    attach: ['https://x/y'],
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    delivery: 'sent',
    problem: null,
  });
});

test.each([null, 'x', [], {}, { id: '01' }, { from: 'bob@x', body: 'x' }])('no message: %j', (value) => {
  expect(messageOf(value, 'alice')).toBeNull();
});

test('the history, own messages by their receiver', () => {
  const message = (id: string, from: string, to: string) => ({
    id,
    from,
    to,
    sentDate: '2026-01-01T00:00:00Z',
    body: id,
  });
  const answer = {
    conversation: [
      { messages: { message: [message('01', 'alice@x/r', 'bob@x'), message('02', 'bob@x/r', 'alice@x')] } },
      { messages: { message: [message('03', 'carol@x', 'alice@x')] } },
      { messages: null },
    ],
  };
  const read = messagesOf(answer, 'alice').map(({ id, peer, isOwn }) => [id, peer, isOwn]);
  expect(read).toEqual([
    ['01', 'bob', true],
    ['02', 'bob', false],
    ['03', 'carol', false],
  ]);
  expect(messagesOf('rubbish', 'alice')).toEqual([]);
});

test.each([
  [
    { call_id: 'c', state: 'RINGING', direction: 'inbound', source: '202', destination: '201', name: 'UNKNOWN' },
    '202',
    null,
  ],
  [
    { call_id: 'c', state: 'ACTIVE', direction: 'outbound', source: '201', destination: '202', name: 'Bob' },
    '202',
    'Bob',
  ],
])('the far end of a call', (event, number, name) => {
  expect(callOf(event)).toMatchObject({ id: 'c', number, name });
});

test.each([null, {}, { call_id: 'c', state: 'DANCING' }])('no call: %j', (value) => {
  expect(callOf(value)).toBeNull();
});

test('presence, people and contacts, whatever is missing', () => {
  expect(presenceOf({ show: 'dancing' })).toEqual({ show: 'offline', status: '', isOnPhone: false });
  expect(presenceOf({ show: 'dnd', status: 'x', onPhone: true })).toEqual({
    show: 'dnd',
    status: 'x',
    isOnPhone: true,
  });
  expect(usersOf({ user: [{ username: 'bob', name: '', number: '' }, {}] })).toEqual([
    { name: 'bob', displayName: 'bob', number: null },
  ]);
  expect(contactsOf({ rosterItem: [{ jid: 'bob@x', show: 'unavailable' }, 7] })).toEqual([
    { name: 'bob', presence: { show: 'offline', status: '', isOnPhone: false } },
  ]);
});
