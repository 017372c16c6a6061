import { beforeEach, describe, expect, test } from 'vitest';
import type { Call, UserAgent } from '../../src/index.ts';
import { textBody, textOf } from '../../src/index.ts';
import { uriOf } from '../agent-pair.ts';
import { ANSWER, HOLD, obey, OFFER, Play, RESUME } from './play.ts';

let play: Play;
let alice: UserAgent;
let bob: UserAgent;
let carol: UserAgent;

beforeEach(() => {
  play = new Play();
  alice = play.phone('alice');
  bob = play.phone('bob');
  carol = play.phone('carol');
});

describe('RFC 5359 2.10 to 2.14', () => {
  test('2.10 three-way conference: bob, who mixes, adds carol', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    const focus = theirs.change(HOLD);
    await play.pass(20, 5);
    await focus;
    const third = bob.invite(uriOf('carol'), { body: OFFER });
    await play.pass(20, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(20, 5);
    const mixed = theirs.change(RESUME);
    await play.scene(`
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
      bob > carol INVITE
      carol > bob 200 INVITE
      bob > carol ACK
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
    `);
    await mixed;
    expect([call.state, third.state]).toEqual(['confirmed', 'confirmed']);
    await play.end(call, third);
  });

  test('2.12 find me: one after the other, until somebody answers', async () => {
    const b2bua = play.agent('server');
    b2bua.on('invite', (incoming) => {
      const places = [uriOf('bob'), uriOf('carol')];
      const next = (): void => {
        const place = places.shift();
        if (place === undefined) return incoming.reject(480);
        const leg = b2bua.invite(place, { body: incoming.offer });
        leg.on('answered', ({ body }) => incoming.answer({ body }));
        leg.on('ended', () => {
          if (incoming.state === 'ringing') next();
          else incoming.hangup();
        });
        incoming.on('ended', () => leg.hangup());
      };
      next();
    });
    const call = alice.invite('sip:bob@10.0.0.6', { body: OFFER });
    await play.pass(30, 5);
    play.callOf('bob').reject(480);
    await play.pass(30, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(50, 5);
    expect(play.said().filter((line) => !line.includes('100'))).toEqual([
      'alice > server INVITE',
      'server > bob INVITE',
      'bob > server 480 INVITE',
      'server > bob ACK',
      'server > carol INVITE',
      'carol > server 200 INVITE',
      'server > carol ACK',
      'server > alice 200 INVITE',
      'alice > server ACK',
    ]);
    await play.end(call);
  });

  test('2.13 incoming screening: who is not on the list is refused', async () => {
    play.agent('server').on('invite', (call) => call.reject(call.remote.uriText === uriOf('bob') ? 486 : 403));
    const screened = alice.invite('sip:bob@10.0.0.6', { body: OFFER });
    await play.scene(`
      alice > server INVITE
      server > alice 403 INVITE
      alice > server ACK
    `);
    expect(screened.end?.status).toBe(403);
    await play.end();
  });
});

describe('RFC 5359 2.15 to 2.18', () => {
  test('2.15 park: bob parks alice at a server, carol fetches her', async () => {
    const [call, theirs] = await play.talking('alice', 'bob');
    const park = play.phone('server');
    let parked: Call | undefined;
    call.on('refer', () => expect.unreachable());
    // Bob tells the park server to call alice in place of himself.
    park.on('refer', (refer) => {
      parked = obey(park, refer);
    });
    const referral = bob.refer(
      'sip:10.0.0.6',
      `${uriOf('alice')}?Replaces=${encodeURIComponent(theirs.replacesValue)}`,
    );
    await play.pass(30, 5);
    play.callOf('alice').answer({ body: ANSWER });
    await play.pass(60, 5);
    expect([call.end?.by, theirs.end?.by, parked!.state]).toEqual(['us', 'peer', 'confirmed']);
    expect(referral.state).toBe('terminated');
    // Carol picks her up: an INVITE with Replaces to alice.
    const { callId, localTag, remoteTag } = parked!.dialog!.link.dialog;
    const fetch = carol.invite(uriOf('alice'), {
      body: OFFER,
      replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag}`,
    });
    await play.pass(30, 5);
    play.callOf('alice').answer({ body: ANSWER });
    await play.pass(60, 5);
    expect([parked!.end?.by, fetch.state]).toEqual(['peer', 'confirmed']);
    await play.end(fetch);
  });

  test('2.16 pickup: carol takes the call that rings at bob', async () => {
    const call = alice.invite(uriOf('bob'), { body: OFFER });
    await play.pass(20, 5);
    play.callOf('bob').ring();
    await play.pass(20, 5);
    // Bob's phone tells carol what rings there (the dialog package), carol sends the INVITE to alice.
    const { callId, localTag, remoteTag } = play.callOf('bob').dialog.link.dialog;
    const pickup = carol.invite(uriOf('alice'), {
      body: OFFER,
      replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag};early-only`,
    });
    await play.pass(20, 5);
    play.callOf('alice').answer({ body: ANSWER });
    await play.scene(`
      alice > bob INVITE
      bob > alice 180 INVITE
      carol > alice INVITE
      alice > carol 200 INVITE
      alice > bob CANCEL
      carol > alice ACK
      bob > alice 200 CANCEL
      bob > alice 487 INVITE
      alice > bob ACK
    `);
    expect([call.end?.by, pickup.state]).toEqual(['us', 'confirmed']);
    await play.end(pickup);
  });

  test('2.17 automatic redial: alice watches busy bob and calls when he is free', async () => {
    const states: string[] = [];
    bob.on('subscribe', (subscription) => {
      subscription.accept({ body: textBody('application/dialog-info+xml', 'busy') });
      play.clock.after(1_000, () => subscription.notify(textBody('application/dialog-info+xml', 'free')));
    });
    const busy = alice.invite(uriOf('bob'), { body: OFFER });
    await play.pass(20, 5);
    play.callOf('bob').reject(486);
    await play.pass(20, 5);
    expect(busy.end?.status).toBe(486);
    const watch = alice.subscribe(uriOf('bob'), 'dialog', { expires: 600 });
    let call: Call | undefined;
    watch.on('notify', ({ body, state }) => {
      states.push(body === undefined ? state : textOf(body));
      if (states.at(-1) === 'free') call ??= alice.invite(uriOf('bob'), { body: OFFER });
    });
    await play.pass(1_100, 10);
    play.callOf('bob').answer({ body: ANSWER });
    watch.unsubscribe();
    await play.pass(100, 5);
    expect([call?.state, states.slice(0, 2)]).toEqual(['confirmed', ['busy', 'free']]);
    await play.end(call!);
  });

  test('2.18 click to dial: a program asks the phone by REFER', async () => {
    const program = play.agent('server');
    let made: Call | undefined;
    alice.on('refer', (refer) => (made = obey(alice, refer)));
    const subscription = program.refer(uriOf('alice'), uriOf('bob'));
    await play.pass(40, 5);
    play.callOf('bob').answer({ body: ANSWER });
    await play.scene(`
      server > alice REFER
      alice > server 202 REFER
      alice > server NOTIFY
      alice > bob INVITE
      server > alice 200 NOTIFY
      bob > alice 200 INVITE
      alice > bob ACK
      alice > server NOTIFY
      server > alice 200 NOTIFY
    `);
    expect([made?.state, subscription.state]).toEqual(['confirmed', 'terminated']);
    await play.end(made!);
  });
});
