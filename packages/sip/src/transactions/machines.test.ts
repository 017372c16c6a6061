import { describe, expect, test } from 'vitest';
import { inviteClientStart, stepInviteClient } from './invite-client.ts';
import { inviteServerStart, stepInviteServer } from './invite-server.ts';
import {
  DEFAULT_TIMERS,
  type ClientInput,
  type Effect,
  type ServerInput,
  type Step,
  type TimerName,
} from './machine.ts';
import { nonInviteClientStart, stepNonInviteClient } from './non-invite-client.ts';
import { nonInviteServerStart, stepNonInviteServer, tryingDelayMs } from './non-invite-server.ts';

/** `send`, `A=500` (timer set), `-A` (stopped), `fail:timeout` … */
function written(effects: readonly Effect[]): string {
  const words = effects.map((e) => {
    if (e.do === 'start') return `${e.timer}=${e.ms}`;
    if (e.do === 'stop') return `-${e.timer}`;
    return e.do === 'fail' ? `fail:${e.cause}` : e.do;
  });
  return words.join(' ');
}

/** `180` is a response (client) or an answer (server), `t:A` a timer, other words stand for themselves. */
function client(word: string): ClientInput {
  if (/^\d/.test(word)) return { on: 'response', status: Number(word) };
  if (word.startsWith('t:')) return { on: 'timer', timer: word.slice(2) as TimerName };
  return { on: word === 'error' ? 'transport-error' : 'begin' };
}

function server(word: string): ServerInput {
  if (/^\d/.test(word)) return { on: 'respond', status: Number(word) };
  if (word.startsWith('t:')) return { on: 'timer', timer: word.slice(2) as TimerName };
  if (word === 'error') return { on: 'transport-error' };
  return { on: word === 'request' || word === 'ack' ? word : 'begin' };
}

/** Inputs that lead to the state under test, the input, the state and the effects expected of it. */
type Row = readonly [path: string, input: string, state: string, effects: string];

function runTable<S extends { readonly name: string }, I>(
  rows: readonly Row[],
  initial: S,
  step: (state: S, input: I) => Step<S>,
  read: (word: string) => I,
): void {
  test.each(rows)('%s | %s → %s [%s]', (path, input, state, effects) => {
    let at = initial;
    for (const word of path.split(' ').filter(Boolean)) at = step(at, read(word)).state;
    const result = step(at, read(input));
    expect([result.state.name, written(result.effects)]).toEqual([state, effects]);
  });
}

const udp = { isReliable: false, timers: DEFAULT_TIMERS };
const tcp = { isReliable: true, timers: DEFAULT_TIMERS };

describe('INVITE client, unreliable (RFC 3261 17.1.1, RFC 6026 figure 4)', () => {
  runTable(
    [
      ['', 'begin', 'calling', 'send A=500 B=32000'],
      ['begin', 't:A', 'calling', 'send A=1000'],
      ['begin t:A', 't:A', 'calling', 'send A=2000'],
      ['begin t:A t:A t:A t:A', 't:A', 'calling', 'send A=16000'],
      ['begin', 't:B', 'terminated', '-A fail:timeout'],
      ['begin', 'error', 'terminated', '-A -B fail:transport'],
      ['begin', '100', 'proceeding', '-A -B deliver'],
      ['begin', '200', 'accepted', '-A -B M=32000 deliver'],
      ['begin', '302', 'completed', '-A -B ack D=32000 deliver'],
      ['begin', '486', 'completed', '-A -B ack D=32000 deliver'],
      ['begin', '603', 'completed', '-A -B ack D=32000 deliver'],
      ['begin 100', '180', 'proceeding', 'deliver'],
      ['begin 100', '200', 'accepted', 'M=32000 deliver'],
      ['begin 100', '404', 'completed', 'ack D=32000 deliver'],
      ['begin 100', 't:A', 'proceeding', ''],
      ['begin 100', 't:B', 'proceeding', ''],
      ['begin 200', '200', 'accepted', 'deliver'],
      ['begin 200', '180', 'accepted', ''],
      ['begin 200', '486', 'accepted', ''],
      ['begin 200', 'error', 'accepted', ''],
      ['begin 200', 't:M', 'terminated', ''],
      ['begin 486', '486', 'completed', 'ack'],
      ['begin 486', '180', 'completed', ''],
      ['begin 486', '200', 'completed', ''],
      ['begin 486', 'error', 'terminated', '-D fail:transport'],
      ['begin 486', 't:D', 'terminated', ''],
      ['begin 486 t:D', '486', 'terminated', ''],
    ],
    inviteClientStart,
    (s, i: ClientInput) => stepInviteClient(s, i, udp),
    client,
  );
});

