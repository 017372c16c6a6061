import { expect, test } from 'vitest';
import type { Call } from '../../../core/calls/index.ts';
import { directConversation, type Message } from '../../../core/conversations/index.ts';
import type { Entry } from '../../../core/index.ts';
import { type CallId, type MessageId, type UserId, userStream } from '../../../core/journal/index.ts';
import type { Presence } from '../../../core/presence/index.ts';
import { Names } from '../names.ts';
import { Encoder } from './encode.ts';
import { Frame } from './frame.ts';

const [alice, bob] = ['a'.repeat(32) as UserId, 'b'.repeat(32) as UserId];
const NAMES: Readonly<Record<UserId, string>> = { [alice]: 'alice', [bob]: 'bob' };

function fixture() {
  let lookups = 0;
  const names = new Names({
    async party({ value }) {
      lookups++;
      return { name: NAMES[value as UserId] } as never;
    },
  });
  return { encoder: new Encoder(names, 'example.test'), lookups: () => lookups };
}

function message(more: Partial<Message> = {}): Message {
  return {
    id: 'm1' as MessageId,
    conversation: directConversation(alice, bob),
    seq: 4,
    sender: alice,
    resource: 'web-1',
    recipient: bob,
    at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    type: 'text/plain',
    body: 'Hi',
    attach: [],
    data: null,
    ...more,
  };
}

const entryOf = (event: Entry['event'], user = bob): Entry => ({ position: 9, stream: userStream(user), event });

/** Event, position and data of a frame. */
function parsed({ text }: Frame): { event: string; id: string | null; data: unknown } {
  const [, id = null] = /^id: (.*)$/m.exec(text) ?? [];
  return {
    id,
    event: /^event: (.*)$/m.exec(text)![1]!,
    data: JSON.parse(/^data: (.*)$/m.exec(text)![1]!),
  };
}

const base = {
  to: 'bob@example.test',
  from: 'alice@example.test/web-1',
  id: 'm1',
  timestamp: '2026-01-02T03:04:05.006Z',
};

test.each([
  ['a text', {}, bob, 'chatapi.chat', { type: 'chat', ...base, body: 'Hi', data: {}, seq: 4 }],
  ['the same for its sender', {}, alice, 'chatapi.sent', { type: 'sent', ...base, body: 'Hi', data: {}, seq: 4 }],
  [
    'with what was posted',
    { data: { n: { m: 1 } } },
    bob,
    'chatapi.chat',
    { type: 'chat', ...base, body: 'Hi', data: { n: { m: 1 }, body: 'Hi' }, seq: 4 },
  ],
  [
    'HTML',
    { type: 'text/html', body: '<b>1 &lt; 2</b><br/>x' },
    bob,
    'chatapi.chat',
    { type: 'chat', ...base, body: '1 < 2\nx', html: '<b>1 &lt; 2</b><br/>x', data: {}, seq: 4 },
  ],
  ['data only', { body: '', data: { n: 1 } }, bob, 'chatapi.notify', { type: 'notify', ...base, data: { n: 1 } }],
  [
    'a file only',
    { body: '', attach: ['u'] },
    bob,
    'chatapi.chat',
    { type: 'chat', ...base, body: '', data: {}, seq: 4, attach: ['u'] },
  ],
] as const)('a message: %s', async (_name, more, reader, event, data) => {
  const { encoder } = fixture();
  const frame = await encoder.entry(entryOf({ kind: 'message', message: message(more) }, reader), 'e.9', reader);
  expect(parsed(frame!)).toEqual({ event, id: 'e.9', data });
});

test('a volatile message has neither position nor place', async () => {
  const { event, id, data } = parsed(await fixture().encoder.message(message({ seq: 0 }), bob));
  expect([event, id]).toEqual(['chatapi.chat', null]);
  expect(data).not.toHaveProperty('seq');
});

test('an entry is encoded once, however many read it; known names make it at once', async () => {
  const { encoder, lookups } = fixture();
  const entry = entryOf({ kind: 'message', message: message() });
  const first = encoder.entry(entry, 'e.9', bob);
  expect(encoder.entry(entry, 'e.9', bob)).toBe(first);
  await first;
  expect(lookups()).toBe(2);
  expect(encoder.entry(entryOf({ kind: 'message', message: message() }), 'e.10', bob)).toBeInstanceOf(Frame);
  expect(lookups()).toBe(2);
});

test('the directory shows nothing here', () => {
  const { encoder } = fixture();
  expect(encoder.entry(entryOf({ kind: 'directory', what: 'user', id: alice }), 'e.9', bob)).toBeNull();
});

const presence: Presence = {
  user: alice,
  isOnline: true,
  isOnPhone: true,
  show: 'dnd',
  status: 'Busy "now"',
  stated: [],
  resource: 'web-1',
};

test('presence, for each its own address', () => {
  const { encoder } = fixture();
  const told = ['bob', 'carol'].map((reader) => parsed(encoder.presence(presence, 'alice', reader)));
  expect(told).toEqual(
    ['bob', 'carol'].map((reader) => ({
      event: 'chatapi.presence',
      id: null,
      data: {
        type: 'presence',
        to: `${reader}@example.test`,
        from: 'alice@example.test/web-1',
        show: 'dnd',
        status: 'Busy "now"',
        available: true,
        onPhone: true,
      },
    })),
  );
});

test('nobody there: offline, from the bare address', () => {
  const gone: Presence = { ...presence, isOnline: false, isOnPhone: false, show: 'away', resource: 'web-1' };
  expect(parsed(fixture().encoder.presence(gone, 'alice', 'bob')).data).toMatchObject({
    from: 'alice@example.test',
    show: 'offline',
    available: false,
  });
});

const call: Call = {
  id: 'c1' as CallId,
  number: '202',
  user: bob,
  direction: 'inbound',
  state: 'ringing',
  previous: null,
  peer: '201',
  peerName: null,
  startedAt: 0,
  connectedAt: null,
  endedAt: null,
  end: null,
};

test.each([
  [
    'ringing',
    call,
    { state: 'RINGING', prev_state: '', source: '201', destination: '202', name: 'UNKNOWN', reason: '' },
  ],
  ['spoken', { ...call, state: 'connected', previous: 'ringing' }, { state: 'ACTIVE', prev_state: 'RINGING' }],
  ['held', { ...call, state: 'held', previous: 'connected' }, { state: 'HELD', prev_state: 'ACTIVE' }],
  ['over', { ...call, state: 'ended', previous: 'held', end: 'completed' }, { state: 'HANGUP', reason: 'completed' }],
  [
    'our own',
    { ...call, direction: 'outbound', peerName: 'Alice' },
    { source: '202', destination: '201', name: 'Alice' },
  ],
] as const)('a call: %s', (_name, shown, data) => {
  const { encoder } = fixture();
  const frame = encoder.call(shown);
  expect(encoder.call(shown)).toBe(frame);
  expect(parsed(frame)).toMatchObject({ event: 'chatapi.call', id: null, data });
});

test('a call record has a position; a reset has the one to go on from', async () => {
  const { encoder } = fixture();
  const record = await encoder.entry(entryOf({ kind: 'call-record', call }), 'e.9', bob);
  expect(parsed(record!)).toMatchObject({
    event: 'chatapi.callrecord',
    id: 'e.9',
    data: { type: 'callrecord' },
  });
  expect(parsed(encoder.reset('expired', 'e.77'))).toEqual({
    event: 'chatapi.reset',
    id: 'e.77',
    data: { type: 'reset', reason: 'gap', cause: 'expired' },
  });
});
