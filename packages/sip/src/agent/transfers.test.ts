import { beforeEach, describe, expect, test } from 'vitest';
import { DigestServer } from '../digest/index.ts';
import { sdp } from '../offer-answer/index.ts';
import { Stage, uriOf } from '../../test/agent-pair.ts';
import type { Call, IncomingCall, IncomingRefer, OutgoingCall, UserAgent } from './index.ts';

let stage: Stage;
let alice: UserAgent;
let bob: UserAgent;
let carol: UserAgent;
let atBob: IncomingCall[];
let atCarol: IncomingCall[];
let all: Call[];

function taking(agent: UserAgent): IncomingCall[] {
  const calls: IncomingCall[] = [];
  agent.on('invite', (call) => {
    calls.push(call);
    all.push(call);
    call.answer({ body: sdp('answer') });
  });
  return calls;
}

beforeEach(() => {
  stage = new Stage();
  all = [];
  alice = stage.agent('alice');
  bob = stage.agent('bob');
  carol = stage.agent('carol');
  atBob = taking(bob);
  atCarol = taking(carol);
});

async function connect(from: UserAgent, to: 'bob' | 'carol'): Promise<OutgoingCall> {
  const call = from.invite(uriOf(to), { body: sdp('offer') });
  all.push(call);
  await stage.pass(30);
  expect(call.state).toBe('confirmed');
  stage.said();
  return call;
}

/** Does what a phone does with a REFER: calls, and tells how it goes. */
function obey(agent: UserAgent, call: Call): IncomingRefer[] {
  const refers: IncomingRefer[] = [];
  call.on('refer', (refer) => {
    refers.push(refer);
    refer.accept();
    const made = agent.invite(refer.target, { body: sdp('offer'), replaces: refer.replaces });
    all.push(made);
    made.on('answered', () => refer.notify(200));
    made.on('ended', ({ status }) => refer.notify(status ?? 487));
  });
  return refers;
}

async function finish(): Promise<void> {
  for (const call of all) call.hangup();
  await stage.expectNothingLeft();
}

describe('REFER (RFC 3515)', () => {
  test('blind transfer: 202, NOTIFY 100, NOTIFY 200', async () => {
    const call = await connect(alice, 'bob');
    const refers = obey(bob, atBob[0]!);
    const referral = call.refer(uriOf('carol'), { referredBy: `<${uriOf('alice')}>` });
    const seen: number[] = [];
    referral.on('progress', ({ status }) => seen.push(status));
    const outcome = referral.outcome();
    await stage.pass(100);
    expect(await outcome).toBe(200);
    expect(seen).toEqual([100, 200]);
    expect([refers[0]!.referredBy, refers[0]!.target.uriText]).toEqual([`<${uriOf('alice')}>`, uriOf('carol')]);
    expect(stage.said()).toEqual([
      'alice > bob REFER',
      'bob > alice 202 REFER',
      'bob > alice NOTIFY',
      'bob > carol INVITE',
      'alice > bob 200 NOTIFY',
      'carol > bob 200 INVITE',
      'bob > carol ACK',
      'bob > alice NOTIFY',
      'alice > bob 200 NOTIFY',
    ]);
    await finish();
  });

  test('the transferor hangs up at once: NOTIFYs still find it', async () => {
    const call = await connect(alice, 'bob');
    obey(bob, atBob[0]!);
    const referral = call.refer(uriOf('carol'));
    await stage.pass(3, 1);
    call.hangup();
    const outcome = referral.outcome();
    await stage.pass(200);
    expect(await outcome).toBe(200);
    expect(stage.said().filter((line) => line.includes('481'))).toEqual([]);
    await finish();
  });

  test('a Refer-To that is no URI is a 400, and holds nothing', async () => {
    const call = await connect(alice, 'bob');
    obey(bob, atBob[0]!);
    for (const target of ['<sip:@>', '<sip:a@b>, <sip:c@d>', 'x']) {
      const refused = expect(call.request('REFER', { headers: { 'Refer-To': target } })).rejects.toMatchObject({
        status: 400,
      });
      await stage.pass(50);
      await refused;
    }
    await finish();
  });

  test('the peer refuses', async () => {
    const call = await connect(alice, 'bob');
    const outcome = expect(call.refer(uriOf('carol')).outcome()).rejects.toMatchObject({ status: 603 });
    await stage.pass(50);
    await outcome;
    expect(call.state).toBe('confirmed');
    await finish();
  });

  test('the transferred call fails: its status is told', async () => {
    const call = await connect(alice, 'bob');
    obey(bob, atBob[0]!);
    const outcome = call.refer('sip:x@nowhere.test').outcome();
    await stage.pass(100);
    expect(await outcome).toBe(487);
    await finish();
  });

  test('without a subscription (RFC 4488)', async () => {
    const call = await connect(alice, 'bob');
    obey(bob, atBob[0]!);
    const outcome = call.refer(uriOf('carol'), { isSilent: true }).outcome();
    await stage.pass(100);
    expect(await outcome).toBeUndefined();
    expect(stage.said()).not.toContain('bob > alice NOTIFY');
    expect(stage.last(/^SIP\/2\.0 200.*CSeq: \d+ REFER/s)).toMatch(/\r\nRefer-Sub: false\r\n/);
    await finish();
  });

  test('no NOTIFY within 32 s ends the referral', async () => {
    const call = await connect(alice, 'bob');
    atBob[0]!.on('refer', (refer) => void refer.request.respond(202, { headers: { Contact: '<sip:bob@10.0.0.2>' } }));
    const outcome = call.refer(uriOf('carol')).outcome();
    await stage.pass(33_000, 500);
    expect(await outcome).toBeUndefined();
    await finish();
  });

  test('outside a call', async () => {
    bob.on('refer', (refer) => {
      refer.accept();
      refer.notify(200);
    });
    const subscription = alice.refer(uriOf('bob'), uriOf('carol'));
    const states: string[] = [];
    subscription.on('notify', ({ state }) => states.push(state));
    await stage.pass(100);
    expect([subscription.state, states.at(-1)]).toEqual(['terminated', 'terminated']);
    await finish();
  });
});

