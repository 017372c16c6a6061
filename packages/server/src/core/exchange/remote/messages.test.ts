import { describe, expect, test } from 'vitest';
import { scaled, seeded, seedOf } from '../../../../../../test/kit/scale.ts';
import type { Json } from '../../../kit/index.ts';
import { batchFrom, messageFrom } from './messages.ts';

const party = { user: 'u1', name: 'alice', number: '201', displayName: 'Alice Adams' };
const body = [{ type: 'conn', value: { channels: { ch: [1, null, 'x'] } } }];
const ofLeg = { conference: 'c1', leg: 'l1' };
const state = { phase: 'connected', isAnswered: true, winner: 'e1' };
const call = {
  ...ofLeg,
  kind: 'chat',
  caller: party,
  callee: { ...party, number: null },
  callerEndpoint: null,
  ...state,
};

const samples: readonly { readonly [member: string]: Json }[] = [
  { say: 'device', endpoint: 'e1', owner: 'u1', kinds: ['chat', 'plain'] },
  { say: 'device-gone', endpoint: 'e1' },
  { say: 'call', ...call, offer: null },
  { say: 'call', ...call, offer: { leg: 'l2', endpoint: 'e1', body } },
  { say: 'state', conference: 'c1', ...state },
  { say: 'ended', conference: 'c1', cause: 27 },
  { say: 'released', ...ofLeg, cause: 26, body },
  { say: 'relayed', ...ofLeg, body },
  { say: 'alert', ...ofLeg, body: [] },
  { say: 'connect', ...ofLeg, body },
  { say: 'relay', ...ofLeg, body },
  { say: 'release', ...ofLeg, cause: 21, body: [] },
  { say: 'hang-up', conference: 'c1', cause: 111 },
  { say: 'want', ask: 'a1', caller: party, callee: party },
  { say: 'found', ask: 'a1', conference: 'c1' },
];

const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('what nodes say', () => {
  test.each(samples)('$say is understood, also with members of a newer version', (sample) => {
    expect(messageFrom(sample)).toBe(sample);
    expect(messageFrom({ ...sample, newer: { than: 'this' } })).toBeDefined();
  });

  test.each(samples)('$say without one of its members, or with another thing there, is not', (sample) => {
    for (const name of Object.keys(sample)) {
      const { [name]: _left, ...rest } = sample;
      expect([name, messageFrom(rest)]).toEqual([name, undefined]);
      for (const other of [{}, 1e9, 'x'.repeat(5_000), [[]]])
        expect([name, messageFrom({ ...sample, [name]: other })]).toEqual([name, undefined]);
    }
  });

  test('bodies have a bound in number and depth', () => {
    const relay = (items: Json): unknown => messageFrom({ say: 'relay', ...ofLeg, body: items });
    expect(relay(Array<Json>(100).fill(body[0]!))).toBeDefined();
    expect(relay(Array<Json>(101).fill(body[0]!))).toBeUndefined();
    expect(relay([{ type: 'x', value: nested(60) }])).toBeDefined();
    expect(relay([{ type: 'x', value: nested(70) }])).toBeUndefined();
  });

  test('words of another version, and what is no message, are none', () => {
    const values = [
      null,
      1,
      'call',
      [],
      {},
      { say: 1 },
      { say: 'toString' },
      { say: '__proto__' },
      { say: 'sing', a: 1 },
    ];
    for (const value of values) expect(messageFrom(value)).toBeUndefined();
    for (const value of [null, [], {}, { link: 'l', first: 0, messages: [] }, { link: 'l', first: 1, messages: {} }])
      expect(batchFrom(value)).toBeUndefined();
  });
});

test('fuzzed: nothing that another node sends makes a crash', () => {
  const random = seeded(seedOf('exchange messages'));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const odd: readonly Json[] = [null, true, -1, 0, 1.5, 1e308, '', 'x'.repeat(2_000), [], {}, [null], nested(500)];
  const mutate = (value: Json): Json => {
    if (random() < 0.15) return pick(odd);
    if (Array.isArray(value))
      return (value as readonly Json[]).flatMap((item) => (random() < 0.1 ? [] : [mutate(item)]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mutate(member ?? null)]));
  };
  let understood = 0;
  for (let i = 0; i < scaled({ verify: 20_000, soak: 1_000_000 }); i++)
    if (messageFrom(mutate(pick(samples))) !== undefined) understood++;
  expect(understood).toBeGreaterThan(0);
});
