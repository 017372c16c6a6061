import { beforeEach, describe, expect, test } from 'vitest';
import { Stage, uriOf } from '../../test/agent-pair.ts';
import { DigestServer } from '../digest/index.ts';
import type { Target } from '../transport/index.ts';
import { sdp } from '../offer-answer/index.ts';
import type { IncomingCall, UserAgent, UserAgentOptions } from './index.ts';

const body = sdp('offer');
const credentials = { username: 'alice', password: 'secret' };
const digest = new DigestServer({ realm: 'bob', findSecret: () => ({ password: 'secret' }) });

let stage: Stage;
let bob: UserAgent;
let incoming: IncomingCall[];

beforeEach(() => {
  stage = new Stage();
  bob = stage.agent('bob');
  incoming = [];
  bob.on('invite', (call) => incoming.push(call));
});

const caller = (options: Partial<UserAgentOptions> = {}): UserAgent =>
  stage.agent('alice', { credentials, ...options });

const challenge = (call: IncomingCall): void =>
  call.reject(401, { edit: (response) => digest.challenge(response, { kind: 'unproven' }) });

const invites = (): string[] => stage.said().filter((line) => line === 'alice > bob INVITE');

describe('a call that is given up is not tried again', () => {
  test.each([
    ['a challenge', challenge],
    ['a 422', (call: IncomingCall) => call.reject(422, { headers: { 'Min-SE': 3_600 } })],
  ] as const)('%s crosses our CANCEL', async (_name, refuse) => {
    const call = caller().invite(uriOf('bob'), { body });
    await stage.pass(20);
    incoming[0]!.progress(180);
    await stage.pass(20);
    call.hangup();
    refuse(incoming[0]!);
    await stage.pass(1_000);
    expect(invites()).toHaveLength(1);
    expect([incoming.length, call.end?.by]).toEqual([1, 'us']);
    await stage.expectNothingLeft();
  });

  test('a challenge that comes before any provisional response', async () => {
    const call = caller().invite(uriOf('bob'), { body });
    await stage.pass(20);
    call.hangup();
    challenge(incoming[0]!);
    await stage.pass(1_000);
    expect([invites().length, call.end?.by]).toEqual([1, 'us']);
    await stage.expectNothingLeft();
  });

  test('nobody answers: the next server of the domain is not asked', async () => {
    const resolve = (): Promise<{ protocol: 'udp'; address: string; port: number }[]> =>
      Promise.resolve(['10.0.0.99', '10.0.0.2'].map((address) => ({ protocol: 'udp', address, port: 5060 })));
    const call = caller({ resolve }).invite('sip:bob@example.test', { body });
    await stage.pass(20);
    call.hangup();
    await stage.pass(40_000, 100);
    expect([invites().length, call.end?.by]).toEqual([0, 'us']);
    await stage.expectNothingLeft();
  });
});

test('a call given up while its server is looked up is never sent', async () => {
  let found: (targets: Target[]) => void = () => undefined;
  const call = caller({ resolve: () => new Promise((resolve) => (found = resolve)) }).invite('sip:bob@example.test');
  call.hangup();
  found([{ protocol: 'udp', address: '10.0.0.2', port: 5060 }]);
  await stage.pass(20);
  expect([stage.said(), call.end?.by]).toEqual([[], 'us']);
  await stage.expectNothingLeft();
});

describe('no room', () => {
  test('for the answer to a challenge: the request fails, nothing is thrown at the network', async () => {
    bob.on('message', (request) =>
      request.respond(401, { edit: (response) => digest.challenge(response, { kind: 'unproven' }) }),
    );
    const sent = expect(caller({ maxTransactions: 1 }).message(uriOf('bob'), 'hello')).rejects.toMatchObject({
      code: 'too-many-transactions',
    });
    await stage.pass(50);
    await sent;
    await stage.expectNothingLeft();
  });

  test('a CANCEL goes out however little there is', async () => {
    const call = caller({ maxTransactions: 1 }).invite(uriOf('bob'), { body });
    await stage.pass(20);
    call.hangup();
    incoming[0]!.ring();
    await stage.pass(20);
    expect([call.end?.by, incoming[0]!.end?.status]).toEqual(['us', 487]);
    await stage.expectNothingLeft();
  });

  test('for an early dialog: it rings without one', async () => {
    const call = caller({ maxDialogs: 0 }).invite(uriOf('bob'), { body });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    expect(call.state).toBe('proceeding');
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('for the dialog of a call that is answered: it ends', async () => {
    const call = caller({ maxDialogs: 0 }).invite(uriOf('bob'), { body });
    await stage.pass(20);
    incoming[0]!.answer({ body });
    await stage.pass(20);
    expect(call.end).toMatchObject({ by: 'network', error: { code: 'too-many-dialogs' } });
    await stage.expectNothingLeft();
  });

  test('for a request in a call: that fails, the call stands', async () => {
    const call = caller({ maxTransactions: 1 }).invite(uriOf('bob'), { body });
    await stage.pass(20);
    incoming[0]!.answer({ body });
    await stage.pass(20);
    const asked = expect(call.request('INFO')).rejects.toMatchObject({ code: 'too-many-transactions' });
    await stage.pass(20);
    await asked;
    expect(call.end).toBeUndefined();
    await stage.pass(40_000, 100);
    call.hangup();
    await stage.expectNothingLeft();
  });
});

test('a refresh that is answered by an offer, where there was no session: its 2xx is acknowledged', async () => {
  // A peer that takes no UPDATE.
  stage.network.mutate = (bytes) => Buffer.from(Buffer.from(bytes).toString().replaceAll('UPDATE, ', ''));
  const call = caller().invite(uriOf('bob'));
  await stage.pass(20);
  incoming[0]!.on('change', (change) => void change.accept(body));
  incoming[0]!.answer();
  await stage.pass(20);
  stage.said();
  await stage.pass(900_050, 100);
  expect(stage.said()).toEqual(['alice > bob INVITE', 'bob > alice 200 INVITE', 'alice > bob ACK']);
  expect([call.end, incoming[0]!.end]).toEqual([undefined, undefined]);
  call.hangup();
  await stage.expectNothingLeft();
});

test('a peer that challenges without end is answered four times', async () => {
  let asked = 0;
  bob.on('message', (request) => {
    asked += 1;
    request.respond(401, { edit: (response) => digest.challenge(response, { kind: 'unproven', isStale: true }) });
  });
  const sent = expect(caller().message(uriOf('bob'), 'hello')).rejects.toMatchObject({ status: 401 });
  await stage.pass(1_000);
  await sent;
  expect(asked).toBe(5);
  await stage.expectNothingLeft();
});
