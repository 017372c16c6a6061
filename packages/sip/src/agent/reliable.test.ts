import { beforeEach, describe, expect, test } from 'vitest';
import { sdp, textOf } from '../offer-answer/index.ts';
import { Stage, uriOf } from '../../test/agent-pair.ts';
import { MAX_WAITING_PROVISIONALS } from './index.ts';
import type { IncomingCall, Progress, UserAgent } from './index.ts';

let stage: Stage;
let alice: UserAgent;
let incoming: IncomingCall[];

beforeEach(() => {
  stage = new Stage();
  alice = stage.agent('alice');
  incoming = [];
  stage.agent('bob').on('invite', (call) => incoming.push(call));
});

describe('reliable provisional responses (RFC 3262)', () => {
  test('are acknowledged by PRACK, one after the other; the 200 waits for the answer in a 183', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    const seen: string[] = [];
    call.on('progress', ({ status, isReliable }) => seen.push(`${status} ${isReliable}`));
    await stage.pass(20);
    incoming[0]!.progress(183, { body: sdp('answer') });
    incoming[0]!.progress(182, { isReliable: true });
    incoming[0]!.ring();
    incoming[0]!.answer();
    await stage.pass(100);
    expect(stage.said()).toEqual([
      'alice > bob INVITE',
      'bob > alice 183 INVITE',
      'bob > alice 180 INVITE',
      'alice > bob PRACK',
      'bob > alice 182 INVITE',
      'bob > alice 200 PRACK',
      'alice > bob PRACK',
      'bob > alice 200 PRACK',
      'bob > alice 200 INVITE',
      'alice > bob ACK',
    ]);
    expect(seen).toEqual(['183 true', '180 false', '182 true']);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('a lost 183 is repeated after 0.5, 1.5, 3.5 s', async () => {
    alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    stage.network.faults = { drop: 1, random: () => 0 };
    const from = stage.clock.now();
    incoming[0]!.progress(183, { body: sdp('answer') });
    await stage.pass(1_600);
    stage.network.faults = {};
    await stage.pass(3_000);
    const times = stage.network.sent.filter((s) => s.text.startsWith('SIP/2.0 183')).map((s) => s.atMs - from);
    expect(times).toEqual([0, 500, 1_500, 3_500].map((t) => expect.closeTo(t, -2)));
    incoming[0]!.reject(486);
    await stage.expectNothingLeft();
  });

  test('without a PRACK the call is refused after 32 s', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    stage.hosts.get('alice')!.isBroken = true;
    incoming[0]!.progress(183, { body: sdp('answer') });
    await stage.pass(33_000, 500);
    expect(incoming[0]!.end).toMatchObject({ by: 'us', status: 504 });
    expect(call.state).not.toBe('confirmed');
    await stage.expectNothingLeft();
  });

  test('an offer in the 183 is answered in the PRACK', async () => {
    const call = alice.invite(uriOf('bob'));
    let progress: Progress | undefined;
    call.on('progress', (p) => (progress = p));
    await stage.pass(20);
    incoming[0]!.progress(183, { body: sdp('their offer') });
    await stage.pass(600);
    expect(stage.said().includes('alice > bob PRACK')).toBe(false);
    progress!.acknowledge!(sdp('our answer'));
    await stage.pass(20);
    expect(textOf(incoming[0]!.dialog.remoteBody!)).toBe('our answer');
    incoming[0]!.answer();
    await stage.pass(20);
    expect([call.state, incoming[0]!.state]).toEqual(['confirmed', 'confirmed']);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('only so many wait for a PRACK', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    stage.hosts.get('alice')!.isBroken = true;
    const ring = (): void => incoming[0]!.progress(180, { isReliable: true });
    for (let i = 0; i <= MAX_WAITING_PROVISIONALS; i += 1) ring();
    expect(ring).toThrow(/too many/);
    stage.hosts.get('alice')!.isBroken = false;
    incoming[0]!.reject(486);
    await stage.pass(100);
    expect(call.end?.status).toBe(486);
    await stage.expectNothingLeft();
  });

  test('a PRACK that matches nothing is a 481', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    const prack = expect(call.request('PRACK', { headers: { RAck: '1 1 INVITE' } })).rejects.toMatchObject({
      status: 481,
    });
    await stage.pass(20);
    await prack;
    await stage.expectNothingLeft();
  });

  test('Require: 100rel makes every response reliable', async () => {
    alice.invite(uriOf('bob'), { body: sdp('offer'), headers: { Require: '100rel' } });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    expect(stage.last(/^SIP\/2\.0 180/)).toMatch(/\r\nRSeq: \d+\r\n/);
    incoming[0]!.hangup();
    await stage.expectNothingLeft();
  });
});

