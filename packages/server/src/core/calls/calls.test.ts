import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loneCluster } from '../../../../../test/kit/lone-cluster.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { FakeEngine } from '../../adapters/engine-fake/index.ts';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import type { CallId, UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import {
  type Call,
  type Calls,
  type CallsParts,
  type CallUnits,
  canonicalNumber,
  type ClaimedKey,
  createCalls,
  outcomeUnknown,
} from './index.ts';
import {
  ANNOUNCEMENT_MS,
  DIAL_LISTEN_MS,
  MAX_LISTENERS_PER_NUMBER,
  MAX_LIVE_PER_NUMBER,
  ROW_RETRY_MS,
} from './limits.ts';

const alice = 'a'.repeat(32) as UserId;
const bob = 'b'.repeat(32) as UserId;
const asAlice: Actor = { kind: 'user', user: alice, admin: false };
const asBob: Actor = { kind: 'user', user: bob, admin: false };
const asServer: Actor = { kind: 'server' };

let clock: ManualClock;
let engine: FakeEngine;
let calls: Calls;
let records: Call[];
let rows: Map<CallId, Call>;
let heard: string[];
let storeFails: Problem | null;

const show = (call: Call): string =>
  `${call.direction} ${call.peer} ${call.state}${call.end === null ? '' : ` ${call.end}`}`;
const hear = (call: Call, how: string): void => void heard.push(how === 'snapshot' ? `now ${show(call)}` : show(call));

/** What the store keeps of calls, in memory; `storeFails` makes it fail. */
const store: CallsParts['store'] = {
  async write(kind, input) {
    if (storeFails !== null) throw storeFails;
    return kept(kind, input);
  },
  read: () => Promise.resolve([]),
};
const keys = new Map<string, { readonly hash: string; outcome: string | null }>();

function kept(kind: keyof CallUnits, input: object): ClaimedKey | null {
  if (kind === 'calls.record') {
    const { call } = input as CallUnits['calls.record']['input'];
    records.push(call);
    rows.delete(call.id);
  }
  if (kind === 'calls.live')
    for (const call of (input as CallUnits['calls.live']['input']).calls) rows.set(call.id, call);
  if (kind === 'calls.settle') {
    const { key, outcome } = input as CallUnits['calls.settle']['input'];
    if (outcome === null) keys.delete(key);
    else keys.get(key)!.outcome = outcome;
  }
  if (kind !== 'calls.claim') return null;
  const { key, hash } = input as CallUnits['calls.claim']['input'];
  const known = keys.get(key);
  if (known === undefined) keys.set(key, { hash, outcome: null });
  else if (known.hash !== hash) throw new Problem('idempotency-conflict', 'another body');
  return known === undefined ? null : { outcome: known.outcome, isUnderWay: false };
}

