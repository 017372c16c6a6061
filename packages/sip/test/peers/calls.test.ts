import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { makeCertificate } from '../certificate.ts';
import { startB2buaServer, type B2buaServer } from './b2bua-server.ts';
import { startPhone, type Phone } from './baresip.ts';
import { secondsOf, toneShare } from './tone.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Transport = 'udp' | 'tcp' | 'tls';
const identity = makeCertificate('sip.test');
const users = { alice: 'a', bob: 'b', carol: 'c' };

async function serve(): Promise<B2buaServer> {
  const server = await startB2buaServer({ protocols: ['udp', 'tcp', 'tls'], users, identity });
  open.push(() => server.close());
  return server;
}

async function phone(
  server: B2buaServer,
  name: keyof typeof users,
  transport: Transport,
  toneHz: number,
  answerMode: 'auto' | 'manual' = 'auto',
): Promise<Phone> {
  const started = await startPhone({
    name,
    password: users[name],
    server: server.listener(transport).local,
    transport,
    toneHz,
    answerMode,
    ...(transport === 'tls' ? { tls: identity } : {}),
  });
  open.push(() => started.stop());
  // Its event may come before its control connection stands.
  await until(async () => (await server.registrar.find(started.aor)).length > 0, `${name} to be registered`);
  return started;
}

/** Waits until the phone has recorded the tone. */
async function hears(listener: Phone, hz: number, notHz: number): Promise<void> {
  const heard = await until(
    () => listener.heard().find((file) => secondsOf(file) > 1.5 && toneShare(file, hz) > 0.5),
    `${listener.aor} to hear ${hz} Hz`,
  );
  expect(toneShare(heard, notHz)).toBeLessThan(0.2);
}

describeWithPeers(['baresip', 'openssl'], 'baresip phones call each other through the back-to-back agent', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('over %s, both hear the other one', async (transport) => {
    const server = await serve();
    const alice = await phone(server, 'alice', transport, 440, 'manual');
    const bob = await phone(server, 'bob', transport, 880, 'manual');
    await alice.command('dial', 'sip:bob@127.0.0.1');
    await bob.event('CALL_INCOMING');
    await alice.event('CALL_RINGING');
    await bob.command('accept');
    await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')]);
    await Promise.all([hears(alice, 880, 440), hears(bob, 440, 880)]);
    await alice.command('hangup');
    await bob.event('CALL_CLOSED');
    await until(() => server.b2bua.agent.counts.dialogs === 0, 'all dialogs to end');
  });

  test('hold and resume, DTMF, and a call that is refused', async () => {
    const server = await serve();
    const alice = await phone(server, 'alice', 'udp', 440, 'manual');
    const bob = await phone(server, 'bob', 'tcp', 880, 'manual');
    await alice.command('dial', 'sip:bob@127.0.0.1');
    await bob.event('CALL_INCOMING');
    await bob.command('hangup');
    expect((await alice.event('CALL_CLOSED')).param).toContain('486');

    const from = bob.events.length;
    await alice.command('dial', 'sip:bob@127.0.0.1');
    await bob.event('CALL_INCOMING', from);
    await bob.command('accept');
    await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')]);
    const beforeHold = bob.events.length;
    await alice.command('hold');
    expect((await bob.event('CALL_REMOTE_SDP', beforeHold)).param).toBeDefined();
    await until(async () => (await bob.command('callstat')).length > 0, 'bob to be there');
    const beforeResume = bob.events.length;
    await alice.command('resume');
    await bob.event('CALL_REMOTE_SDP', beforeResume);
    await alice.command('sndcode', '5');
    expect((await bob.event('CALL_DTMF_START')).param).toContain('5');
    await alice.command('sndcode', '\u0004');
    await bob.event('CALL_DTMF_END');
    await bob.command('hangup');
    await alice.event('CALL_CLOSED', 1);
    await until(() => server.b2bua.agent.counts.dialogs === 0, 'all dialogs to end');
  });

  test('blind transfer: alice connects bob with carol, who hear each other', async () => {
    const server = await serve();
    const alice = await phone(server, 'alice', 'udp', 440);
    const bob = await phone(server, 'bob', 'udp', 880);
    const carol = await phone(server, 'carol', 'tcp', 1_320);
    await alice.command('dial', 'sip:bob@127.0.0.1');
    await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')]);
    await alice.command('transfer', 'sip:carol@127.0.0.1');
    await carol.event('CALL_ESTABLISHED');
    await alice.event('CALL_CLOSED');
    await hears(carol, 880, 440);
    await bob.command('hangup');
    await carol.event('CALL_CLOSED');
    await until(() => server.b2bua.agent.counts.dialogs === 0, 'all dialogs to end');
  });
});
