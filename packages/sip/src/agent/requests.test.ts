import { beforeEach, describe, expect, test } from 'vitest';
import { isSipUri, parseUri } from '../messages/index.ts';
import { textBody, textOf } from '../offer-answer/index.ts';
import { Stage, uriOf } from '../../test/agent-pair.ts';
import type { IncomingSubscription, UserAgent } from './index.ts';
import { literalTarget } from './reach.ts';

let stage: Stage;
let alice: UserAgent;
let bob: UserAgent;

beforeEach(() => {
  stage = new Stage();
  alice = stage.agent('alice');
  bob = stage.agent('bob');
});

/** Sends raw lines from alice to bob. */
async function raw(start: string, lines: readonly string[]): Promise<void> {
  const host = stage.hosts.get('alice')!;
  const head = ['Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKraw', 'From: <sip:a@a>;tag=1', 'Call-ID: raw'];
  const text = [`${start} SIP/2.0`, ...head, ...lines, '', ''].join('\r\n');
  await host.send(Buffer.from(text), host.to({ address: '10.0.0.2', port: 5060 }));
  await stage.pass(20);
}

describe('requests outside calls', () => {
  test('MESSAGE', async () => {
    const heard: string[] = [];
    bob.on('message', (request) => {
      heard.push(`${request.from?.uriText} ${textOf(request.body!)}`);
      request.respond(200);
    });
    const sent = alice.message(uriOf('bob'), 'schön');
    await stage.pass(20);
    expect((await sent).status).toBe(200);
    expect(heard).toEqual(['sip:alice@10.0.0.1 schön']);
    await stage.expectNothingLeft();
  });

  test('OPTIONS is answered by itself, what nobody hears is refused', async () => {
    const options = alice.request('OPTIONS', uriOf('bob'));
    await stage.pass(20);
    expect((await options).headers.allow).toContain('INVITE');
    for (const [method, status] of [
      ['MESSAGE', 405],
      ['INVITE', 405],
      ['SUBSCRIBE', 405],
      ['FROBNICATE', 501],
      ['BYE', 481],
    ] as const) {
      const refused = expect(alice.request(method, uriOf('bob'))).rejects.toMatchObject({ status });
      await stage.pass(20);
      await refused;
    }
    await stage.expectNothingLeft();
  });

  test('an aborted request is forgotten', async () => {
    const stop = new AbortController();
    const request = expect(alice.request('OPTIONS', 'sip:10.0.0.99', { signal: stop.signal })).rejects.toThrow(/abort/);
    stop.abort();
    await request;
    await stage.expectNothingLeft();
  });

  test('PUBLISH goes through to whoever listens', async () => {
    bob.on('publish', (request) => void request.respond(200, { headers: { 'SIP-ETag': 'x1', Expires: 60 } }));
    const sent = alice.request('PUBLISH', uriOf('bob'), {
      headers: { Event: 'presence', Expires: 60 },
      body: textBody('application/pidf+xml', '<presence/>'),
    });
    await stage.pass(20);
    expect((await sent).headers.get('SIP-ETag')).toBe('x1');
    await stage.expectNothingLeft();
  });
});

