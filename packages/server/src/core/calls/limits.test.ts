import { afterEach, beforeEach, expect, test } from 'vitest';
import { loneCluster } from '../../../../../test/kit/lone-cluster.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { FakeEngine } from '../../adapters/engine-fake/index.ts';
import { ManualClock, Problem, randomIds } from '../../kit/index.ts';
import type { CallId, UserId } from '../journal/index.ts';
import type { Actor } from '../permissions/index.ts';
import { type Call, type Calls, canonicalNumber, createCalls } from './index.ts';
import {
  MAX_HISTORY,
  MAX_LIVE,
  MAX_LIVE_PER_NUMBER,
  MAX_NUMBERS_PER_ENGINE,
  MAX_PENDING_EVENTS,
  MAX_UNRECORDED,
  SILENT_CALL_MS,
} from './limits.ts';
import { Records } from './records.ts';
import { Registry } from './registry.ts';

const server: Actor = { kind: 'server' };
const nobody = new Promise<never>(() => undefined);

let clock: ManualClock;
let engine: FakeEngine;
let calls: Calls;
let asked: unknown[];
let areNamesSlow: boolean;
beforeEach(async () => {
  clock = new ManualClock();
  engine = new FakeEngine();
  asked = [];
  areNamesSlow = false;
  calls = createCalls({
    store: {
      write: () => Promise.resolve(null),
      read(_kind, input) {
        asked.push(input);
        return Promise.resolve([]);
      },
    },
    directory: {
      ownerOf: () => (areNamesSlow ? nobody : Promise.resolve(null)),
      numberOf: () => Promise.resolve('201'),
    },
    cluster: await loneCluster(clock),
    clock,
    ids: randomIds,
    engines: [engine],
    engineFor: () => engine,
  });
});
afterEach(() => calls.close());

async function problemOf(work: Promise<unknown>): Promise<Problem | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

test('numbers of one engine', () => {
  const registry = new Registry({ engineFor: () => engine, clock, graceMs: 0, failed: () => undefined });
  for (let i = 0; i < MAX_NUMBERS_PER_ENGINE; i++) registry.add(String(i), () => undefined);
  expect(() => registry.add('x', () => undefined)).toThrow(expect.objectContaining({ code: 'too-many-numbers' }));
  registry.add('0', () => undefined);
  registry.close();
});

test('events that wait for names', () => {
  areNamesSlow = true;
  for (let i = 0; i <= MAX_PENDING_EVENTS; i++) engine.report({ ref: `r${i}`, number: '201', peer: '1' });
  expect(calls.figures().dropped.pending).toBe(1);
});

test('live calls of a node', async () => {
  for (let i = 0; i <= MAX_LIVE; i++) {
    engine.report({ ref: `r${i}`, number: String(1_000 + Math.floor(i / MAX_LIVE_PER_NUMBER)), peer: '1' });
    if (i % (MAX_PENDING_EVENTS / 2) === 0) await until(() => calls.figures().live === Math.min(i + 1, MAX_LIVE));
  }
  await until(() => calls.figures().dropped.full === 1);
  expect(calls.figures()).toMatchObject({ live: MAX_LIVE, dropped: { pending: 0 } });
});

test('a call of which nothing is heard is over after a day', async () => {
  const heard: Call[] = [];
  await calls.listen(server, '201', (call) => heard.push(call));
  engine.report({ ref: 'r', number: '201', peer: '1', state: 'connected' });
  await until(() => heard.length === 1);
  clock.advance(SILENT_CALL_MS);
  expect(heard.at(-1)).toMatchObject({ state: 'ended', end: 'lost' });
});

test('records that wait for the store', () => {
  const records = new Records({ store: { write: () => nobody, read: () => nobody }, clock, log: { ...silent } });
  const ended = { previous: null, startedAt: 1, connectedAt: null, endedAt: 2, end: 'missed' } as const;
  const far = { direction: 'inbound', peer: '1', peerName: null } as const;
  const call: Call = { id: 'c' as CallId, number: '201', user: null, state: 'ended', ...far, ...ended };
  for (let i = 0; i <= MAX_UNRECORDED; i++) records.keep(call);
  expect([records.waiting, records.lost]).toEqual([MAX_UNRECORDED, 1]);
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

test('ids and keys and numbers that are too long are not looked at', async () => {
  const command = { call: 'c'.repeat(65) as CallId, idempotencyKey: null };
  expect((await problemOf(calls.hangup(server, command)))?.code).toBe('no-such-call');
  const dial = { from: '201', to: '202', idempotencyKey: 'k'.repeat(201) };
  expect((await problemOf(calls.dial(server, dial)))?.code).toBe('invalid-idempotency-key');
  const long = `1${'-'.repeat(256)}2`;
  expect(canonicalNumber(long.slice(-256))).toBe('2');
  expect(canonicalNumber(long)).toBeUndefined();
  const problem = await problemOf(calls.dial(server, { ...dial, idempotencyKey: null, to: long }));
  expect([problem?.code, problem?.subject?.length]).toEqual(['invalid-number', 64]);
});

test('a page of history', async () => {
  await calls.history(server, { user: 'u' as UserId, before: null, limit: 1_000 });
  expect(asked).toMatchObject([{ limit: MAX_HISTORY }]);
});
