import { expect, test } from 'vitest';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import type { User } from '../directory/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import {
  checkDraft,
  MAX_ATTACH_BYTES,
  MAX_ATTACHMENTS,
  MAX_BODY_BYTES,
  MAX_DATA_BYTES,
  MAX_DATA_DEPTH,
  MAX_KEY_CHARACTERS,
  MAX_TAGS,
} from './draft.ts';
import type { Draft, Message } from './model.ts';
import type { Receivers } from './ports.ts';
import { type Conversations, createConversations, MAX_HISTORY } from './service.ts';

function user(id: string): User {
  const name = { name: id, displayName: id, cn: id, number: null, email: null };
  return { id: id as UserId, ...name, isAdmin: false, hasStorage: false, isLocked: false, apps: [] };
}

const dora = user('dora');
const app = user('app');
const actor: Actor = { kind: 'user', user: dora.id, admin: false };

function draft(change: Partial<Draft> = {}): Draft {
  const text = { type: 'text/plain', body: 'hello', attach: [], data: null } as const;
  return { to: app.id, ...text, resource: 'r', idempotencyKey: null, ...change };
}

/** Nobody has the storage right here; `hand` is the test's. */
function volatileChat(hand: Receivers['hand']): { chat: Conversations; clock: ManualClock; echoed: Message[] } {
  const echoed: Message[] = [];
  const clock = new ManualClock();
  const store = {
    write: () => Promise.reject(new Error('nothing is stored here')),
    read: () => Promise.reject(new Error('nothing is stored here')),
  };
  const receivers: Receivers = {
    reach: () => Promise.resolve(false),
    hand,
    echo: (_user, message) => void echoed.push(message),
    state: () => undefined,
  };
  const directory = {
    atHand: () => undefined,
    party: ({ value }: { value: string }) => Promise.resolve(value === 'dora' ? dora : app),
  };
  const chat = createConversations({ store, directory, receivers, clock, ids: randomIds });
  return { chat, clock, echoed };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
  return 'done';
}

test('a volatile text with a key goes out once, also while the first is still under way', async () => {
  const handed: Message[] = [];
  const { promise: taken, resolve } = Promise.withResolvers<boolean>();
  const { chat, clock, echoed } = volatileChat((_user, message) => {
    handed.push(message);
    return taken;
  });
  const both = [1, 2].map(() => chat.send(actor, dora.id, draft({ idempotencyKey: 'k' })));
  const other = codeOf(chat.send(actor, dora.id, draft({ idempotencyKey: 'k', body: 'other' })));
  resolve(true);
  const [first, second] = await Promise.all(both);
  expect(handed).toHaveLength(1);
  expect(echoed).toHaveLength(1);
  expect(second).toEqual({ message: first?.message, isRepeat: true });
  expect(await other).toBe('idempotency-conflict');
  clock.advance(24 * 3_600_000);
  expect((await chat.send(actor, dora.id, draft({ idempotencyKey: 'k', body: 'a day later' }))).isRepeat).toBe(false);
});

test('a volatile text that nobody took may be tried again under its key', async () => {
  let isThere = false;
  const { chat } = volatileChat(() => Promise.resolve(isThere));
  expect(await codeOf(chat.send(actor, dora.id, draft({ idempotencyKey: 'k' })))).toBe('recipient-unavailable');
  isThere = true;
  expect((await chat.send(actor, dora.id, draft({ idempotencyKey: 'k' }))).isRepeat).toBe(false);
});

test.each([
  ['a key', { idempotencyKey: 'k'.repeat(MAX_KEY_CHARACTERS + 1) }],
  ['nesting', { data: JSON.parse(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`) as Draft['data'] }],
  ['tags', { type: 'text/html', body: '<b>'.repeat(MAX_TAGS + 1) }],
  ['text', { body: 'x'.repeat(MAX_BODY_BYTES + 1) }],
  ['escaping', { body: '<'.repeat(MAX_BODY_BYTES / 4 + 1) }],
  ['data', { data: { a: 'x'.repeat(MAX_DATA_BYTES) } }],
  ['attached', { attach: Array<string>(MAX_ATTACHMENTS + 1).fill('u') }],
  ['in addresses', { attach: ['u'.repeat(MAX_ATTACH_BYTES + 1)] }],
] as const)('too much %s', (_what, change) => {
  expect(() => checkDraft(draft(change))).toThrow(expect.objectContaining({ code: 'too-large' }));
});

test('as much as is allowed', () => {
  const data = JSON.parse(`${'{"a":'.repeat(MAX_DATA_DEPTH)}1${'}'.repeat(MAX_DATA_DEPTH)}`) as Draft['data'];
  expect(checkDraft(draft({ idempotencyKey: 'k'.repeat(MAX_KEY_CHARACTERS), data })).data).toBe(data);
  expect(checkDraft(draft({ type: 'text/html', body: `${'<b>'.repeat(MAX_TAGS)}x` })).body).toContain('x');
});

test('a character that no store keeps is replaced in texts, as HTML has it; in keys it is refused', () => {
  for (const type of ['text/plain', 'text/html'] as const)
    expect(checkDraft(draft({ type, body: 'a\0b\ud83dc' })).body).toBe('a\ufffdb\ufffdc');
  expect(() => checkDraft(draft({ idempotencyKey: 'a\0' }))).toThrow(expect.objectContaining({ code: 'invalid-text' }));
});

test('a page of history is no longer than its bound', async () => {
  const asked: unknown[] = [];
  const chat = createConversations({
    store: {
      write: () => Promise.reject(new Error('nothing is stored here')),
      read: (_kind, input) => {
        asked.push(input);
        return Promise.resolve([] as never);
      },
    },
    directory: { atHand: () => undefined, party: () => Promise.resolve(null) },
    receivers: {
      reach: () => Promise.resolve(false),
      hand: () => Promise.resolve(false),
      echo: () => undefined,
      state: () => undefined,
    },
    clock: new ManualClock(),
    ids: randomIds,
  });
  await chat.history(actor, { user: dora.id, limit: MAX_HISTORY + 1 });
  expect(asked).toMatchObject([{ limit: MAX_HISTORY }]);
});