beforeEach(async () => {
  clock = new ManualClock();
  engine = new FakeEngine();
  records = [];
  heard = [];
  storeFails = null;
  rows = new Map();
  keys.clear();
  const people = [
    { user: alice, number: '201', displayName: 'Alice Adams' },
    { user: bob, number: '202', displayName: 'Bob Brown' },
  ];
  calls = createCalls({
    store,
    directory: {
      ownerOf: (number) => Promise.resolve(people.find((p) => p.number === number) ?? null),
      numberOf: (user) => Promise.resolve(people.find((p) => p.user === user)?.number ?? null),
    },
    cluster: await loneCluster(clock),
    clock,
    ids: randomIds,
    engines: [engine],
    engineFor: (number) => (number.startsWith('9') ? null : engine),
  });
});
afterEach(async () => {
  await calls.close();
  expect(clock.pending).toBe(0);
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );
const theCall = async (): Promise<CallId> => {
  const [call] = await until(async () => {
    const live = await calls.liveCalls(asServer, { number: '201' });
    return live.length > 0 ? live : undefined;
  });
  return call?.id ?? ('' as CallId);
};

describe('listening', () => {
  test('the first listener starts it, the last ends it', async () => {
    const one = await calls.listen(asAlice, '201', hear);
    const two = await calls.listenUser(asAlice, alice, hear);
    expect(engine.commands).toEqual(['listen 201']);
    one();
    one();
    expect(engine.commands).toHaveLength(1);
    two();
    expect(engine.commands).toEqual(['listen 201', 'unlisten 201']);
  });

  test('who comes while it rings sees it', async () => {
    await calls.listen(asServer, '201', () => undefined);
    engine.report({ ref: 'r', number: '201', peer: '0606' });
    await theCall();
    await calls.listen(asServer, ' 2-0.1 ', hear);
    expect(heard).toEqual(['now inbound 0606 ringing']);
  });

  test('whose number it is decides who may', async () => {
    expect(await codeOf(calls.listen(asBob, '201', hear))).toBe('forbidden');
    expect(await codeOf(calls.listenUser(asBob, alice, hear))).toBe('forbidden');
    expect(await codeOf(calls.listen({ kind: 'telephone', user: null, number: '201' }, '201', hear))).toBe('none');
    expect(await codeOf(calls.listen({ kind: 'telephone', user: null, number: '202' }, '201', hear))).toBe('forbidden');
    expect(await codeOf(calls.listen({ kind: 'anonymous' }, '201', hear))).toBe('forbidden');
    expect(await codeOf(calls.listen(asServer, 'abc', hear))).toBe('invalid-number');
    expect(await codeOf(calls.listen(asServer, '900', hear))).toBe('engine-unavailable');
  });

  test('listeners of one number are bounded, and one that fails harms no other', async () => {
    await calls.listen(asServer, '201', (_call, how) => {
      if (how === 'change') throw new Error('broken page');
    });
    for (let i = 1; i < MAX_LISTENERS_PER_NUMBER; i++) await calls.listen(asServer, '201', hear);
    expect(await codeOf(calls.listen(asServer, '201', hear))).toBe('too-many-listeners');
    engine.report({ ref: 'r', number: '201', peer: '0606' });
    await until(() => heard.length === MAX_LISTENERS_PER_NUMBER - 1);
  });

  test('aborted before it began: nothing begins; aborted later: it ends', async () => {
    await calls.listen(asServer, '201', hear, { signal: AbortSignal.abort() });
    expect(engine.commands).toEqual([]);
    const abort = new AbortController();
    await calls.listen(asServer, '201', hear, { signal: abort.signal });
    abort.abort();
    expect(engine.commands).toEqual(['listen 201', 'unlisten 201']);
  });
});

describe('a call', () => {
  test('rings, is answered, held, taken back and ends: told, in presence, in the history', async () => {
    const phone: boolean[] = [];
    calls.onPhone.add(({ user, isOnPhone }) => user === alice && phone.push(isOnPhone));
    await calls.listen(asAlice, '201', hear);
    engine.report({ ref: 'r', number: '201', peer: '202' });
    await until(() => heard.length === 1);
    for (const state of ['connected', 'held', 'connected', 'ended'] as const) {
      clock.advance(1_000);
      engine.report({ ref: 'r', number: '201', peer: '202', state });
    }
    await until(() => records.length === 1);
    expect(heard).toEqual([
      'inbound 202 ringing',
      'inbound 202 connected',
      'inbound 202 held',
      'inbound 202 connected',
      'inbound 202 ended completed',
    ]);
    expect(phone).toEqual([true, false]);
    expect(records[0]).toMatchObject({ user: alice, peerName: 'Bob Brown', end: 'completed' });
    const [record] = records;
    expect((record?.endedAt ?? 0) - (record?.connectedAt ?? 0)).toBe(3_000);
  });

  test('an announcement ends as unknown after a minute, and never changes presence', async () => {
    engine.abilities = { ...engine.abilities, reportsProgress: false };
    const phone: unknown[] = [];
    calls.onPhone.add((change) => phone.push(change));
    await calls.listen(asAlice, '201', hear);
    engine.report({ ref: 'r', number: '201', peer: '' });
    await until(() => heard.length === 1);
    clock.advance(ANNOUNCEMENT_MS);
    await until(() => records.length === 1);
    expect(heard).toEqual(['inbound  ringing', 'inbound  ended unknown']);
    expect(phone).toEqual([]);
  });

  test('reports of strangers are dropped and counted', async () => {
    engine.report({ ref: 's', number: '900', peer: '1' });
    engine.report({ ref: 't', number: 'x', peer: '1' });
    await until(() => calls.figures().dropped.stray === 2);
    expect(calls.figures()).toMatchObject({ live: 0 });
  });

  test('has a row while it lives, as it stands; what lives at the end is recorded as lost', async () => {
    engine.report({ ref: 'r', number: '201', peer: '1' });
    await until(() => rows.size === 1);
    storeFails = new Problem('store-unavailable', 'away', { retry: true });
    engine.report({ ref: 'r', number: '201', peer: '1', state: 'connected' });
    await until(() => clock.pending > 2);
    storeFails = null;
    clock.advance(ROW_RETRY_MS);
    await until(() => [...rows.values()][0]?.state === 'connected');
    // Nobody's number: nobody's history.
    engine.report({ ref: 's', number: '205', peer: '1' });
    await until(() => calls.figures().live === 2);
    expect(rows.size).toBe(1);
    await calls.close();
    expect(records).toMatchObject([{ number: '201', previous: 'connected', end: 'lost' }]);
    expect(rows.size).toBe(0);
  });

  test('the row holds what can be stored: one call never takes the rows of others with it', async () => {
    engine.report({ ref: 'r', number: '201', peer: '1\u0000\ud800' });
    await until(() => rows.size === 1);
    expect([...rows.values()][0]?.peer).toBe('1\ufffd\ufffd');
  });

  test('a number full of calls lets the oldest go', async () => {
    await calls.listen(asServer, '201', () => undefined);
    for (let i = 0; i <= MAX_LIVE_PER_NUMBER; i++) engine.report({ ref: `r${i}`, number: '201', peer: '1' });
    await until(() => records.length === 1);
    expect(await calls.liveCalls(asServer, { number: '201' })).toHaveLength(MAX_LIVE_PER_NUMBER);
  });

  test('a record waits for a store that is away', async () => {
    storeFails = new Problem('store-unavailable', 'away', { retry: true });
    await calls.listen(asAlice, '201', hear);
    engine.report({ ref: 'r', number: '201', peer: '1' });
    await until(() => heard.length === 1);
    engine.report({ ref: 'r', number: '201', peer: '1', state: 'ended' });
    await until(() => calls.figures().unrecorded === 1);
    storeFails = null;
    await until(() => {
      clock.advance(1_000);
      return records.length === 1;
    });
    expect(calls.figures().unrecorded).toBe(0);
  });
});

describe('commands', () => {
  test('a dial gives the id under which the call shows, and is applied once per key', async () => {
    await calls.listen(asAlice, '201', hear);
    const command = { from: '201', to: ' (0606) 41-37 ', idempotencyKey: 'k' };
    const [one, two] = await Promise.all([calls.dial(asAlice, command), calls.dial(asAlice, command)]);
    expect(one).toEqual(two);
    expect(one).toMatchObject({ from: '201', to: '06064137' });
    expect(await theCall()).toBe(one.call);
    expect(engine.commands.filter((c) => c.startsWith('dial'))).toEqual(['dial 201 06064137']);
    expect(await codeOf(calls.dial(asAlice, { ...command, to: '1' }))).toBe('idempotency-conflict');
  });

  test('a dial of which nobody knows whether it was made is not made again under its key; one that failed is', async () => {
    const command = { from: '201', to: '1', idempotencyKey: 'k' };
    const dial = vi.spyOn(engine, 'dial').mockRejectedValueOnce(outcomeUnknown());
    expect(await codeOf(calls.dial(asAlice, command))).toBe('outcome-unknown');
    expect(await codeOf(calls.dial(asAlice, command))).toBe('outcome-unknown');
    expect(dial).toHaveBeenCalledTimes(1);
    engine.isConnected = false;
    const other = { ...command, idempotencyKey: 'l' };
    expect(await codeOf(calls.dial(asAlice, other))).toBe('engine-unavailable');
    engine.isConnected = true;
    expect(await codeOf(calls.dial(asAlice, other))).toBe('none');
    storeFails = new Problem('store-unavailable', 'away', { retry: true });
    expect(await codeOf(calls.dial(asAlice, { ...command, idempotencyKey: 'm' }))).toBe('store-unavailable');
  });

  test('what is dialled without a listener is listened to for a while', async () => {
    await calls.dial(asAlice, { from: '201', to: '1', idempotencyKey: null });
    expect(engine.listening.has('201')).toBe(true);
    clock.advance(DIAL_LISTEN_MS);
    expect(engine.listening.has('201')).toBe(false);
  });

  test('who may not, cannot', async () => {
    const dial = { from: '201', to: '1', idempotencyKey: null };
    expect(await codeOf(calls.dial(asBob, dial))).toBe('forbidden');
    expect(await codeOf(calls.dial(asAlice, { ...dial, from: null }))).toBe('no-number');
    expect(await codeOf(calls.dial(asAlice, { ...dial, to: 'help' }))).toBe('invalid-number');
    engine.isConnected = false;
    expect(await codeOf(calls.dial(asAlice, dial))).toBe('engine-unavailable');
  });

  test('a loop of dials is slowed down', async () => {
    const results: string[] = [];
    for (let i = 0; i < 62; i++)
      results.push(await codeOf(calls.dial(asAlice, { from: '201', to: '1', idempotencyKey: null })));
    expect(results.filter((code) => code === 'too-many-requests').length).toBeGreaterThanOrEqual(1);
  });

  test('answer, hold, transfer, hang up, in the states that allow them', async () => {
    await calls.listen(asAlice, '201', hear);
    engine.report({ ref: 'r', number: '201', peer: '1' });
    const call = await theCall();
    const command = { call, idempotencyKey: null };
    expect(await codeOf(calls.hold(asAlice, { ...command, on: true }))).toBe('wrong-state');
    expect(await codeOf(calls.answer(asBob, command))).toBe('forbidden');
    await calls.answer(asAlice, command);
    engine.report({ ref: 'r', number: '201', peer: '1', state: 'connected' });
    expect(await codeOf(calls.answer(asAlice, command))).toBe('wrong-state');
    await calls.hold(asAlice, { ...command, on: true });
    await calls.transfer(asAlice, { ...command, to: { number: '202' } });
    await calls.hangup(asAlice, command);
    engine.report({ ref: 'r', number: '201', peer: '1', state: 'ended' });
    expect(await codeOf(calls.hangup(asAlice, command))).toBe('no-such-call');
    expect(engine.commands).toEqual(['listen 201', 'answer r', 'hold r', 'transfer to 202 r', 'hangup r']);
  });

  test('what the engine cannot do is said so', async () => {
    engine.abilities = { ...engine.abilities, hold: false };
    await calls.listen(asAlice, '201', hear);
    engine.report({ ref: 'r', number: '201', peer: '1', state: 'connected' });
    const call = await theCall();
    expect(await codeOf(calls.hold(asAlice, { call, on: true, idempotencyKey: null }))).toBe('not-supported');
  });
});

test.each([
  [' (06) 06-41.37 ', '06064137'],
  ['+49 7031 / 730 09', '+49703173009'],
  ['*21#', '*21#'],
  ['', undefined],
  ['abc', undefined],
  ['1'.repeat(33), undefined],
  ['+', undefined],
])('TM AP-25: %j', (text, number) => {
  expect(canonicalNumber(text)).toBe(number);
});
