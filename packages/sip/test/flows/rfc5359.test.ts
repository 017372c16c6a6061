import { beforeEach, describe, expect, test } from 'vitest';
import type { Call, UserAgent } from '../../src/index.ts';
import { uriOf } from '../agent-pair.ts';
import { ANSWER, HOLD, obey, OFFER, Play, RESUME } from './play.ts';

let play: Play;
let alice: UserAgent;
let bob: UserAgent;

beforeEach(() => {
  play = new Play();
  alice = play.phone('alice');
  bob = play.phone('bob');
  play.phone('carol');
});

describe('RFC 5359 2.1 to 2.3: hold', () => {
  test('2.1 hold and resume', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    const hold = theirs.change(HOLD);
    await play.scene(`
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
    `);
    await hold;
    const resume = theirs.change(RESUME);
    await play.scene(`
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
    `);
    await resume;
    await play.end(call);
  });

  test('2.2 consultation hold: the first call waits while bob talks to carol', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    const hold = theirs.change(HOLD);
    await play.pass(30, 5);
    await hold;
    const second = bob.invite(uriOf('carol'), { body: OFFER });
    await play.pass(30, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(30, 5);
    second.hangup();
    await play.pass(30, 5);
    const resume = theirs.change(RESUME);
    await play.scene(`
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
      bob > carol INVITE
      carol > bob 200 INVITE
      bob > carol ACK
      bob > carol BYE
      carol > bob 200 BYE
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
    `);
    await resume;
    await play.end(call);
  });

  test('2.3 music on hold: bob joins alice with a source of music', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    const music = bob.invite(uriOf('carol'));
    await play.pass(20, 5);
    play.callOf('carol').answer({ body: OFFER });
    await play.pass(20, 5);
    const offered = await music.answered();
    const change = theirs.change(offered.body);
    await play.pass(20, 5);
    music.acknowledge((await change).body);
    await play.scene(`
      bob > carol INVITE
      carol > bob 200 INVITE
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
      bob > carol ACK
    `);
    await play.end(call, music);
  });
});

describe('RFC 5359 2.4, 2.5: transfer', () => {
  test('2.4 unattended: bob sends alice to carol', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    let made: Call | undefined;
    call.on('refer', (refer) => (made = obey(alice, refer)));
    const outcome = theirs.refer(uriOf('carol')).outcome();
    await play.pass(30, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(30, 5);
    expect(await outcome).toBe(200);
    theirs.hangup();
    await play.scene(`
      bob > alice REFER
      alice > bob 202 REFER
      alice > bob NOTIFY
      alice > carol INVITE
      bob > alice 200 NOTIFY
      carol > alice 200 INVITE
      alice > carol ACK
      alice > bob NOTIFY
      bob > alice 200 NOTIFY
      bob > alice BYE
      alice > bob 200 BYE
    `);
    await play.end(made!);
  });

  test('2.5 attended: alice takes the place of bob in his call with carol', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    let made: Call | undefined;
    call.on('refer', (refer) => (made = obey(alice, refer)));
    const consult = bob.invite(uriOf('carol'), { body: OFFER });
    await play.pass(20, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(40, 5);
    play.said();
    const outcome = theirs.refer(uriOf('carol'), { replaces: consult.replacesValue }).outcome();
    await play.pass(30, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(60, 5);
    expect(await outcome).toBe(200);
    theirs.hangup();
    await play.scene(`
      bob > alice REFER
      alice > bob 202 REFER
      alice > bob NOTIFY
      alice > carol INVITE
      bob > alice 200 NOTIFY
      carol > alice 200 INVITE
      carol > bob BYE
      alice > carol ACK
      alice > bob NOTIFY
      bob > carol 200 BYE
      bob > alice 200 NOTIFY
      bob > alice BYE
      alice > bob 200 BYE
    `);
    expect(consult.end?.by).toBe('peer');
    await play.end(made!);
  });
});

describe('RFC 5359 2.7 to 2.9: forwarding', () => {
  test.each([
    ['2.7 always', 0],
    ['2.8 on busy', 0],
    ['2.9 on no answer', 300],
  ])('%s', async (_what, ringMs) => {
    const first = alice.invite(uriOf('bob'), { body: OFFER });
    await play.pass(20 + ringMs, 5);
    if (ringMs > 0) play.callOf('bob').ring();
    play.callOf('bob').redirect([uriOf('carol')]);
    await play.pass(20, 5);
    expect(first.end?.status).toBe(302);
    const call = alice.invite(first.end!.message!.headers.contact!.uri, { body: OFFER });
    await play.pass(20, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(20, 5);
    const ringing = ringMs > 0 ? ['bob > alice 100 INVITE', 'bob > alice 180 INVITE'] : [];
    await play.scene(
      [
        'alice > bob INVITE',
        ...ringing,
        'bob > alice 302 INVITE',
        'alice > bob ACK',
        'alice > carol INVITE',
        'carol > alice 200 INVITE',
        'alice > carol ACK',
      ].join('\n'),
    );
    await play.end(call);
  });
});
