import { beforeEach, describe, expect, test } from 'vitest';
import { B2bua } from '../../examples/b2bua.ts';
import { DigestServer } from '../../src/index.ts';
import { uriOf } from '../agent-pair.ts';
import { ANSWER, at, HOLD, OFFER, Play } from './play.ts';

let play: Play;
beforeEach(() => {
  play = new Play();
});

describe('RFC 3665 3: sessions', () => {
  test('3.1 session establishment', async () => {
    const alice = play.phone('alice');
    play.phone('bob');
    const call = alice.invite(uriOf('bob'), { body: OFFER });
    await play.pass(20, 5);
    play.callOf('bob').ring();
    await play.pass(20, 5);
    play.callOf('bob').answer({ body: ANSWER });
    await play.pass(20, 5);
    play.callOf('bob').hangup();
    await play.scene(`
      alice > bob INVITE
      bob > alice 180 INVITE
      bob > alice 200 INVITE
      alice > bob ACK
      bob > alice BYE
      alice > bob 200 BYE
    `);
    await play.end(call);
  });

  test('3.2 through two proxies', async () => {
    play.serve('proxy');
    play.serve('server');
    const alice = play.phone('alice');
    play.phone('bob');
    await play.registered('bob', 'server');
    const call = alice.invite(at('bob', 'server'), { body: OFFER, route: ['<sip:10.0.0.5:5060;lr>'] });
    await play.pass(300, 5);
    play.callOf('bob').ring();
    await play.pass(40, 5);
    play.callOf('bob').answer({ body: ANSWER });
    await play.pass(40, 5);
    play.callOf('bob').hangup();
    await play.scene(`
      alice > proxy INVITE
      proxy > server INVITE
      server > bob INVITE
      proxy > alice 100 INVITE
      server > proxy 100 INVITE
      bob > server 100 INVITE
      bob > server 180 INVITE
      server > proxy 180 INVITE
      proxy > alice 180 INVITE
      bob > server 200 INVITE
      server > proxy 200 INVITE
      proxy > alice 200 INVITE
      alice > proxy ACK
      proxy > server ACK
      server > bob ACK
      bob > server BYE
      server > proxy BYE
      proxy > alice BYE
      alice > proxy 200 BYE
      proxy > server 200 BYE
      server > bob 200 BYE
    `);
    await play.end(call);
  });

  test('3.3 the way asks for a proof: here a back-to-back agent', async () => {
    const secrets: Record<string, string> = { alice: 'a', bob: 'b' };
    const digest = new DigestServer({
      realm: 'server',
      role: 'proxy',
      findSecret: (name) => ({ password: secrets[name] ?? '' }),
    });
    const agent = { clock: play.clock, sessionTimer: { expires: 0 }, reliableProvisionals: 'off' as const };
    const b2bua = new B2bua({ transports: play.host('server'), digest, route: () => [{ uri: uriOf('bob') }], agent });
    play.agents.set('server', b2bua.agent);
    const alice = play.phone('alice', { credentials: { username: 'alice', password: 'a' } });
    play.phone('bob');
    const call = alice.invite('sip:bob@10.0.0.6', { body: OFFER });
    await play.pass(30, 5);
    play.callOf('bob').answer({ body: ANSWER });
    await play.scene(`
      alice > server INVITE
      server > alice 407 INVITE
      alice > server ACK
      alice > server INVITE
      server > bob INVITE
      bob > server 200 INVITE
      server > bob ACK
      server > alice 200 INVITE
      alice > server ACK
    `);
    expect(call.state).toBe('confirmed');
    const stranger = play.phone('carol', { credentials: { username: 'alice', password: 'wrong' } });
    const refused = stranger.invite('sip:bob@10.0.0.6', { body: OFFER });
    await play.scene(`
      carol > server INVITE
      server > carol 407 INVITE
      carol > server ACK
      carol > server INVITE
      server > carol 407 INVITE
      carol > server ACK
    `);
    expect(refused.end?.status).toBe(407);
    await play.end(call);
  });

  test('3.4 the first proxy is dead: the second one is tried after 32 s', async () => {
    play.serve('proxy');
    const alice = play.phone('alice', {
      resolve: () =>
        Promise.resolve(
          ['10.0.0.99', '10.0.0.5'].map((address) => ({ protocol: 'udp' as const, address, port: 5060 })),
        ),
    });
    play.phone('bob');
    await play.registered('bob', 'proxy');
    const call = alice.invite(at('bob', 'proxy'), { body: OFFER, hop: 'sip:proxies.test' });
    await play.pass(32_500, 50);
    expect(play.said().filter((line) => line === 'alice > 10.0.0.99:5060 INVITE')).toHaveLength(7);
    play.callOf('bob').answer({ body: ANSWER });
    await play.pass(50, 5);
    expect(call.state).toBe('confirmed');
    await play.end(call);
  });

  test('3.6 redirect, SDP in the ACK', async () => {
    const alice = play.phone('alice');
    const server = play.phone('server');
    play.phone('bob');
    server.on('invite', (call) => call.redirect([uriOf('bob')]));
    const first = alice.invite('sip:bob@10.0.0.6');
    await play.pass(40, 5);
    const call = alice.invite(first.end!.message!.headers.contact!.uri);
    await play.pass(40, 5);
    play.callOf('bob').answer({ body: OFFER });
    await play.pass(40, 5);
    call.acknowledge(ANSWER);
    await play.scene(`
      alice > server INVITE
      server > alice 302 INVITE
      alice > server ACK
      alice > bob INVITE
      bob > alice 200 INVITE
      alice > bob ACK
    `);
    expect(play.last(/^ACK.*\r\n\r\n./s)).toContain('s=answer');
    await play.end(call);
  });

  test('3.7 re-INVITE with another address', async () => {
    play.phone('alice');
    play.phone('bob');
    const [call, theirs] = await play.talking('alice', 'bob');
    const changed = theirs.change(HOLD);
    await play.scene(`
      bob > alice INVITE
      alice > bob 200 INVITE
      bob > alice ACK
    `);
    expect((await changed).body).toBeDefined();
    await play.end(call);
  });

  test('3.8 no answer: CANCEL through a proxy', async () => {
    play.serve('proxy');
    const alice = play.phone('alice');
    play.phone('bob');
    await play.registered('bob', 'proxy');
    const call = alice.invite(at('bob', 'proxy'), { body: OFFER });
    await play.pass(30, 5);
    play.callOf('bob').ring();
    await play.pass(30, 5);
    call.hangup();
    await play.scene(`
      alice > proxy INVITE
      proxy > bob INVITE
      bob > proxy 180 INVITE
      proxy > alice 180 INVITE
      alice > proxy CANCEL
      proxy > alice 200 CANCEL
      proxy > bob CANCEL
      bob > proxy 200 CANCEL
      bob > proxy 487 INVITE
      proxy > bob ACK
      proxy > alice 487 INVITE
      alice > proxy ACK
    `);
    await play.end();
  });

  test('3.9 busy, 3.11 temporarily unavailable', async () => {
    play.serve('proxy');
    const alice = play.phone('alice');
    play.phone('bob');
    await play.registered('bob', 'proxy');
    for (const status of [486, 480]) {
      const call = alice.invite(at('bob', 'proxy'), { body: OFFER });
      await play.pass(30, 5);
      play.callOf('bob').reject(status);
      await play.scene(`
        alice > proxy INVITE
        proxy > bob INVITE
        bob > proxy ${status} INVITE
        proxy > bob ACK
        proxy > alice ${status} INVITE
        alice > proxy ACK
      `);
      expect(call.end?.status).toBe(status);
    }
    await play.end();
  });

  test('3.10 no response from the phone: 408 after 32 s', async () => {
    play.serve('proxy');
    const alice = play.phone('alice');
    play.phone('bob');
    await play.registered('bob', 'proxy');
    play.hosts.get('bob')!.isBroken = true;
    const call = alice.invite(at('bob', 'proxy'), { body: OFFER });
    await play.pass(33_000, 100);
    const said = play.said();
    expect(said.filter((line) => line === 'proxy > bob INVITE')).toHaveLength(7);
    expect(said.slice(-2)).toEqual(['proxy > alice 408 INVITE', 'alice > proxy ACK']);
    expect(call.end?.status).toBe(408);
    play.hosts.get('bob')!.isBroken = false;
    await play.end();
  });

  test('forking: both phones ring, one answers, the other is cancelled (RFC 3261 16.7)', async () => {
    play.serve('proxy');
    const alice = play.phone('alice');
    play.phone('bob');
    const carol = play.phone('carol');
    await play.registered('bob', 'proxy');
    const second = carol.register('sip:10.0.0.5', { aor: at('bob', 'proxy'), expires: 3_600 });
    await play.pass(50, 5);
    expect(second.state).toBe('registered');
    play.said();
    const call = alice.invite(at('bob', 'proxy'), { body: OFFER });
    await play.pass(30, 5);
    play.callOf('bob').ring();
    play.callOf('carol').ring();
    await play.pass(30, 5);
    play.callOf('carol').answer({ body: ANSWER });
    await play.pass(100, 5);
    expect([call.state, play.callOf('carol').state, play.callOf('bob').end?.by]).toEqual([
      'confirmed',
      'confirmed',
      'peer',
    ]);
    expect(play.said().filter((line) => /CANCEL|487/.test(line))).toEqual([
      'proxy > bob CANCEL',
      'bob > proxy 200 CANCEL',
      'bob > proxy 487 INVITE',
    ]);
    await play.end(call);
  });
});