describe('INVITE client, reliable', () => {
  runTable(
    [
      ['', 'begin', 'calling', 'send B=32000'],
      ['begin', 't:B', 'terminated', '-A fail:timeout'],
      ['begin', '486', 'terminated', '-A -B ack deliver'],
      ['begin 180', '486', 'terminated', 'ack deliver'],
      ['begin 180', '200', 'accepted', 'M=32000 deliver'],
    ],
    inviteClientStart,
    (s, i: ClientInput) => stepInviteClient(s, i, tcp),
    client,
  );
});

describe('non-INVITE client, unreliable (RFC 3261 17.1.2)', () => {
  runTable(
    [
      ['', 'begin', 'trying', 'send E=500 F=32000'],
      ['begin', 't:E', 'trying', 'send E=1000'],
      ['begin t:E t:E', 't:E', 'trying', 'send E=4000'],
      ['begin t:E t:E t:E', 't:E', 'trying', 'send E=4000'],
      ['begin', 't:F', 'terminated', '-E fail:timeout'],
      ['begin', 'error', 'terminated', '-E -F fail:transport'],
      ['begin', '100', 'proceeding', 'deliver'],
      ['begin', '200', 'completed', '-E -F K=5000 deliver'],
      ['begin', '500', 'completed', '-E -F K=5000 deliver'],
      ['begin 100', 't:E', 'proceeding', 'send E=4000'],
      ['begin 100', 't:F', 'terminated', '-E fail:timeout'],
      ['begin 100', 'error', 'terminated', '-E -F fail:transport'],
      ['begin 100', '180', 'proceeding', 'deliver'],
      ['begin 100', '200', 'completed', '-E -F K=5000 deliver'],
      ['begin 200', '200', 'completed', ''],
      ['begin 200', 't:K', 'terminated', ''],
    ],
    nonInviteClientStart,
    (s, i: ClientInput) => stepNonInviteClient(s, i, udp),
    client,
  );
});

describe('non-INVITE client, reliable', () => {
  runTable(
    [
      ['', 'begin', 'trying', 'send F=32000'],
      ['begin', '200', 'terminated', '-E -F deliver'],
      ['begin 100', '200', 'terminated', '-E -F deliver'],
      ['begin', 't:F', 'terminated', '-E fail:timeout'],
    ],
    nonInviteClientStart,
    (s, i: ClientInput) => stepNonInviteClient(s, i, tcp),
    client,
  );
});

