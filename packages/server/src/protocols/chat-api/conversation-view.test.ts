import { expect, test } from 'vitest';
import { directConversation, type Message } from '../../core/conversations/index.ts';
import type { MessageId, UserId } from '../../core/journal/index.ts';
import { conversationsOf, cutIntoTalks } from './conversation-view.ts';
import { Names } from './names.ts';

const MINUTE = 60_000;
const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(32) as UserId) as [UserId, UserId, UserId];

function message(minute: number, from: UserId = a, to: UserId = b, more: Partial<Message> = {}): Message {
  const at = Date.UTC(2026, 0, 1) + minute * MINUTE;
  return {
    id: `m${minute}${from.slice(0, 1)}${to.slice(0, 1)}` as MessageId,
    conversation: directConversation(from, to),
    seq: 1,
    sender: from,
    resource: 'r',
    recipient: to,
    at,
    type: 'text/plain',
    body: `at ${minute}`,
    attach: [],
    data: null,
    ...more,
  };
}

test.each([
  ['one silence of ten minutes', [0, 10, 20], [[0, 10, 20]]],
  ['a longer one', [0, 10, 21], [[0, 10], [21]]],
  ['never longer than an hour', [0, 10, 20, 30, 40, 50, 60, 61], [[0, 10, 20, 30, 40, 50, 60], [61]]],
  ['nothing', [], []],
])('OF §5.5, conversations: %s', (_name, minutes, talks) => {
  const cut = cutIntoTalks(minutes.map((minute) => message(minute)));
  expect(cut.map((talk) => talk.map(({ body }) => Number(body.slice(3))))).toEqual(talks);
});

test('talks with several people run beside each other', () => {
  const cut = cutIntoTalks([message(0), message(1, a, c), message(2, b, a), message(3, c, a)]);
  expect(cut.map((talk) => talk.length)).toEqual([2, 2]);
});

test('what is shown of a message', async () => {
  const names = new Names({ party: async ({ value }) => ({ name: `user-${value.slice(0, 1)}` }) as never });
  const html = message(0, a, b, { type: 'text/html', body: '<b>x</b> &amp; y', data: { n: 1 } });
  const [talk] = await conversationsOf([message(5, b, a), html], { names, domain: 'example.test' });
  expect(talk).toMatchObject({
    external: false,
    messageCount: 2,
    startDate: '2026-01-01T00:00:00.000Z',
    lastActivity: '2026-01-01T00:05:00.000Z',
    participantList: ['user-a@example.test/r', 'user-b@example.test', 'user-b@example.test/r', 'user-a@example.test'],
  });
  expect(talk?.messages.message[0]).toMatchObject({
    conversationID: talk?.conversationID,
    from: 'user-a@example.test/r',
    to: 'user-b@example.test',
    body: 'x & y',
    html: '<b>x</b> &amp; y',
    data: { n: 1, body: 'x & y' },
    roomEvent: false,
  });
});