describe('what comes in is judged (RFC 3261 8.2)', () => {
  test.each([
    [
      'an unknown option',
      'INVITE sip:b@10.0.0.2',
      ['To: <sip:b@b>', 'CSeq: 1 INVITE', 'Contact: <sip:a@a>', 'Require: nothing'],
      420,
      /Unsupported: nothing/,
    ],
    [
      'a scheme that we do not know',
      'INVITE mailto:b@b',
      ['To: <mailto:b@b>', 'CSeq: 1 INVITE', 'Contact: <sip:a@a>'],
      416,
      /./,
    ],
    ['a dialog that we do not know', 'BYE sip:b@10.0.0.2', ['To: <sip:b@b>;tag=x', 'CSeq: 1 BYE'], 481, /./],
    ['a CANCEL of nothing', 'CANCEL sip:b@10.0.0.2', ['To: <sip:b@b>', 'CSeq: 1 CANCEL'], 481, /./],
    ['no Contact', 'INVITE sip:b@10.0.0.2', ['To: <sip:b@b>', 'CSeq: 1 INVITE'], 400, /Bad Contact/],
    [
      'a broken Contact',
      'INVITE sip:b@10.0.0.2',
      ['To: <sip:b@b>', 'CSeq: 1 INVITE', 'Contact: <<>'],
      400,
      /Bad Contact/,
    ],
    [
      'two Refer-To',
      'REFER sip:b@10.0.0.2',
      ['To: <sip:b@b>', 'CSeq: 1 REFER', 'Contact: <sip:a@a>', 'Refer-To: <sip:x@x>, <sip:y@y>'],
      400,
      /Bad Refer-To/,
    ],
    ['no Event', 'SUBSCRIBE sip:b@10.0.0.2', ['To: <sip:b@b>', 'CSeq: 1 SUBSCRIBE', 'Contact: <sip:a@a>'], 489, /./],
  ])('%s', async (_what, start, lines, status, pattern) => {
    bob.on('invite', () => expect.unreachable());
    bob.on('refer', () => expect.unreachable());
    bob.on('subscribe', () => expect.unreachable());
    await raw(start, lines);
    expect(stage.last(new RegExp(`^SIP/2\\.0 ${status}`))).toMatch(pattern);
    await stage.expectNothingLeft();
  });

  test('a header that only the application reads: 400, and the call is gone', async () => {
    bob.on('invite', (call) => void call.invite.headers.maxForwards);
    await raw('INVITE sip:b@10.0.0.2', ['To: <sip:b@b>', 'CSeq: 1 INVITE', 'Contact: <sip:a@a>', 'Max-Forwards: many']);
    expect(stage.last(/^SIP\/2\.0 4/)).toMatch(/^SIP\/2\.0 400 Bad Max-Forwards/);
    await stage.expectNothingLeft();
  });

  test('the same request by another way is a loop: 482', async () => {
    bob.on('message', () => undefined);
    const lines = ['To: <sip:b@b>', 'CSeq: 1 MESSAGE'];
    await raw('MESSAGE sip:b@10.0.0.2', lines);
    const host = stage.hosts.get('alice')!;
    const copy = stage.last(/^MESSAGE/).replace('z9hG4bKraw', 'z9hG4bKother');
    await host.send(Buffer.from(copy), host.to({ address: '10.0.0.2', port: 5060 }));
    await stage.pass(20);
    expect(stage.last(/^SIP\/2\.0 482/)).toContain('z9hG4bKother');
  });

  test('dialogs are bounded: 503', async () => {
    const carol = stage.agent('carol', { maxDialogs: 1 });
    carol.on('invite', () => undefined);
    const first = alice.invite(uriOf('carol'));
    const second = alice.invite(uriOf('carol'));
    await stage.pass(20);
    expect(second.end?.status).toBe(503);
    first.hangup();
    await stage.expectNothingLeft();
  });
});

