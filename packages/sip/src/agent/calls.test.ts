import { beforeEach, describe, expect, test } from 'vitest';
import { answer, establishCall, offer, Stage, text, uriOf } from '../../test/agent-pair.ts';
import type { IncomingCall, OutgoingCall, UserAgent } from './index.ts';

let stage: Stage;
let alice: UserAgent;
let bob: UserAgent;
let incoming: IncomingCall[];

beforeEach(() => {
  stage = new Stage();
  alice = stage.agent('alice');
  bob = stage.agent('bob');
  incoming = [];
  bob.on('invite', (call) => incoming.push(call));
});

const establish = (): Promise<[OutgoingCall, IncomingCall]> => establishCall({ stage, alice, incoming });

describe('a call', () => {
  test('rings, is answered and hung up', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    const events: string[] = [];
    call.on('progress', ({ status }) => events.push(`progress ${status}`));
    call.on('answered', ({ body, isOffer }) => events.push(`answered ${text(body)} ${isOffer}`));
    call.on('confirmed', () => events.push('confirmed'));
    call.on('ended', ({ by }) => events.push(`ended by ${by}`));
    await stage.pass(20);
    const [theirs] = incoming;
    theirs!.on('confirmed', () => events.push('bob confirmed'));
    theirs!.on('ended', ({ by }) => events.push(`bob ended by ${by}`));
    expect(text(theirs!.offer)).toBe('offer');
    theirs!.ring();
    await stage.pass(300);
    theirs!.answer({ body: answer });
    await stage.pass(20);
    theirs!.hangup();
    await stage.pass(20);
    expect(stage.said()).toEqual([
      'alice > bob INVITE',
      'bob > alice 180 INVITE',
      'bob > alice 200 INVITE',
      'alice > bob ACK',
      'bob > alice BYE',
      'alice > bob 200 BYE',
    ]);
    expect(events).toEqual([
      'progress 180',
      'answered answer false',
      'confirmed',
      'bob confirmed',
      'bob ended by us',
      'ended by peer',
    ]);
    await stage.expectNothingLeft();
  });

  test('trap 9: a late offer: the answer comes in the ACK', async () => {
    const call = alice.invite(uriOf('bob'));
    await stage.pass(20);
    let heard: string | undefined;
    incoming[0]!.on('confirmed', ({ body }) => (heard = text(body)));
    incoming[0]!.answer({ body: offer });
    await stage.pass(1_200);
    expect(call.state).toBe('answered');
    call.acknowledge(answer);
    await stage.pass(20);
    expect(heard).toBe('answer');
    expect(stage.said()).toEqual([
      'alice > bob INVITE',
      'bob > alice 200 INVITE',
      'bob > alice 200 INVITE',
      'alice > bob ACK',
    ]);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('is refused', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.reject(486);
    const end = call.ended();
    await stage.pass(20);
    expect(await end).toMatchObject({ by: 'peer', status: 486 });
    await expect(call.answered()).rejects.toThrow(/486/);
    expect(stage.said()).toEqual(['alice > bob INVITE', 'bob > alice 486 INVITE', 'alice > bob ACK']);
    await stage.expectNothingLeft();
  });

  test('nobody there: the caller hears of it after 32 s', async () => {
    const call = alice.invite('sip:x@10.0.0.99', { body: offer });
    await stage.pass(33_000, 500);
    expect(call.end).toMatchObject({ by: 'network', error: { code: 'timeout' } });
    await stage.expectNothingLeft();
  });

  test('an address that no resolver finds', async () => {
    const call = alice.invite('sip:x@nowhere.test', { body: offer });
    await stage.pass(20);
    expect(call.end).toMatchObject({ by: 'network', error: { code: 'unreachable' } });
    await stage.expectNothingLeft();
  });

  test('a phone that rings for long says so every minute', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(125_000, 100);
    expect(stage.said().filter((line) => line.includes('180'))).toHaveLength(3);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('the signal hangs up', async () => {
    const stop = new AbortController();
    const call = alice.invite(uriOf('bob'), { body: offer, signal: stop.signal });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    stop.abort();
    await stage.pass(20);
    expect(call.end?.by).toBe('us');
    expect(incoming[0]!.end?.by).toBe('peer');
    await stage.expectNothingLeft();
  });
});

describe('hanging up in every state (RFC 3261 9, 15)', () => {
  test('before any response: the CANCEL waits for one', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    call.hangup();
    await stage.pass(300);
    expect(stage.said()).toEqual([
      'alice > bob INVITE',
      'bob > alice 100 INVITE',
      'alice > bob CANCEL',
      'bob > alice 200 CANCEL',
      'bob > alice 487 INVITE',
      'alice > bob ACK',
    ]);
    expect([call.end?.by, incoming[0]!.end?.by]).toEqual(['us', 'peer']);
    await stage.expectNothingLeft();
  });

  test('an answer that crosses the CANCEL is acknowledged and hung up', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    incoming[0]!.answer({ body: answer });
    call.hangup();
    await stage.pass(40);
    expect(stage.said().slice(2)).toEqual([
      'bob > alice 200 INVITE',
      'alice > bob CANCEL',
      'alice > bob ACK',
      'alice > bob BYE',
      'bob > alice 200 CANCEL',
      'bob > alice 200 BYE',
    ]);
    await stage.expectNothingLeft();
  });

  test('a CANCEL that is ignored ends the call for us after 32 s', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    stage.hosts.get('bob')!.isBroken = true;
    call.hangup();
    await stage.pass(33_000, 500);
    expect(call.end?.by).toBe('us');
    await stage.expectNothingLeft();
  });

  test('the callee hangs up before the ACK: its BYE waits', async () => {
    const call = alice.invite(uriOf('bob'));
    await stage.pass(20);
    incoming[0]!.answer({ body: offer });
    incoming[0]!.hangup();
    await stage.pass(20);
    expect(stage.said().at(-1)).toBe('bob > alice 200 INVITE');
    call.acknowledge(answer);
    await stage.pass(20);
    expect(stage.said()).toEqual(['alice > bob ACK', 'bob > alice BYE', 'alice > bob 200 BYE']);
    await stage.expectNothingLeft();
  });

  test('no ACK: 200 at 0, 0.5, 1.5, 3.5, 7.5 s and every 4 s, then BYE', async () => {
    alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    stage.hosts.get('alice')!.isBroken = true;
    const from = stage.clock.now();
    incoming[0]!.answer({ body: answer });
    await stage.pass(31_990);
    const oks = stage.network.sent.filter((s) => s.text.startsWith('SIP/2.0 200'));
    expect(oks.map((s) => Math.round((s.atMs - from) / 100) / 10)).toEqual([
      0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]);
    await stage.pass(100);
    expect(incoming[0]!.end).toMatchObject({ by: 'network', error: { code: 'timeout' } });
    expect(stage.said().at(-1)).toBe('bob > alice BYE');
    await stage.expectNothingLeft();
  });

  test('the agent closes: nothing is left', async () => {
    await establish();
    alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    stage.said();
    await alice.close();
    await bob.close();
    await stage.pass(20);
    // The call that stood is hung up; the one that was not answered is left to the other's refusal.
    expect(stage.said()).toEqual(['alice > bob BYE', 'bob > alice BYE', 'bob > alice 603 INVITE']);
    expect(alice.counts).toEqual({ dialogs: 0, transactions: 0, timers: 0 });
    expect(bob.counts).toEqual({ dialogs: 0, transactions: 0, timers: 0 });
    expect(() => alice.invite(uriOf('bob'))).toThrow(/closed/);
  });
});