describe('Replaces (RFC 3891)', () => {
  test('attended transfer: the new call takes the place of the old one', async () => {
    const toBob = await connect(alice, 'bob');
    const toCarol = await connect(alice, 'carol');
    obey(bob, atBob[0]!);
    const outcome = toBob.refer(uriOf('carol'), { replaces: toCarol.replacesValue }).outcome();
    await stage.pass(100);
    expect(await outcome).toBe(200);
    expect(stage.last(/^INVITE sip:carol.*\r\nReplaces: /s)).toContain(`Replaces: ${toCarol.callId};to-tag=`);
    expect(atCarol[1]!.replaces).toBe(atCarol[0]);
    expect([toCarol.end?.by, atCarol[0]!.end?.by, atCarol[1]!.state]).toEqual(['peer', 'us', 'confirmed']);
    await finish();
  });

  test.each([
    ['unknown;to-tag=a;from-tag=b', 481],
    ['unknown;to-tag=a', 400],
  ])('%s is a %s', async (replaces, status) => {
    const call = alice.invite(uriOf('carol'), { body: sdp('offer'), replaces });
    await stage.pass(50);
    expect(call.end?.status).toBe(status);
    await finish();
  });

  test('early-only against an answered call is a 486', async () => {
    const toCarol = await connect(alice, 'carol');
    const call = bob.invite(uriOf('carol'), { body: sdp('offer'), replaces: `${toCarol.replacesValue};early-only` });
    await stage.pass(50);
    expect(call.end?.status).toBe(486);
    await finish();
  });
});

test('a NOTIFY names the REFER that was accepted: the one after a challenge (RFC 3515 2.4.6)', async () => {
  const digest = new DigestServer({ realm: 'bob', findSecret: () => ({ password: 'secret' }) });
  const dora = stage.agent('dora', { credentials: { username: 'dora', password: 'secret' } });
  const call = await connect(dora, 'bob');
  let isAsked = false;
  atBob[0]!.on('refer', (refer) => {
    if (isAsked) {
      refer.accept();
      return refer.notify(200);
    }
    isAsked = true;
    refer.request.respond(401, { edit: (response) => digest.challenge(response, { kind: 'unproven' }) });
  });
  const outcome = call.refer(uriOf('carol')).outcome();
  await stage.pass(100);
  expect(await outcome).toBe(200);
  expect(stage.said().filter((line) => line.includes('481'))).toEqual([]);
  await finish();
});
