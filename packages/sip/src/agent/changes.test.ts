import { beforeEach, describe, expect, test } from 'vitest';
import { sdp } from '../offer-answer/index.ts';
import { answer, establishCall, offer, Stage, text, uriOf } from '../../test/agent-pair.ts';
import type { Change, IncomingCall, OutgoingCall, UserAgent } from './index.ts';

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

describe('changes (RFC 3261 14, RFC 3311)', () => {
  test('re-INVITE with an offer', async () => {
    const [ours, theirs] = await establish();
    theirs.on('change', (change) => void change.accept(sdp(`answer to ${text(change.offer)}`)));
    const change = ours.change(sdp('hold'));
    await stage.pass(20);
    expect(text((await change).body)).toBe('answer to hold');
    expect(stage.said()).toEqual(['alice > bob INVITE', 'bob > alice 200 INVITE', 'alice > bob ACK']);
    ours.hangup();
    await stage.expectNothingLeft();
  });

  test('a CANCEL of a re-INVITE ends it by 487 at once; the call stands (RFC 3261 9.2)', async () => {
    const [ours, theirs] = await establish();
    let asked: Change | undefined;
    theirs.on('change', (change) => (asked = change));
    void ours.change(sdp('hold')).catch(() => undefined);
    await stage.pass(20);
    const invite = stage.last(/^INVITE /);
    const cancel = invite
      .replace(/^INVITE/, 'CANCEL')
      .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
      .replace(/\r\nContent-[^:]*:[^\r]*/g, '')
      .replace(/\r\n\r\n[^]*/, '\r\nContent-Length: 0\r\n\r\n');
    const host = stage.hosts.get('alice')!;
    await host.send(Buffer.from(cancel), host.to({ address: '10.0.0.2', port: 5060 }));
    await stage.pass(20);
    expect(stage.said()).toEqual(
      expect.arrayContaining(['bob > alice 200 CANCEL', 'bob > alice 487 INVITE', 'alice > bob ACK']),
    );
    // Too late: it was answered.
    expect(await asked?.accept(sdp('answer'))).toBeUndefined();
    expect([ours.end, theirs.end, theirs.dialog.offers.name]).toEqual([undefined, undefined, 'stable']);
    theirs.hangup();
    await stage.expectNothingLeft();
  });

  test('a call that is not answered yet is not changed by a re-INVITE (RFC 3261 14.1)', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.ring();
    await stage.pass(20);
    await expect(call.change(sdp('other'))).rejects.toMatchObject({ code: 'wrong-state' });
    await expect(incoming[0]!.change(sdp('other'))).rejects.toMatchObject({ code: 'wrong-state' });
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('re-INVITE without an offer', async () => {
    const [ours, theirs] = await establish();
    let heard: string | undefined;
    ours.on('change', (change) => void change.accept(sdp('ours')).then((body) => (heard = text(body))));
    const asked = theirs.change();
    await stage.pass(20);
    const changed = await asked;
    expect(text(changed.body)).toBe('ours');
    changed.acknowledge(sdp('theirs'));
    await stage.pass(20);
    expect(heard).toBe('theirs');
    theirs.hangup();
    await stage.expectNothingLeft();
  });

  test('a change that nobody hears is a 488, and the session stays', async () => {
    const [ours] = await establish();
    const change = expect(ours.change(sdp('hold'))).rejects.toMatchObject({ status: 488 });
    await stage.pass(20);
    await change;
    expect(ours.state).toBe('confirmed');
    ours.hangup();
    await stage.expectNothingLeft();
  });

  test('the same offer again is a refresh: it gets the same answer', async () => {
    const [ours] = await establish();
    const change = ours.change(offer);
    await stage.pass(20);
    expect(text((await change).body)).toBe('answer');
    ours.hangup();
    await stage.expectNothingLeft();
  });

  test('a peer that always changes at the same time: after four tries it is its 491', async () => {
    const [ours, theirs] = await establish();
    theirs.on('change', (change) => change.reject(491));
    const changed = expect(ours.change(sdp('a'))).rejects.toMatchObject({ status: 491 });
    await stage.pass(20_000);
    await changed;
    expect(stage.said().filter((line) => line === 'alice > bob INVITE')).toHaveLength(4);
    ours.hangup();
    await stage.expectNothingLeft();
  });

  test('both at once: 491, and the owner of the Call-ID waits longer', async () => {
    const [ours, theirs] = await establish();
    for (const call of [ours, theirs]) call.on('change', (change) => void change.accept(sdp('yes')));
    const both = Promise.all([ours.change(sdp('a')), theirs.change(sdp('b'))]);
    await stage.pass(5_000);
    expect((await both).map(({ body }) => text(body))).toEqual(['yes', 'yes']);
    expect(stage.said()).toEqual([
      'alice > bob INVITE',
      'bob > alice INVITE',
      'bob > alice 491 INVITE',
      'alice > bob 491 INVITE',
      'alice > bob ACK',
      'bob > alice ACK',
      'bob > alice INVITE',
      'alice > bob 200 INVITE',
      'bob > alice ACK',
      'alice > bob INVITE',
      'bob > alice 200 INVITE',
      'alice > bob ACK',
    ]);
    ours.hangup();
    await stage.expectNothingLeft();
  });

  test('a re-INVITE that overtakes a lost ACK: the first 200 still waits for its own', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.on('change', (change) => void change.accept(sdp('held')));
    incoming[0]!.answer({ body: answer });
    stage.network.faults = { drop: 1, random: () => (/^ACK/.test(stage.network.sent.at(-1)?.text ?? '') ? 0 : 1) };
    await stage.pass(20);
    stage.network.faults = {};
    const change = call.change(sdp('hold'));
    await stage.pass(20);
    await change;
    expect(incoming[0]!.state).toBe('accepted');
    await stage.pass(600);
    expect(incoming[0]!.state).toBe('confirmed');
    incoming[0]!.hangup();
    await stage.expectNothingLeft();
  });

  test('UPDATE in the early dialog', async () => {
    const call = alice.invite(uriOf('bob'), { body: offer });
    await stage.pass(20);
    incoming[0]!.progress(183, { body: answer });
    await stage.pass(20);
    call.on('change', (change) => void change.accept(sdp('new')));
    const update = incoming[0]!.update(sdp('early'));
    await stage.pass(20);
    expect(text((await update).body)).toBe('new');
    incoming[0]!.answer();
    await stage.pass(20);
    expect(call.state).toBe('confirmed');
    call.hangup();
    await stage.expectNothingLeft();
  });

  test('481 in the call ends it', async () => {
    const [ours, theirs] = await establish();
    theirs.onDrop();
    const change = expect(ours.change(sdp('x'))).rejects.toMatchObject({ status: 481 });
    await stage.pass(20);
    await change;
    expect(ours.end?.by).toBe('network');
    await stage.expectNothingLeft();
  });

  test('a lower CSeq than the last is a 500', async () => {
    const [ours] = await establish();
    const info = stage
      .last(/^INVITE/)
      .replace(/INVITE/g, 'INFO')
      .replace('CSeq: 1', 'CSeq: 0')
      .replace('Content-Length: 5\r\n\r\noffer', 'Content-Length: 0\r\n\r\n')
      .replace(/branch=\S+?;/, 'branch=z9hG4bKx;')
      .replace(/(To: \S+)/, `$1;tag=${ours.dialog!.link.dialog.remoteTag}`);
    const host = stage.hosts.get('alice')!;
    await host.send(Buffer.from(info), host.to({ address: '10.0.0.2', port: 5060 }));
    await stage.pass(20);
    expect(stage.last(/^SIP\/2\.0 500/)).toContain('CSeq Out Of Order');
    ours.hangup();
    await stage.expectNothingLeft();
  });
});
