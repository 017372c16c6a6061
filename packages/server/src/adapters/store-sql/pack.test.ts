import { expect, test } from 'vitest';
import { directConversation, type Message } from '../../core/conversations/index.ts';
import type { MessageId, UserId } from '../../core/journal/index.ts';
import { packAsk, type PackedAsk, type PackedReply, packReply, unpackAsk, unpackReply } from './pack.ts';
import { type AppendUnit, type Outcome, type Unit, unitOf, type WriterAsk, type WriterReply } from './wire.ts';

const [alice, bob] = ['alice', 'bob'] as UserId[] as [UserId, UserId];

function append(input: Partial<AppendUnit['input']>, message: Partial<Message> = {}): Unit {
  return unitOf('conversations.append', {
    message: {
      id: 'm1' as MessageId,
      conversation: directConversation(alice, bob),
      sender: alice,
      resource: '',
      recipient: bob,
      at: 5,
      type: 'text/plain',
      body: '',
      attach: [],
      data: null,
      ...message,
    },
    tell: [],
    keepFor: [],
    idem: null,
    ...input,
  });
}

/** Through what lies between two threads. */
const asked = (ask: WriterAsk): WriterAsk => unpackAsk(structuredClone<PackedAsk>(packAsk(ask)));
const replied = (reply: WriterReply): WriterReply => unpackReply(structuredClone<PackedReply>(packReply(reply)));

test('units come across in their order, whatever their members are', () => {
  const units: readonly Unit[] = [
    append({}),
    unitOf('conversations.mark-read', { user: alice, conversation: directConversation(alice, bob), seq: 3 }),
    append(
      { tell: [bob, alice], keepFor: [alice], idem: { key: '', hash: 'h' } },
      { body: '<b>“ü”</b>', type: 'text/html', attach: ['https://x.test/1', ''], data: { '': [1, null, { a: 'b' }] } },
    ),
    append({ keepFor: [bob, alice] }, { body: 'after a list' }),
    unitOf('conversations.mark-read', { user: bob, conversation: directConversation(alice, bob), seq: 0 }),
  ];
  expect(asked({ do: 'units', now: 7, units })).toEqual({ do: 'units', now: 7, units });
  const many = Array.from({ length: 100 }, () => units).flat();
  expect(asked({ do: 'units', now: 7, units: many })).toEqual({ do: 'units', now: 7, units: many });
  expect(asked({ do: 'units', now: 7, units: [] })).toEqual({ do: 'units', now: 7, units: [] });
  expect(asked({ do: 'close' })).toEqual({ do: 'close' });
});

test('outcomes come across in their order', () => {
  const outcomes: readonly Outcome[] = [
    { is: 'appended', seq: 1, position: 9 },
    { is: 'applied', output: null, entries: [] },
    { is: 'appended', seq: 2 ** 40, position: null },
    { is: 'failed', failure: { defect: 'x' } },
    { is: 'appended', seq: 3, position: 0 },
  ];
  expect(replied({ is: 'committed', outcomes })).toEqual({ is: 'committed', outcomes });
  expect(replied({ is: 'swept', oldest: 4, isMore: false })).toEqual({ is: 'swept', oldest: 4, isMore: false });
});
