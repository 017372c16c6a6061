import { expect, test } from 'vitest';
import { RequestError, type Client, type EventHandlers } from '../api/client.ts';
import type { Message } from '../state/model.ts';
import { Controller } from './controller.ts';
import type { Memory, Remembered } from './memory.ts';

const SESSION = { name: 'alice', stream: 's', token: 't' };

function message(id: string, peer = 'bob'): Message {
  const rest = { html: null, attach: [], at: 0, delivery: 'sent', problem: null } as const;
  return { key: id, id, peer, isOwn: false, text: id, ...rest };
}

function chat(id: string, from = 'bob') {
  return { from: `${from}@example.test/r`, to: 'alice@example.test', id, body: id, timestamp: '2026-01-01T00:00:00Z' };
}

/** A page whose server is this table of answers. */
function page(answers: Partial<Client> = {}, remembered: Partial<Remembered> = {}) {
  let kept: Remembered | null = { session: SESSION, position: 'e.1', unread: {}, ...remembered };
  const streams: { readonly since: string; readonly handlers: EventHandlers; isOpen: boolean }[] = [];
  const asked: string[] = [];
  const memory: Memory = {
    load: () => kept,
    save: (value) => void (kept = value),
    clear: () => void (kept = null),
  };
  const client: Client = {
    me: 'alice',
    users: async () => [{ name: 'bob', displayName: 'Bob Brown', number: '202' }],
    contacts: async () => [],
    addContact: async () => undefined,
    presence: async (name) => {
      asked.push(name);
      return { show: 'available', status: '', isOnPhone: false };
    },
    setPresence: async () => undefined,
    history: async () => [],
    send: async () => '50',
    chatState: async () => undefined,
    calls: async () => [],
    callHistory: async () => [],
    dial: async () => undefined,
    answer: async () => undefined,
    hangUp: async () => undefined,
    signOut: async () => undefined,
    events(since, handlers) {
      const stream = { since, handlers, isOpen: true };
      streams.push(stream);
      return () => void (stream.isOpen = false);
    },
    ...answers,
  };
  let isLooking = true;
  const pending: (() => void)[] = [];
  const controller = new Controller({
    timers: {
      now: () => 0,
      after: (_ms, run) => {
        pending.push(run);
        return () => void pending.splice(pending.indexOf(run), pending.includes(run) ? 1 : 0);
      },
    },
    memory,
    newKey: () => 'key',
    isLooking: () => isLooking,
    connect: () => client,
  });
  return {
    controller,
    streams,
    asked,
    stream: () => streams.at(-1)!,
    kept: () => kept,
    look: (now: boolean) => void (isLooking = now),
    runTimers: () => pending.splice(0).forEach((run) => run()),
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

const texts = (controller: Controller, peer = 'bob'): readonly string[] =>
  controller.getState().conversations[peer]?.messages.map(({ text }) => text) ?? [];

test('a reload goes on after the last event, with what was unread', async () => {
  const { controller, stream, kept } = page({}, { unread: { bob: ['03'] } });
  await settle();
  expect(stream().since).toBe('e.1');
  expect(controller.getState().conversations['bob']?.unread).toEqual(['03']);
  stream().handlers.event('chat', chat('04'), 'e.2');
  expect(kept()).toMatchObject({ position: 'e.2', unread: { bob: ['03', '04'] } });
});

test('messages of an open conversation are unread while nobody looks, and seen when somebody does', async () => {
  const { controller, stream, look } = page();
  await settle();
  controller.open('bob');
  stream().handlers.event('chat', chat('01'), 'e.2');
  expect(controller.getState().conversations['bob']?.unread).toEqual([]);
  look(false);
  stream().handlers.event('chat', chat('02'), 'e.3');
  expect(controller.getState().conversations['bob']?.unread).toEqual(['02']);
  look(true);
  controller.wake();
  expect(controller.getState().conversations['bob']?.unread).toEqual([]);
});

test('after a reset the history is loaded again', async () => {
  const pages: Message[][] = [[message('01')], [message('01'), message('02')]];
  const { controller, stream } = page({ history: async () => pages.shift() ?? [message('03')] });
  await settle();
  expect(texts(controller)).toEqual(['01']);
  stream().handlers.event('reset', { reason: 'gap' }, 'f.9');
  expect(texts(controller)).toEqual([]);
  await settle();
  expect(texts(controller)).toEqual(['01', '02']);
});

test.each([
  ['logoff', 'You have been signed out.'],
  ['locked', 'Your account has been locked.'],
])('the end of the stream ends the session: %s', async (reason, farewell) => {
  const { controller, stream, kept } = page();
  await settle();
  stream().handlers.event('end', { reason }, '');
  expect(controller.getState()).toMatchObject({ me: null, farewell });
  expect([stream().isOpen, kept()]).toEqual([false, null]);
});

test('a stream that the browser gives up is opened again, after the last event', async () => {
  const { controller, stream, streams, runTimers } = page();
  await settle();
  stream().handlers.opened();
  stream().handlers.event('chat', chat('01'), 'e.7');
  stream().handlers.lost(true);
  expect(controller.getState().link).toBe('lost');
  runTimers();
  await settle();
  expect(streams.map(({ since }) => since)).toEqual(['e.1', 'e.7']);
  stream().handlers.opened();
  expect(controller.getState()).toMatchObject({ link: 'open', openings: 2 });
});

test('where the session is gone, the sign-in form says so', async () => {
  let isGone = false;
  const presence = async () => {
    if (isGone) throw new RequestError('Sign in first.', { status: 401 });
    return { show: 'available', status: '', isOnPhone: false } as const;
  };
  const { controller, stream, runTimers } = page({ presence });
  await settle();
  isGone = true;
  stream().handlers.lost(true);
  runTimers();
  await settle();
  expect(controller.getState()).toMatchObject({ me: null, farewell: 'Your session has ended. Please sign in again.' });
});

test('a flood of messages from a stranger asks for the presence once', async () => {
  const { stream, asked } = page();
  await settle();
  for (let i = 10; i < 60; i++) stream().handlers.event('chat', chat(String(i), 'zoe'), `e.${i}`);
  await settle();
  expect(asked.filter((name) => name === 'zoe')).toHaveLength(1);
});

test('a refused message says why and can be sent again or discarded', async () => {
  let refusal: RequestError | null = new RequestError('too large', { status: 413 });
  const send = async () => {
    if (refusal !== null) throw refusal;
    return '51';
  };
  const { controller } = page({ send });
  await settle();
  controller.send('bob', 'hello');
  await settle();
  const [failed] = controller.getState().conversations['bob']!.messages;
  expect(failed).toMatchObject({ delivery: 'failed', problem: 'too large' });
  refusal = null;
  controller.sendAgain(failed!);
  await settle();
  expect(controller.getState().conversations['bob']!.messages).toMatchObject([{ id: '51', delivery: 'sent' }]);
});

test.each([
  [501, 'Answer it on your telephone.'],
  [409, 'It rings no more.'],
])('what refuses to answer a call is said at the call: %i', async (status, problem) => {
  const answer = async () => {
    throw new RequestError('It rings no more.', { status });
  };
  const { controller, stream } = page({ answer });
  await settle();
  stream().handlers.event('call', { call_id: 'c', state: 'RINGING', direction: 'inbound', source: '202' }, '');
  await controller.calls.answer('c');
  expect(controller.getState().calls['c']).toMatchObject({ isBusy: false, problem });
  controller.calls.dismiss('c');
  expect(controller.getState().calls).toEqual({});
});

test('signing out forgets everything', async () => {
  const { controller, stream, kept } = page();
  await settle();
  stream().handlers.event('chat', chat('01'), 'e.2');
  await controller.signOut();
  expect(controller.getState()).toMatchObject({ me: null, conversations: {}, farewell: null });
  expect([kept(), stream().isOpen]).toEqual([null, false]);
});
