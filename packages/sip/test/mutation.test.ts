import { expect, test } from 'vitest';
import { scaled, seeded, seedOf } from '../../../test/kit/scale.ts';
import { B2bua } from '../examples/b2bua.ts';
import { Refusal, sdp, SipError, textBody } from '../src/index.ts';
import type { Call, IncomingCall } from '../src/index.ts';
import { Stage, uriOf } from './agent-pair.ts';

/** Ways to spoil a message that leave it looking like one. */
function spoiler(random: () => number): (bytes: Uint8Array) => Uint8Array {
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const statuses = [100, 180, 183, 199, 200, 202, 299, 302, 401, 407, 408, 422, 423, 481, 487, 491, 500, 503, 600, 699];
  const methods = [
    'INVITE',
    'ACK',
    'BYE',
    'CANCEL',
    'UPDATE',
    'PRACK',
    'NOTIFY',
    'REFER',
    'INFO',
    'SUBSCRIBE',
    'OPTIONS',
  ];
  const values = [
    '',
    '0',
    '-1',
    '4294967296',
    'x',
    '<sip:x@>',
    '"',
    'sip:',
    '<sip:a@10.0.0.1>;tag=z',
    'active',
    '100rel',
    ';;',
    '1 2 3',
  ];
  const names = [
    'Contact',
    'Require',
    'RSeq',
    'RAck',
    'Session-Expires',
    'Min-SE',
    'Replaces',
    'Refer-To',
    'Event',
    'Record-Route',
    'Route',
    'To',
    'From',
    'CSeq',
    'Expires',
    'Retry-After',
    'WWW-Authenticate',
    'Subscription-State',
    'Content-Type',
    'Content-Disposition',
    'Supported',
    'Allow',
  ];
  const ways: ((text: string) => string)[] = [
    (t) => t.replace(/^SIP\/2\.0 \d+/, `SIP/2.0 ${any(statuses)}`),
    (t) => t.replace(/^[A-Z]+ /, `${any(methods)} `),
    (t) => t.replace(/\r\nCSeq: \d+/, `\r\nCSeq: ${Math.floor(random() * 5)}`),
    (t) => t.replace(/\r\nCSeq: (\d+) \w+/, `\r\nCSeq: $1 ${any(methods)}`),
    (t) => t.replace(/\r\nContent-Length/, `\r\n${any(names)}: ${any(values)}\r\nContent-Length`),
    (t) => t.replace(new RegExp(`\r\n${any(names)}: [^\r]*`), `\r\n${any(names)}: ${any(values)}`),
    (t) => t.replace(new RegExp(`\r\n${any(names)}: [^\r]*`), ''),
    (t) => t.replace(/;tag=[^\r;>]*/, random() < 0.5 ? '' : ';tag=other'),
    (t) => t.replace(/;branch=[^\r;]*/, ';branch=z9hG4bKother'),
    (t) => t.slice(0, Math.floor(random() * t.length)),
    (t) => {
      const at = Math.floor(random() * t.length);
      return t.slice(0, at) + String.fromCharCode(32 + Math.floor(random() * 90)) + t.slice(at + 1);
    },
  ];
  return (bytes) => {
    if (random() > 0.15) return bytes;
    return Buffer.from(any(ways)(Buffer.from(bytes).toString('latin1')), 'latin1');
  };
}

test('messages spoiled on their way neither crash anybody nor leave anything behind', async () => {
  const random = seeded(seedOf('mutation'));
  const stage = new Stage();
  stage.network.isRecording = false;
  const [alice, bob] = [stage.agent('alice', { random }), stage.agent('bob', { random })];
  const b2bua = new B2bua({
    transports: stage.host('server'),
    route: () => [{ uri: uriOf('bob') }, { uri: uriOf('carol') }],
    agent: { clock: stage.clock, random },
  });
  stage.agents.set('server', b2bua.agent);
  const carol = stage.agent('carol', { random });
  const calls: Call[] = [];
  const meet = (call: Call): void => {
    calls.push(call);
    call.on('change', (change) => void change.accept(sdp('changed')).catch(expected));
    call.on('refer', (refer) => {
      refer.accept();
      refer.notify(180);
      stage.clock.after(50, () => refer.notify(200));
    });
    call.on('request', (request) => void request.respond(200));
  };
  for (const agent of [bob, carol]) {
    agent.on('invite', (call: IncomingCall) => {
      meet(call);
      call.progress(183, { body: sdp('early') });
      stage.clock.after(20, () => {
        try {
          call.answer({ body: sdp('answer') });
        } catch (error) {
          expected(error);
        }
      });
    });
    agent.on('subscribe', (subscription) => subscription.accept({ body: textBody('text/plain', 'x') }));
    agent.on('message', (request) => void request.respond(200));
    agent.on('refer', (refer) => refer.accept());
  }
  stage.network.mutate = spoiler(random);
  const rounds = scaled({ verify: 300, soak: 5_000 });
  for (let i = 0; i < rounds; i += 1) {
    const call = alice.invite(
      random() < 0.7 ? 'sip:bob@10.0.0.6' : uriOf('bob'),
      random() < 0.8 ? { body: sdp('offer') } : {},
    );
    meet(call);
    call.on('progress', (progress) => {
      if (progress.acknowledge !== undefined) attempt(() => progress.acknowledge?.(sdp('early answer')));
    });
    call.on('answered', ({ isOffer }) => {
      if (isOffer) attempt(() => call.acknowledge(sdp('late')));
    });
    call.on('confirmed', () => {
      attempt(
        () =>
          void call
            .change(random() < 0.5 ? sdp('hold') : undefined)
            .then((c) => c.acknowledge(sdp('x')))
            .catch(expected),
      );
      attempt(() => void call.request('INFO').catch(expected));
      attempt(() => void call.update(sdp('update')).catch(expected));
      attempt(() => void call.refer(uriOf('carol')).outcome().catch(expected));
    });
    alice.message(uriOf('bob'), 'hello').catch(expected);
    const subscription = alice.subscribe(uriOf('carol'), 'presence');
    await stage.pass(200, 20);
    attempt(() => random() < 0.5 && call.hangup());
    subscription.unsubscribe();
  }
  stage.network.mutate = (bytes) => bytes;
  await stage.pass(200_000, 200);
  for (const call of calls) call.hangup();
  await stage.pass(70_000, 200);
  for (const agent of stage.agents.values()) agent.close().catch(expected);
  await stage.pass(1_000);
  for (const [who, agent] of stage.agents)
    expect([who, agent.counts]).toEqual([who, { dialogs: 0, transactions: 0, timers: 0 }]);
}, 600_000);

/** What operations may fail with. Everything else fails the test. */
function expected(error: unknown): void {
  if (!(error instanceof SipError || error instanceof Refusal)) throw error;
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expected(error);
  }
}