describe('INVITE server, unreliable (RFC 3261 17.2.1, RFC 6026 figure 5)', () => {
  runTable(
    [
      ['', 'begin', 'proceeding', 'trying=200 deliver'],
      ['begin', 'request', 'proceeding', ''],
      ['begin', 't:trying', 'proceeding', 'trying'],
      ['begin t:trying', 'request', 'proceeding', 'send'],
      ['begin', '180', 'proceeding', '-trying send'],
      ['begin 180', 't:trying', 'proceeding', ''],
      ['begin 180', 'request', 'proceeding', 'send'],
      ['begin 180', 'error', 'proceeding', 'fail:transport'],
      ['begin 180', '200', 'accepted', '-trying send L=32000'],
      ['begin', '486', 'completed', '-trying send G=500 H=32000'],
      ['begin 200', 'request', 'accepted', ''],
      ['begin 200', '200', 'accepted', 'send'],
      ['begin 200', '486', 'accepted', ''],
      ['begin 200', 'ack', 'accepted', 'deliver'],
      ['begin 200', 'error', 'accepted', 'fail:transport'],
      ['begin 200', 't:L', 'terminated', ''],
      ['begin 486', 'request', 'completed', 'send'],
      ['begin 486', 't:G', 'completed', 'send G=1000'],
      ['begin 486 t:G t:G', 't:G', 'completed', 'send G=4000'],
      ['begin 486 t:G t:G t:G', 't:G', 'completed', 'send G=4000'],
      ['begin 486', 't:H', 'terminated', '-G fail:timeout'],
      ['begin 486', '200', 'completed', ''],
      ['begin 486', 'error', 'completed', 'fail:transport'],
      ['begin 486', 'ack', 'confirmed', '-G -H I=5000'],
      ['begin 486 ack', 'ack', 'confirmed', ''],
      ['begin 486 ack', 'request', 'confirmed', ''],
      ['begin 486 ack', 't:I', 'terminated', ''],
    ],
    inviteServerStart,
    (s, i: ServerInput) => stepInviteServer(s, i, udp),
    server,
  );
});

describe('INVITE server, reliable', () => {
  runTable(
    [
      ['begin', '486', 'completed', '-trying send H=32000'],
      ['begin 486', 'ack', 'terminated', '-G -H'],
      ['begin 486', 't:H', 'terminated', '-G fail:timeout'],
      ['begin', '200', 'accepted', '-trying send L=32000'],
    ],
    inviteServerStart,
    (s, i: ServerInput) => stepInviteServer(s, i, tcp),
    server,
  );
});

describe('non-INVITE server, unreliable (RFC 3261 17.2.2, RFC 4320)', () => {
  runTable(
    [
      ['', 'begin', 'trying', 'trying=3500 F=32000 deliver'],
      ['begin', 'request', 'trying', ''],
      ['begin', '100', 'trying', ''],
      ['begin', '180', 'trying', ''],
      ['begin', 't:trying', 'proceeding', 'trying'],
      ['begin t:trying', 'request', 'proceeding', 'send'],
      ['begin t:trying', '200', 'completed', '-trying -F send J=32000'],
      ['begin', '200', 'completed', '-trying -F send J=32000'],
      ['begin', '408', 'terminated', '-trying -F'],
      ['begin', 't:F', 'terminated', '-trying'],
      ['begin', 'error', 'terminated', '-trying -F fail:transport'],
      ['begin 200', 'request', 'completed', 'send'],
      ['begin 200', '486', 'completed', ''],
      ['begin 200', 'error', 'terminated', '-J fail:transport'],
      ['begin 200', 't:J', 'terminated', ''],
    ],
    nonInviteServerStart,
    (s, i: ServerInput) => stepNonInviteServer(s, i, udp),
    server,
  );
});

describe('non-INVITE server, reliable', () => {
  runTable(
    [
      ['begin', '100', 'proceeding', '-trying send'],
      ['begin 100', 't:trying', 'proceeding', ''],
      ['begin', '183', 'trying', ''],
      ['begin', '200', 'terminated', '-trying -F send'],
      ['begin 100', '200', 'terminated', '-trying -F send'],
    ],
    nonInviteServerStart,
    (s, i: ServerInput) => stepNonInviteServer(s, i, tcp),
    server,
  );
});

test('the 100 of RFC 4320 is due when timer E reaches T2', () => {
  expect(tryingDelayMs(DEFAULT_TIMERS)).toBe(3_500);
  expect(tryingDelayMs({ t1: 100, t2: 100, t4: 100 })).toBe(100);
});