describe('subscriptions (RFC 6665)', () => {
  function serve(accept: (subscription: IncomingSubscription) => void): IncomingSubscription[] {
    const all: IncomingSubscription[] = [];
    bob.on('subscribe', (subscription) => {
      all.push(subscription);
      accept(subscription);
    });
    return all;
  }
  const pidf = (note: string): ReturnType<typeof textBody> => textBody('application/pidf+xml', note);

  test('the first NOTIFY, changes, refresh, end by the subscriber', async () => {
    const [theirs] = [serve((s) => s.accept({ body: pidf('online') }))];
    const ours = alice.subscribe(uriOf('bob'), 'presence', { expires: 600 });
    const seen: string[] = [];
    ours.on('notify', ({ state, body }) => seen.push(`${state} ${body === undefined ? '' : textOf(body)}`));
    await stage.pass(50);
    theirs[0]!.notify(pidf('busy'));
    await stage.pass(50);
    expect(stage.said()).toEqual([
      'alice > bob SUBSCRIBE',
      'bob > alice 200 SUBSCRIBE',
      'bob > alice NOTIFY',
      'alice > bob 200 NOTIFY',
      'bob > alice NOTIFY',
      'alice > bob 200 NOTIFY',
    ]);
    await stage.pass(600_000, 1_000);
    expect(stage.said()).toEqual([
      'alice > bob SUBSCRIBE',
      'bob > alice 200 SUBSCRIBE',
      'bob > alice NOTIFY',
      'alice > bob 200 NOTIFY',
    ]);
    ours.unsubscribe();
    await stage.pass(50);
    expect(seen).toEqual(['active online', 'active busy', 'active busy', 'terminated busy']);
    expect([ours.end?.reason, theirs[0]!.state]).toEqual(['timeout', 'terminated']);
    await stage.expectNothingLeft();
  });

  test('the newest of several changes is told once', async () => {
    const theirs = serve((s) => s.accept());
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    const seen: string[] = [];
    ours.on('notify', ({ body }) => seen.push(body === undefined ? '' : textOf(body)));
    await stage.pass(50);
    for (const note of ['1', '2', '3']) theirs[0]!.notify(pidf(note));
    await stage.pass(50);
    expect(seen).toEqual(['', '1', '3']);
    theirs[0]!.terminate('deactivated');
    await stage.pass(50);
    expect(ours.end?.reason).toBe('deactivated');
    await stage.expectNothingLeft();
  });

  test('is refused', async () => {
    serve((s) => s.reject(403));
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    await stage.pass(50);
    expect(ours.end?.error).toMatchObject({ status: 403 });
    await stage.expectNothingLeft();
  });

  test('waits for a decision', async () => {
    const theirs = serve((s) => s.accept({ isPending: true }));
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    await stage.pass(50);
    expect([ours.state, theirs[0]!.state]).toEqual(['pending', 'pending']);
    theirs[0]!.terminate('rejected');
    await stage.pass(50);
    expect(ours.end?.reason).toBe('rejected');
    await stage.expectNothingLeft();
  });

  test('a single look', async () => {
    serve((s) => s.accept({ body: pidf('now') }));
    const ours = alice.subscribe(uriOf('bob'), 'presence', { expires: 0 });
    await stage.pass(50);
    expect(ours.end?.reason).toBe('timeout');
    await stage.expectNothingLeft();
  });

  test('nobody refreshes: the notifier ends it', async () => {
    const theirs = serve((s) => s.accept({ expires: 60 }));
    alice.subscribe(uriOf('bob'), 'presence');
    await stage.pass(50);
    stage.hosts.get('alice')!.isBroken = true;
    await stage.pass(100_000, 500);
    expect(theirs[0]!.state).toBe('terminated');
    await stage.expectNothingLeft();
  });

  test('no NOTIFY at all: timer N', async () => {
    bob.on(
      'subscribe',
      (s) => void s.request.respond(200, { headers: { Contact: '<sip:bob@10.0.0.2>', Expires: 600 } }),
    );
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    await stage.pass(33_000, 500);
    expect(ours.state).toBe('terminated');
    await bob.close();
    await stage.expectNothingLeft();
  });

  test('events as an async iterable, until the end', async () => {
    const theirs = serve((s) => s.accept({ body: pidf('a') }));
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    const reader = (async () => {
      const seen: string[] = [];
      for await (const { type } of ours.stream()) seen.push(type);
      return seen;
    })();
    await stage.pass(50);
    theirs[0]!.terminate();
    await stage.pass(50);
    expect(await reader).toEqual(['notify', 'notify', 'ended']);
  });

  test('RFC 3261 12.1.1: the answer takes over the route, so that the dialog goes along it', async () => {
    serve((s) => s.accept());
    await raw('SUBSCRIBE sip:bob@10.0.0.2', [
      'Record-Route: <sip:10.0.0.5;lr>, <sip:10.0.0.6;lr>',
      'To: <sip:bob@b>',
      'Contact: <sip:10.0.0.1>',
      'CSeq: 1 SUBSCRIBE',
      'Event: presence',
      'Expires: 60',
    ]);
    expect(stage.last(/^SIP\/2.0 200 /)).toContain('Record-Route: <sip:10.0.0.5;lr>, <sip:10.0.0.6;lr>\r\n');
    bob.on('refer', (refer) => refer.accept());
    await raw('REFER sip:bob@10.0.0.2', [
      'Record-Route: <sip:10.0.0.5;lr>',
      'To: <sip:bob@b>',
      'Contact: <sip:10.0.0.1>',
      'CSeq: 2 REFER',
      'Refer-To: <sip:c@c>',
    ]);
    expect(stage.last(/^SIP\/2.0 202 /)).toContain('Record-Route: <sip:10.0.0.5;lr>\r\n');
  });

  test('a refresh is not granted for longer than the first time', async () => {
    serve((s) => s.accept({ expires: 60 }));
    const ours = alice.subscribe(uriOf('bob'), 'presence', { expires: 600 });
    await stage.pass(50_000, 100);
    const granted = stage.network.sent
      .filter(({ text }) => /^SIP\/2.0 200 [^]*CSeq: \d+ SUBSCRIBE/.test(text))
      .map(({ text }) => /\r\nExpires: (\d+)/.exec(text)?.[1]);
    expect(granted).toEqual(['60', '60']);
    ours.unsubscribe();
    await stage.expectNothingLeft();
  });

  test('a notifier that grants no time is not asked again and again', async () => {
    bob.on('request', () => expect.unreachable());
    bob.on('subscribe', (s) => s.request.respond(200, { headers: { Expires: 0, Contact: '<sip:10.0.0.2>' } }));
    const ours = alice.subscribe(uriOf('bob'), 'presence');
    await stage.pass(31_000, 100);
    expect(stage.said().filter((line) => line === 'alice > bob SUBSCRIBE').length).toBeLessThan(3);
    await stage.pass(2_000, 100);
    expect(ours.state).toBe('terminated');
    await stage.expectNothingLeft();
  });
});

test('an IPv6 address in maddr is an address', () => {
  const uri = parseUri('sip:a@h;maddr=[2001:db8::1]');
  expect(isSipUri(uri) && literalTarget(uri)?.address).toBe('2001:db8::1');
});
