import { expect, test } from 'vitest';
import * as conversations from './conversations.ts';
import type { Message } from './model.ts';

const { accepted, conversationWith, received, written } = conversations;

function message(id: string, more: Partial<Message> = {}): Message {
  const base = { peer: 'bob', isOwn: false, text: `text ${id}`, html: null, attach: [], at: 0 };
  return { key: id, id, ...base, delivery: 'sent', problem: null, ...more };
}

function draft(key: string, text: string): Message {
  return message('', { key, id: null, isOwn: true, text, delivery: 'sending' });
}

const keys = (all: conversations.Conversations, peer = 'bob'): readonly string[] =>
  conversationWith(all, peer).messages.map(({ key }) => key);

test.each([
  { what: 'in order', ids: ['01', '02', '03'] },
  { what: 'late ones', ids: ['03', '01', '02'] },
  { what: 'repeats', ids: ['01', '02', '01', '03', '02', '03'] },
])('messages by event end up sorted, each once: $what', ({ ids }) => {
  const all = ids.reduce((state, id) => received(state, message(id), false), {});
  expect(keys(all)).toEqual(['01', '02', '03']);
});

test.each([
  { what: 'unseen', seen: false, isOwn: false, unread: ['01'] },
  { what: 'looked at', seen: true, isOwn: false, unread: [] },
  { what: 'own, from another session', seen: false, isOwn: true, unread: [] },
])('what is unread: $what', ({ seen, isOwn, unread }) => {
  const all = received({}, message('01', { isOwn }), seen);
  expect(conversationWith(all, 'bob').unread).toEqual(unread);
});

test('a repeat is not unread twice, nor again after it was seen', () => {
  const once = received(received({}, message('01'), false), message('01'), false);
  expect(conversationWith(once, 'bob').unread).toEqual(['01']);
  const again = received(conversations.seen(once, 'bob'), message('01'), false);
  expect(conversationWith(again, 'bob').unread).toEqual([]);
});

test('an answer from another session has read what was there', () => {
  const all = received(received({}, message('01'), false), message('02', { isOwn: true }), false);
  expect(conversationWith(all, 'bob').unread).toEqual([]);
});

test('what waits stands last, in the order it was written, until it has its id', () => {
  let all = written(written({}, draft('k1', 'one')), draft('k2', 'two'));
  all = received(all, message('09'), false);
  expect(keys(all)).toEqual(['09', 'k1', 'k2']);
  all = accepted(all, { peer: 'bob', key: 'k1', id: '10' });
  expect(keys(all)).toEqual(['09', '10', 'k2']);
  expect(conversationWith(all, 'bob').messages[1]).toMatchObject({ id: '10', delivery: 'sent', text: 'one' });
});

test.each([
  { what: 'the answer first', order: ['answer', 'event'] },
  { what: 'the event first', order: ['event', 'answer'] },
  { what: 'the event twice', order: ['event', 'answer', 'event'] },
])('a sent message shows once: $what', ({ order }) => {
  const steps: Record<string, (all: conversations.Conversations) => conversations.Conversations> = {
    answer: (all) => accepted(all, { peer: 'bob', key: 'k1', id: '05' }),
    event: (all) => received(all, message('05', { isOwn: true, text: 'hello' }), true),
  };
  const all = order.reduce((state, step) => steps[step]!(state), written({}, draft('k1', 'hello')));
  expect(keys(all)).toEqual(['05']);
});

test('two equal texts stay two messages', () => {
  let all = written(written({}, draft('k1', 'same')), draft('k2', 'same'));
  all = received(all, message('01', { isOwn: true, text: 'same' }), true);
  expect(keys(all)).toEqual(['01', 'k2']);
  all = accepted(all, { peer: 'bob', key: 'k1', id: '01' });
  all = accepted(all, { peer: 'bob', key: 'k2', id: '02' });
  expect(keys(all)).toEqual(['01', '02']);
});

test('failed, tried again, discarded', () => {
  const of = { peer: 'bob', key: 'k1' };
  const failed = conversations.deliveryChanged(written({}, draft('k1', 'x')), of, {
    delivery: 'failed',
    problem: 'no',
  });
  expect(conversationWith(failed, 'bob').messages).toMatchObject([{ delivery: 'failed', problem: 'no' }]);
  const again = conversations.deliveryChanged(failed, of, { delivery: 'sending', problem: null });
  expect(conversationWith(again, 'bob').messages).toMatchObject([{ delivery: 'sending', problem: null }]);
  expect(keys(conversations.discarded(again, of))).toEqual([]);
});

test('pages of the past join what events brought', () => {
  let all = received({}, message('05'), true);
  all = conversations.pageLoaded(all, { peer: 'bob', messages: [message('04'), message('05')], hasEarlier: true });
  all = conversations.pageLoaded(all, { peer: 'bob', messages: [message('01')], hasEarlier: false });
  expect(keys(all)).toEqual(['01', '04', '05']);
  expect(conversationWith(all, 'bob')).toMatchObject({ isLoaded: true, hasEarlier: false });
});

test('an overview fills several conversations and marks none as loaded', () => {
  const all = conversations.overviewLoaded({}, [message('01'), message('02', { peer: 'carol' })]);
  expect([keys(all), keys(all, 'carol')]).toEqual([['01'], ['02']]);
  expect(conversationWith(all, 'carol').isLoaded).toBe(false);
});

test('after a reset only what waits to be sent is kept', () => {
  const all = conversations.forgotten(written(received({}, message('01'), true), draft('k1', 'x')));
  expect(keys(all)).toEqual(['k1']);
  expect(conversationWith(all, 'bob').isLoaded).toBe(false);
});

test('a message ends the typing of its sender only', () => {
  const typing = conversations.typingChanged({}, 'bob', true);
  expect(conversationWith(received(typing, message('01'), true), 'bob').isTyping).toBe(false);
  expect(conversationWith(received(typing, message('01', { isOwn: true }), true), 'bob').isTyping).toBe(true);
});

test('unread messages survive a reload', () => {
  const all = received({}, message('01'), false);
  const back = conversations.unreadRestored({}, conversations.unreadOf(all));
  expect(conversationWith(received(back, message('01'), false), 'bob').unread).toEqual(['01']);
});

test('a conversation holds no more than its bound', () => {
  let all: conversations.Conversations = {};
  for (let i = 0; i < conversations.MAX_MESSAGES + 5; i++)
    all = received(all, message(String(i).padStart(6, '0')), true);
  expect(conversationWith(all, 'bob').messages).toHaveLength(conversations.MAX_MESSAGES);
  expect(conversationWith(all, 'bob').messages[0]?.id).toBe('000005');
});
