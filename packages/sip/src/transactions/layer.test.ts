import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../../test/fake-clock.ts';
import { FakeNetwork, type FakeHost } from '../../test/fake-network.ts';
import { TimerWheel } from '../clock/index.ts';
import { randomIds } from '../ids/index.ts';
import { Headers, makeRequest, makeResponse, parseUri, type SipRequest, type SipResponse } from '../messages/index.ts';
import type { Protocol } from '../transport/port.ts';
import type { ClientTransactionUser } from './client-transaction.ts';
import { ackFor, cancelFor } from './derived.ts';
import { TransactionLayer } from './layer.ts';
import type { ServerTransaction } from './server-transaction.ts';

const names = { '10.0.0.1': 'a', '10.0.0.2': 'b' };
const b = { address: '10.0.0.2', port: 5060 };

interface Incoming {
  readonly transaction: ServerTransaction;
  readonly request: SipRequest;
}

class Peer {
  readonly incoming: Incoming[] = [];
  readonly acks: SipRequest[] = [];
  readonly strays: SipResponse[] = [];
  readonly wheel: TimerWheel;
  readonly layer: TransactionLayer;
  readonly host: FakeHost;

  constructor(clock: FakeClock, host: FakeHost, maxTransactions?: number) {
    this.host = host;
    this.wheel = new TimerWheel(clock);
    this.layer = new TransactionLayer({
      transport: host,
      clock: this.wheel,
      ids: randomIds(),
      maxTransactions,
      user: {
        onRequest: (transaction, request) => this.incoming.push({ transaction, request }),
        onAck: (ack) => this.acks.push(ack),
        onStrayResponse: (response) => this.strays.push(response),
      },
    });
  }
}

interface Heard extends ClientTransactionUser {
  readonly statuses: number[];
  readonly failures: string[];
  readonly responses: SipResponse[];
}

function listen(): Heard {
  const heard: Heard = {
    statuses: [],
    failures: [],
    responses: [],
    onResponse: (response) => {
      heard.statuses.push(response.status);
      heard.responses.push(response);
    },
    onFailure: (cause) => heard.failures.push(cause),
  };
  return heard;
}

function request(method: string, callId = 'call-1'): SipRequest {
  const headers = new Headers([
    ['Max-Forwards', 70],
    ['From', '<sip:a@10.0.0.1>;tag=ta'],
    ['To', '<sip:b@10.0.0.2>'],
    ['Call-ID', callId],
    ['CSeq', `1 ${method}`],
  ]);
  return makeRequest({ method, uri: parseUri('sip:b@10.0.0.2'), headers });
}

let clock: FakeClock;
let network: FakeNetwork;
let left: Peer;
let right: Peer;

function start(protocol: Protocol, maxTransactions?: number): void {
  clock = new FakeClock();
  network = new FakeNetwork(clock);
  left = new Peer(clock, network.host('10.0.0.1', 5060, protocol));
  right = new Peer(clock, network.host('10.0.0.2', 5060, protocol), maxTransactions);
}

function expectNothingLeft(): void {
  for (const peer of [left, right])
    expect([peer.layer.counts.clients, peer.layer.counts.servers, peer.wheel.size]).toEqual([0, 0, 0]);
  expect(clock.size).toBe(0);
}

beforeEach(() => start('udp'));