describe('forking (RFC 3261 13.2.2.4)', () => {
  /** What a forking proxy would send back: bob's response with another To tag. */
  async function pretend(status: number, tag: string): Promise<void> {
    const text = stage.last(/^SIP\/2\.0 180/).replace(/^SIP\/2\.0 180 \w+/, `SIP/2.0 ${status} X`);
    const host = stage.hosts.get('bob')!;
    const other = text.replace(/(To: [^\r]*;tag=)[^\r]*/, `$1${tag}`);
    await host.send(Buffer.from(other), host.to({ address: '10.0.0.1', port: 5060 }));
    await stage.pass(20);
  }

  test('several early dialogs; the first 200 wins, a second one is acknowledged and hung up', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    await pretend(180, 'fork2');
    expect(alice.counts.dialogs).toBe(2);
    incoming[0]!.answer({ body: sdp('answer') });
    await stage.pass(20);
    expect(alice.counts.dialogs).toBe(1);
    stage.said();
    await pretend(200, 'fork3');
    const said = stage.said();
    expect(said.slice(0, 3)).toEqual(['bob > alice 200 INVITE', 'alice > bob ACK', 'alice > bob BYE']);
    await pretend(200, 'fork3');
    expect(stage.said()).toEqual(['bob > alice 200 INVITE', 'alice > bob ACK']);
    expect([call.state, alice.counts.dialogs]).toEqual(['confirmed', 1]);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('early dialogs are bounded', async () => {
    alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    incoming[0]!.ring();
    for (let i = 0; i < 70; i += 1) await pretend(180, `fork${i}`);
    expect(alice.counts.dialogs).toBe(64);
    incoming[0]!.hangup();
    await stage.expectNothingLeft();
  });
});

describe('session timers (RFC 4028)', () => {
  test('refreshes by UPDATE at half time', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    incoming[0]!.answer({ body: sdp('answer') });
    await stage.pass(20);
    expect(stage.last(/^SIP\/2\.0 200/)).toMatch(/Session-Expires: 1800;refresher=uac\r\n/);
    stage.said();
    await stage.pass(901_000, 10_000);
    expect(stage.said()).toEqual(['alice > bob UPDATE', 'bob > alice 200 UPDATE']);
    await stage.pass(901_000, 10_000);
    expect(stage.said()).toEqual(['alice > bob UPDATE', 'bob > alice 200 UPDATE']);
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('a silent peer: BYE 32 s before the end', async () => {
    const call = alice.invite(uriOf('bob'), { body: sdp('offer') });
    await stage.pass(20);
    incoming[0]!.answer({ body: sdp('answer') });
    await stage.pass(20);
    stage.hosts.get('alice')!.isBroken = true;
    await stage.pass(1_770_000, 10_000);
    expect(incoming[0]!.end).toMatchObject({ by: 'network', error: { code: 'timeout' } });
    expect(call.end?.by).not.toBe('us');
    await stage.expectNothingLeft();
  });

  test('422: once more with the peer’s minimum', async () => {
    const carol = stage.agent('carol', { sessionTimer: { expires: 3_600, minSE: 2_000 } });
    const calls: IncomingCall[] = [];
    carol.on('invite', (call) => calls.push(call));
    const call = alice.invite(uriOf('carol'), { body: sdp('offer') });
    await stage.pass(20);
    calls[0]!.answer({ body: sdp('answer') });
    await stage.pass(20);
    expect(stage.said().slice(0, 4)).toEqual([
      'alice > carol INVITE',
      'carol > alice 422 INVITE',
      'alice > carol ACK',
      'alice > carol INVITE',
    ]);
    expect(stage.last(/^SIP\/2\.0 200/)).toMatch(/Session-Expires: 2000;refresher=uac/);
    expect(call.state).toBe('confirmed');
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('nobody wants one', async () => {
    const carol = stage.agent('carol', { sessionTimer: { expires: 0 } });
    const dora = stage.agent('dora', { sessionTimer: { expires: 0 } });
    dora.on('invite', (call) => call.answer({ body: sdp('answer') }));
    const call = carol.invite(uriOf('dora'), { body: sdp('offer') });
    await stage.pass(20);
    expect(stage.last(/^SIP\/2\.0 200/)).not.toMatch(/Session-Expires/);
    await stage.pass(60_000, 1_000);
    expect(carol.counts.timers).toBe(0);
    call.hangup();
    await stage.expectNothingLeft();
  });
});
