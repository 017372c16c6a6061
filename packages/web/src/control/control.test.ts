import { expect, test } from 'vitest';
import { RequestError } from '../api/client.ts';
import { memoryIn } from './memory.ts';
import { Outbox, type Letter } from './outbox.ts';
import type { Timers } from './timers.ts';
import { EXPIRE_MS, PAUSE_MS, REMIND_MS, TypingTeller, TypingWatch } from './typing.ts';

function manualTimers() {
  let now = 0;
  let waiting: { readonly at: number; readonly run: () => void }[] = [];
  const timers: Timers = {
    now: () => now,
    after(ms, run) {
      const entry = { at: now + ms, run };
      waiting = [...waiting, entry];
      return () => (waiting = waiting.filter((other) => other !== entry));
    },
  };
  const pass = (ms: number): void => {
    now += ms;
    const due = waiting.filter(({ at }) => at <= now);
    waiting = waiting.filter(({ at }) => at > now);
    for (const { run } of due) run();
  };
  return { timers, pass, waiting: () => waiting.length };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

function outboxWith(answers: (string | RequestError)[]) {
  const clock = manualTimers();
  const sent: Letter[] = [];
  const log: string[] = [];
  const outbox = new Outbox({
    timers: clock.timers,
    async send(letter) {
      sent.push(letter);
      const answer = answers.shift() ?? 'ok';
      if (typeof answer === 'string') return answer;
      throw answer;
    },
    accepted: ({ key }, id) => log.push(`${key} ${id}`),
    failed: ({ key }, error) => log.push(`${key} failed: ${error.message}`),
  });
  return { outbox, clock, sent, log };
}

const lost = (): RequestError => new RequestError('lost', { status: 0 });

test('a message is repeated with its key until the server has it', async () => {
  const { outbox, clock, sent, log } = outboxWith([lost(), new RequestError('busy', { status: 503 }), '01']);
  outbox.add({ peer: 'bob', key: 'k1', text: 'x' });
  await settle();
  clock.pass(1_000);
  await settle();
  expect(log).toEqual([]);
  clock.pass(2_000);
  await settle();
  expect(log).toEqual(['k1 01']);
  expect(sent.map(({ key }) => key)).toEqual(['k1', 'k1', 'k1']);
  expect(clock.waiting()).toBe(0);
});

test('what comes after waits for what came before, in one conversation only', async () => {
  const { outbox, clock, sent } = outboxWith([lost()]);
  outbox.add({ peer: 'bob', key: 'b1', text: '' });
  outbox.add({ peer: 'bob', key: 'b2', text: '' });
  outbox.add({ peer: 'carol', key: 'c1', text: '' });
  await settle();
  expect(sent.map(({ key }) => key)).toEqual(['b1', 'c1']);
  clock.pass(1_000);
  await settle();
  expect(sent.map(({ key }) => key)).toEqual(['b1', 'c1', 'b1', 'b2']);
});

test('a refusal ends it and lets the next one go', async () => {
  const { outbox, log } = outboxWith([new RequestError('too large', { status: 413 })]);
  outbox.add({ peer: 'bob', key: 'b1', text: '' });
  outbox.add({ peer: 'bob', key: 'b2', text: '' });
  await settle();
  expect(log).toEqual(['b1 failed: too large', 'b2 ok']);
});

test('it waits as long as the server says, and no longer than until the connection is back', async () => {
  const { outbox, clock, log } = outboxWith([new RequestError('slow', { status: 429, retryAfterMs: 60_000 }), '01']);
  outbox.add({ peer: 'bob', key: 'k', text: '' });
  await settle();
  clock.pass(30_000);
  await settle();
  expect(log).toEqual([]);
  outbox.wake();
  await settle();
  expect(log).toEqual(['k 01']);
});

test('nothing happens after the end', async () => {
  const { outbox, clock, sent, log } = outboxWith([lost()]);
  outbox.add({ peer: 'bob', key: 'k', text: '' });
  await settle();
  outbox.close();
  await settle();
  expect([sent.length, log.length, clock.waiting()]).toEqual([1, 0, 0]);
});

test.each([
  [0, true],
  [429, true],
  [500, true],
  [503, true],
  [400, false],
  [404, false],
  [409, false],
  [413, false],
  [501, false],
])('status %i is passing: %s', (status, isPassing) => {
  expect(new RequestError('', { status }).isPassing).toBe(isPassing);
});

test('typing is told once, repeated now and then, and ended by a pause', () => {
  const { timers, pass, waiting } = manualTimers();
  const told: string[] = [];
  const typing = new TypingTeller(timers, (peer, state) => told.push(`${peer} ${state}`));
  typing.typed('bob');
  typing.typed('bob');
  expect(told).toEqual(['bob composing']);
  pass(REMIND_MS);
  typing.typed('bob');
  expect(told).toEqual(['bob composing', 'bob composing']);
  pass(PAUSE_MS);
  expect(told.at(-1)).toBe('bob paused');
  expect(waiting()).toBe(0);
});

test.each<{ what: string; act: (typing: TypingTeller) => void; told: readonly string[] }>([
  { what: 'the message was sent', act: (t) => t.sent(), told: ['bob composing'] },
  { what: 'the text was deleted', act: (t) => t.stopped(), told: ['bob composing', 'bob paused'] },
  {
    what: 'another conversation',
    act: (t) => t.typed('carol'),
    told: ['bob composing', 'bob paused', 'carol composing'],
  },
])('typing ends: $what', ({ act, told }) => {
  const { timers } = manualTimers();
  const heard: string[] = [];
  const typing = new TypingTeller(timers, (peer, state) => heard.push(`${peer} ${state}`));
  typing.typed('bob');
  act(typing);
  expect(heard).toEqual(told);
});

test('a peer that falls silent is typing no more', () => {
  const { timers, pass, waiting } = manualTimers();
  const heard: boolean[] = [];
  const watch = new TypingWatch(timers, (_peer, isTyping) => heard.push(isTyping));
  watch.told('bob', 'composing');
  pass(EXPIRE_MS - 1);
  watch.told('bob', 'composing');
  pass(EXPIRE_MS - 1);
  expect(heard).toEqual([true, true]);
  pass(1);
  expect(heard).toEqual([true, true, false]);
  watch.told('bob', 'composing');
  watch.close();
  expect(waiting()).toBe(0);
});

test.each([
  ['nothing', null],
  ['rubbish', '{'],
  ['something else', '{"session":{"name":1},"unread":{}}'],
])('what is remembered is checked: %s', (_what, text) => {
  const memory = memoryIn({ getItem: () => text, setItem: () => undefined, removeItem: () => undefined });
  expect(memory.load()).toBeNull();
});

test('what is remembered comes back', () => {
  let kept: string | null = null;
  const memory = memoryIn({
    getItem: () => kept,
    setItem: (_key, value) => (kept = value),
    removeItem: () => (kept = null),
  });
  const remembered = { session: { name: 'a', stream: 's', token: 't' }, position: 'e.1', unread: { bob: ['01'] } };
  memory.save(remembered);
  expect(memory.load()).toEqual(remembered);
  memory.clear();
  expect(memory.load()).toBeNull();
});
