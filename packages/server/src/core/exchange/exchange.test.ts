import { expect, test } from 'vitest';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import type { Message } from '../conversations/index.ts';
import type { User } from '../directory/index.ts';
import type { MessageId, UserId } from '../journal/index.ts';
import { createChatLine, MAX_WAITING_TEXTS } from './chat-line.ts';
import { MAX_HELD_CHARACTERS, MAX_HELD_TEXTS } from './early-texts.ts';
import {
  CAUSE,
  createExchange,
  type Endpoint,
  type EndpointId,
  type Exchange,
  type Leg,
  type LegText,
  type LegUser,
  partyOf,
} from './index.ts';
import { MAX_CALLS_PER_ENDPOINT, MAX_ENDPOINTS_PER_USER, MAX_FORKS } from './service.ts';

const user = (name: string): User => ({
  id: name as UserId,
  name,
  displayName: name,
  cn: name,
  number: null,
  email: null,
  isAdmin: false,
  hasStorage: true,
  isLocked: false,
  apps: [],
});
const alice = user('alice');
const bob = user('bob');

/** What an end of a call was told. */
class End implements LegUser {
  readonly told: string[] = [];
  proceeding(): void {}
  alerting(): void {}
  connected(): void {
    this.told.push('connected');
  }
  released(cause: number): void {
    this.told.push(`released ${cause}`);
  }
  relayed(): void {}
  chatState(): void {}
  text(): void {
    this.told.push('text');
  }
  textFailed(): void {}
  textTaken(): void {}
}

interface Device extends Endpoint {
  readonly offered: Leg[];
}

function device(owner: User, id: string): Device {
  const offered: Leg[] = [];
  return {
    id: id as EndpointId,
    owner: owner.id,
    resource: id,
    actor: { kind: 'user', user: owner.id, admin: false },
    takes: () => true,
    offered,
    offer(leg) {
      offered.push(leg);
      return new End();
    },
  };
}

/** An exchange whose texts are sent to nobody. */
function exchange(): { exchange: Exchange; call: (from: Device, end?: End) => Leg } {
  const conversations = { send: () => new Promise<never>(() => undefined), typing: () => undefined };
  const clock = new ManualClock();
  const peers = new MemoryNetwork(clock, randomIds).join();
  const onTrouble = (error: unknown): never => {
    throw error;
  };
  const made = createExchange({ conversations, peers, clock, ids: randomIds, onTrouble });
  return {
    exchange: made,
    call: (from, end = new End()) =>
      made.call(from, bob, { kind: 'chat', body: [], caller: partyOf(alice), isTaken: false }, end),
  };
}

const text = (body: string): LegText => ({ type: 'text/plain', body, attach: [], data: null, idempotencyKey: null });
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
};

test('devices of one user', () => {
  const { exchange: pbx } = exchange();
  const stops = Array.from({ length: MAX_ENDPOINTS_PER_USER }, (_, i) => pbx.register(device(bob, `b${i}`)));
  expect(codeOf(() => pbx.register(device(bob, 'more')))).toBe('too-many-devices');
  expect(codeOf(() => pbx.register(device(alice, 'a')))).toBe('none');
  stops[0]?.();
  expect(codeOf(() => pbx.register(device(bob, 'more')))).toBe('none');
});

test('calls of one device', () => {
  const { exchange: pbx, call } = exchange();
  pbx.register(device(bob, 'b'));
  const phone = device(alice, 'a');
  const legs = Array.from({ length: MAX_CALLS_PER_ENDPOINT }, () => call(phone));
  expect(codeOf(() => call(phone))).toBe('too-many-calls');
  legs[0]?.release(CAUSE.normal, []);
  expect(codeOf(() => call(phone))).toBe('none');
});

test('legs of one call: who comes later is not offered it', () => {
  const { exchange: pbx, call } = exchange();
  pbx.register(device(bob, 'stays'));
  call(device(alice, 'a'));
  const late = Array.from({ length: MAX_FORKS }, (_, i) => device(bob, `b${i}`));
  for (const one of late) pbx.register(one)();
  expect(late.map(({ offered }) => offered.length)).toEqual([...Array<number>(MAX_FORKS - 1).fill(1), 0]);
});

test.each([
  ['number', Array.from({ length: MAX_HELD_TEXTS + 1 }, () => 'x')],
  ['characters', Array.from({ length: 3 }, () => 'x'.repeat(MAX_HELD_CHARACTERS / 2))],
])('texts before the answer are held, so many at most: %s', (_what, texts) => {
  const { exchange: pbx, call } = exchange();
  pbx.register(device(bob, 'b'));
  const end = new End();
  const leg = call(device(alice, 'a'), end);
  for (const one of texts.slice(0, -1)) leg.text(text(one));
  expect(end.told).toEqual([]);
  leg.text(text(texts.at(-1) ?? ''));
  expect(end.told).toEqual([`released ${CAUSE.protocol}`]);
});

test('texts that wait for a device to accept', async () => {
  const { exchange: pbx } = exchange();
  const phone = device(bob, 'b');
  pbx.register(phone);
  const directory = { party: ({ value }: { value: string }) => Promise.resolve(value === 'bob' ? bob : alice) };
  const line = createChatLine({ endpoint: phone, exchange: pbx, directory, clock: new ManualClock() });
  const message = { id: 'm' as MessageId, sender: alice.id, recipient: bob.id } as Message;
  const waiting = Array.from({ length: MAX_WAITING_TEXTS }, () => Promise.resolve(line.deliver(message, null)));
  await expect.poll(() => phone.offered.length).toBe(1);
  expect(line.deliver(message, null)).toBe(false);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([false]));
  expect(pbx.size).toBe(0);
});
