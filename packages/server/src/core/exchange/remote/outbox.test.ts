import { expect, test } from 'vitest';
import { type Json, ManualClock, Problem, randomIds } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';
import type { ConferenceId, EndpointId } from '../model.ts';
import { Inbox } from './inbox.ts';
import type { Message } from './messages.ts';
import { MAX_LINK_BYTES, Outbox } from './outbox.ts';

const two = 'two' as NodeId;
const gone = (name: string) => ({ say: 'device-gone', endpoint: name as EndpointId }) as const;

/** An outbox and the inbox at its other end; `take` may stand between. */
function pair(take: (input: Json, inbox: Inbox) => Promise<Json>) {
  const clock = new ManualClock();
  const heard: string[] = [];
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(error);
  const makeInbox = (): Inbox =>
    new Inbox({
      begin: () => heard.push('begin'),
      apply: (message) => heard.push('endpoint' in message ? message.endpoint : message.say),
      onTrouble,
    });
  const far = { inbox: makeInbox() };
  const outbox = new Outbox({
    peers: { ask: (_node, _kind, input) => take(input, far.inbox) },
    ...{ clock, ids: randomIds, node: two, onTrouble },
    beginning: () => [gone('first')],
    broken: () => void heard.push('broken'),
  });
  const turn = (ms: number): Promise<void> => {
    clock.advance(ms);
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { outbox, far, makeInbox, clock, heard, troubles, turn };
}

const through = async (input: Json, inbox: Inbox): Promise<Json> => {
  inbox.take(input, 'one' as NodeId);
  return null;
};

test('what is said arrives in order, and once, though answers are lost', async () => {
  let asked = 0;
  const { outbox, heard, turn, clock } = pair(async (input, inbox) => {
    await through(input, inbox);
    if (asked++ % 2 === 0) throw new Problem('peer-timeout', 'late', { retry: true });
    return null;
  });
  for (let i = 0; i < 10; i++) {
    outbox.send(gone(`${i}`));
    await turn(250);
  }
  await turn(1_000);
  expect(heard).toEqual(['begin', 'first', ...Array.from({ length: 10 }, (_, i) => `${i}`)]);
  outbox.close();
  await turn(10_000);
  expect(clock.pending).toBe(0);
});

test('a node that has forgotten a link is told the beginning again, though there is no news', async () => {
  const { far, makeInbox, heard, turn } = pair(through);
  await turn(0);
  expect(heard.splice(0)).toEqual(['begin', 'first']);
  far.inbox = makeInbox();
  for (let i = 0; i < 20; i++) await turn(200);
  expect(heard).toEqual(['broken', 'begin', 'first']);
});

test('a node that takes nothing does not make what waits for it grow without end', async () => {
  let isStuck = true;
  const { outbox, heard, turn } = pair((input, inbox) =>
    isStuck ? new Promise(() => undefined) : through(input, inbox),
  );
  const long = 'x'.repeat(200_000);
  const relay = (): Message => ({
    ...{ say: 'relay', conference: 'c' as ConferenceId, leg: 'l' as never, body: [{ type: 'x', value: long }] },
  });
  for (let said = 0; said <= MAX_LINK_BYTES; said += long.length) outbox.send(relay());
  expect(heard.splice(0)).toEqual(['broken']);
  isStuck = false;
  await turn(1_000);
  expect(() => outbox.send({ ...relay(), body: [{ type: 'x', value: long + long }] } as Message)).toThrow('too much');
});

test('what is no message holds up nothing', async () => {
  const { far, heard, troubles } = pair(() => Promise.resolve(null));
  const one = 'one' as NodeId;
  far.inbox.take({ link: 'l', first: 1, messages: [{ say: 'sing' }, { ...gone('a') }] }, one);
  far.inbox.take({ link: 'l', first: 2, messages: [{ ...gone('a') }, { ...gone('b') }] }, one);
  expect(heard.splice(0)).toEqual(['begin', 'a', 'b']);
  expect(troubles.length).toBe(1);
  for (const odd of [null, 1, {}, { link: 'l', first: 9, messages: [] }, { link: 'm', first: 2, messages: [] }])
    expect(() => far.inbox.take(odd, one)).toThrow();
  expect(heard).toEqual([]);
});