describe('over UDP', () => {
  test('a silent peer: INVITE at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, then a timeout', async () => {
    const heard = listen();
    left.layer.request(request('INVITE'), left.host.to({ address: '10.0.0.9', port: 5060 }), heard);
    await clock.pass(40_000, 500);
    expect(network.sent.map((s) => s.atMs)).toEqual([0, 500, 1500, 3500, 7500, 15500, 31500]);
    expect(heard.failures).toEqual(['timeout']);
    expectNothingLeft();
  });

  test('a silent peer: OPTIONS is repeated at most every 4 s', async () => {
    const heard = listen();
    left.layer.request(request('OPTIONS'), left.host.to({ address: '10.0.0.9', port: 5060 }), heard);
    await clock.pass(40_000, 500);
    expect(network.sent.map((s) => s.atMs)).toEqual([
      0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
    ]);
    expect(heard.failures).toEqual(['timeout']);
    expectNothingLeft();
  });

  test('100 by itself after 200 ms, 486 repeated until the ACK, the ACK stays below', async () => {
    const heard = listen();
    left.layer.request(request('INVITE'), left.host.to(b), heard);
    await clock.pass(300, 10);
    const [first] = right.incoming;
    network.faults = { drop: 1, random: () => 0 };
    first!.transaction.respond(makeResponse(first!.request, 486));
    await clock.pass(400);
    network.faults = {};
    await clock.pass(60_000);
    expect(network.lines(names)).toEqual([
      'a > b INVITE',
      'b > a 100 INVITE',
      'b > a 486 INVITE',
      'b > a 486 INVITE',
      'a > b ACK',
    ]);
    expect(heard.statuses).toEqual([100, 486]);
    expect([right.incoming.length, right.acks.length]).toEqual([1, 0]);
    expectNothingLeft();
  });

  test('an answer to BYE is repeated for each repetition, the user sees one request', async () => {
    left.layer.request(request('BYE'), left.host.to(b), listen());
    await clock.pass(10, 5);
    const [first] = right.incoming;
    network.faults = { drop: 1, random: () => 0 };
    first!.transaction.respond(makeResponse(first!.request, 200));
    network.faults = {};
    await clock.pass(60_000);
    expect(network.lines(names)).toEqual(['a > b BYE', 'b > a 200 BYE', 'a > b BYE', 'b > a 200 BYE']);
    expect(right.incoming).toHaveLength(1);
    expectNothingLeft();
  });

  test('2xx: repetitions reach the user on both sides, a stray ACK reaches the core', async () => {
    const heard = listen();
    left.layer.request(request('INVITE'), left.host.to(b), heard);
    await clock.pass(10, 5);
    const [first] = right.incoming;
    const ok = makeResponse(first!.request, 200);
    first!.transaction.respond(ok);
    first!.transaction.respond(ok);
    expect(first!.transaction.respond(makeResponse(first!.request, 486))).toBe(false);
    await clock.pass(10, 5);
    expect(heard.statuses).toEqual([200, 200]);
    const ack = makeRequest({
      method: 'ACK',
      uri: parseUri('sip:b@10.0.0.2'),
      headers: ackFor(request('INVITE'), ok).headers,
    });
    left.layer.stamp(ack, left.host.to(b));
    const { writeMessage } = await import('../messages/index.ts');
    await left.host.send(writeMessage(ack), left.host.to(b));
    await clock.pass(10, 5);
    expect(right.acks).toHaveLength(1);
    await clock.pass(60_000);
    expectNothingLeft();
  });

  test('CANCEL finds its INVITE by the branch and is a transaction of its own', async () => {
    const invite = request('INVITE');
    left.layer.request(invite, left.host.to(b), listen());
    await clock.pass(10, 5);
    left.layer.request(cancelFor(invite), left.host.to(b), listen());
    await clock.pass(10, 5);
    const cancel = right.incoming[1];
    expect(cancel?.request.method).toBe('CANCEL');
    expect(right.layer.findInvite(cancel!.request)).toBe(right.incoming[0]?.transaction);
    right.layer.close();
    left.layer.close();
    await settle();
    clock.advance(60_000);
    expectNothingLeft();
  });

  test('a late response to a forgotten transaction is a stray', async () => {
    left.layer.request(request('OPTIONS'), left.host.to(b), listen());
    await clock.pass(10, 5);
    const [first] = right.incoming;
    first!.transaction.respond(makeResponse(first!.request, 200));
    await clock.pass(60_000);
    await right.host.send(Buffer.from(network.sent.at(-1)!.text), right.host.to({ address: '10.0.0.1', port: 5060 }));
    await clock.pass(10, 5);
    expect(left.strays.map((r) => r.status)).toEqual([200]);
  });

  test('an RFC 2543 client without the magic cookie is matched by its headers', async () => {
    const text = (method: string, cseq: string, to: string): Uint8Array =>
      Buffer.from(
        `${method} sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=1\r\nFrom: <sip:a@10.0.0.1>;tag=x\r\n` +
          `To: <sip:b@10.0.0.2>${to}\r\nCall-ID: old\r\nCSeq: 7 ${cseq}\r\n\r\n`,
      );
    await left.host.send(text('INVITE', 'INVITE', ''), left.host.to(b));
    await left.host.send(text('INVITE', 'INVITE', ''), left.host.to(b));
    await clock.pass(10, 5);
    expect(right.incoming).toHaveLength(1);
    const response = makeResponse(right.incoming[0]!.request, 404);
    response.headers.set('To', '<sip:b@10.0.0.2>;tag=y');
    right.incoming[0]!.transaction.respond(response);
    await left.host.send(text('ACK', 'ACK', ';tag=y'), left.host.to(b));
    await clock.pass(10, 5);
    expect(right.acks).toHaveLength(0);
    expect(right.incoming[0]!.transaction.state).toBe('confirmed');
  });
});

describe('bounds', () => {
  test('over the bound a request gets a stateless 503, and we refuse to send', async () => {
    start('udp', 2);
    for (const id of ['one', 'two', 'three']) left.layer.request(request('OPTIONS', id), left.host.to(b), listen());
    await clock.pass(10, 5);
    expect(right.incoming).toHaveLength(2);
    expect(right.layer.counts.refused).toBe(1);
    expect(network.sent.at(-1)?.text).toMatch(/^SIP\/2\.0 503 .*\r\nRetry-After: 10\r\n/s);
    expect(() => right.layer.request(request('OPTIONS'), right.host.to(b), listen())).toThrow(/under way/);
  });
});

describe('over a connection', () => {
  beforeEach(() => start('tcp'));

  test('nothing is repeated and nothing lingers but timer H', async () => {
    const heard = listen();
    left.layer.request(request('INVITE'), left.host.to(b), heard);
    await clock.pass(10, 5);
    const [first] = right.incoming;
    first!.transaction.respond(makeResponse(first!.request, 486));
    await clock.pass(10, 5);
    expect(network.lines(names)).toEqual(['a > b INVITE', 'b > a 486 INVITE', 'a > b ACK']);
    expectNothingLeft();
  });

  test('a connection that fails is told at once', async () => {
    const heard = listen();
    left.layer.request(request('INVITE'), left.host.to({ address: '10.0.0.9', port: 1 }), heard);
    await settle();
    expect(heard.failures).toEqual(['transport']);
    expectNothingLeft();
  });
});
