import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { makeResponse, replyFlow, writeMessage } from '../../src/index.ts';
import type { Flow, Protocol, SipRequest } from '../../src/index.ts';
import { PROTOCOLS, flowTo, openSide, options, rawOptions, rawTcp, rawUdp, sendOptions } from './stand.ts';
import type { Side } from './stand.ts';

const answer = (side: Side, message: SipRequest, flow: Flow): Promise<void> =>
  side.transports.send(writeMessage(makeResponse(message, 200)), replyFlow(message, flow));

const cases = PROTOCOLS.flatMap((protocol) => ['127.0.0.1', '::1'].map((address) => ({ protocol, address })));

describe.each(cases)('$protocol on $address', ({ protocol, address }) => {
  test('trap 1: a request goes, its answer comes back the same way, and the other side calls back on the flow', async () => {
    const a = await openSide({ address });
    const b = await openSide({ address });
    const there = flowTo(b, a.listener(protocol).local, protocol);
    const asked = await sendOptions(b, there, 'body \u20ac');
    const { message, flow } = await a.requests();
    expect([message.headers.callId, Buffer.from(message.body).toString()]).toEqual([
      asked.headers.callId,
      'body \u20ac',
    ]);
    expect(flow.protocol).toBe(protocol);
    await answer(a, message, flow);
    await until(() => b.got.some((one) => one.message.kind === 'response'), 'the response');
    // Traps 1 and 2: back over the very flow, though the peer has the same address, and no connection is opened.
    const before = [a.transports.connectionCount, b.transports.connectionCount];
    const back = await sendOptions(a, flow);
    const called = await b.requests();
    expect(called.message.headers.callId).toBe(back.headers.callId);
    expect([a.transports.connectionCount, b.transports.connectionCount]).toEqual(before);
    expect(before).toEqual(protocol === 'udp' ? [0, 0] : [1, 1]);
  });
});

test.each(PROTOCOLS.filter((p) => p !== 'udp'))(
  '%s: one connection for many requests, also for those sent at once',
  async (protocol) => {
    const a = await openSide();
    const b = await openSide();
    const there = flowTo(b, a.listener(protocol).local, protocol);
    await Promise.all(Array.from({ length: 20 }, () => sendOptions(b, there)));
    await sendOptions(b, there);
    await until(() => a.got.length === 21, '21 requests');
    expect([a.transports.connectionCount, b.transports.connectionCount]).toEqual([1, 1]);
    expect(new Set(a.got.map((one) => one.flow.connection?.id)).size).toBe(1);
  },
);

test('RFC 5923: a connection is not reused for another proven name', async () => {
  const a = await openSide();
  const b = await openSide();
  const { local } = a.listener('tls');
  await sendOptions(b, flowTo(b, local, 'tls', 'sip.test'));
  await sendOptions(b, flowTo(b, local, 'tls'));
  await until(() => a.got.length === 2, 'two requests');
  expect(b.transports.connectionCount).toBe(2);
});

test('a flow that has ended fails with flow-closed, in an orderly way, and its end is told once', async () => {
  const a = await openSide();
  const b = await openSide();
  await sendOptions(b, flowTo(b, a.listener('tcp').local, 'tcp'));
  const { flow } = await a.requests();
  let ends = 0;
  flow.connection?.onClose(() => (ends += 1));
  const removed = flow.connection?.onClose(() => (ends += 100));
  removed?.();
  await b.transports.close();
  await until(() => flow.connection?.isOpen === false, 'the end');
  await expect(a.transports.send(writeMessage(options(flow)), flow)).rejects.toMatchObject({ code: 'flow-closed' });
  flow.connection?.onClose(() => (ends += 10));
  await until(() => ends === 11, 'both ends told');
  expect(a.transports.connectionCount).toBe(0);
});

test.each<[string, (port: number) => string, 'source' | 'via']>([
  ['RFC 3581: with rport to where it came from', () => '127.0.0.1:1;branch=z9hG4bK1;rport', 'source'],
  ['RFC 3261 18.2.2: without it to the port in Via', (port) => `127.0.0.1:${port};branch=z9hG4bK1`, 'via'],
  ['and to the address it came from, whatever Via says', (port) => `192.0.2.99:${port};branch=z9hG4bK1`, 'via'],
])('UDP responses: %s', async (_name, via, expected) => {
  const a = await openSide();
  const [source, named] = [await rawUdp(), await rawUdp()];
  source.send(rawOptions(`SIP/2.0/UDP ${via(named.local.port)}`), a.listener('udp').local);
  const { message, flow } = await a.requests();
  await answer(a, message, flow);
  const heard = expected === 'source' ? source : named;
  const text = String(await until(() => heard.got[0], 'the response'));
  if (expected === 'source') expect(text).toContain(`rport=${source.local.port}`);
  if (via(0).startsWith('192') || expected === 'source') expect(text).toContain('received=127.0.0.1');
  else expect(text).not.toContain('received');
});

test('several listeners of one kind: the answer leaves by the one that was asked', async () => {
  const a = await openSide({ protocols: ['udp', 'udp', 'tcp', 'tcp'] });
  const peer = await rawUdp();
  const seen = new Set<number>();
  peer.socket.on('message', (_bytes, from) => seen.add(from.port));
  const [one, two] = a.transports.listeners;
  for (const listener of [one, two]) {
    peer.send(rawOptions('SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport'), listener?.local ?? a.listener('udp').local);
    const want = a.got.length + 1;
    await until(() => a.got.length === want, 'the request');
    const { message, flow } = await a.requests();
    await answer(a, message, flow);
  }
  await until(() => seen.size === 2, 'answers from both ports');
  expect(seen).toEqual(new Set([one?.local.port, two?.local.port]));
});

test('an advertised address is what we call ourselves', async () => {
  const advertised = { address: '203.0.113.7', port: 5999 };
  const a = await openSide({ listeners: [{ protocol: 'udp', address: '0.0.0.0', port: 0, advertised }] });
  const peer = await rawUdp();
  expect(flowTo(a, peer.local, 'udp').local).toEqual(advertised);
  await sendOptions(a, flowTo(a, peer.local, 'udp'));
  expect(String(await until(() => peer.got[0], 'the request'))).toContain('Via: SIP/2.0/UDP 203.0.113.7:5999');
  const bare = await openSide({ listeners: [{ protocol: 'udp', address: '0.0.0.0', port: 0 }] });
  expect(flowTo(bare, peer.local, 'udp').local.address).toBe('127.0.0.1');
});

test('no listener of that protocol or family: no flow', async () => {
  const a = await openSide({ protocols: ['tcp'] });
  expect(a.transports.flowTo({ protocol: 'udp', address: '127.0.0.1', port: 1 })).toBeUndefined();
  expect(a.transports.flowTo({ protocol: 'tcp', address: '::1', port: 1 })).toBeUndefined();
  const flow: Flow = {
    protocol: 'udp',
    local: { address: '127.0.0.1', port: 1 },
    remote: { address: '127.0.0.1', port: 1 },
  };
  await expect(a.transports.send(writeMessage(options(flow)), flow)).rejects.toMatchObject({ code: 'no-listener' });
});

describe('what is refused is answered where it may be (RFC 3261 8.2, 16.3)', () => {
  test.each<[string, string, number | undefined]>([
    ['trap 5: a broken Via', rawOptions('SIP/2.0/UDP ;;,,'), 400],
    ['no CSeq', rawOptions('SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport').replace(/CSeq.*\r\n/, ''), 400],
    [
      'another version',
      rawOptions('SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport').replace('SIP/2.0\r', 'SIP/3.0\r'),
      505,
    ],
    ['an ACK', rawOptions('SIP/2.0/UDP ;;').replaceAll('OPTIONS', 'ACK'), undefined],
    ['a response', rawOptions('SIP/2.0/UDP ;;').replace(/^OPTIONS.*?\r/, 'SIP/2.0 200 OK\r'), undefined],
    ['noise', 'hello there\r\n\r\n', undefined],
  ])('%s', async (_name, text, status) => {
    const a = await openSide({ protocols: ['udp'] });
    const peer = await rawUdp();
    peer.send(text, a.listener('udp').local);
    await until(() => a.refused.length === 1, 'the refusal');
    // A good request after it shows that nothing else is on its way.
    peer.send(rawOptions('SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport'), a.listener('udp').local);
    const { message, flow } = await a.requests();
    await answer(a, message, flow);
    await until(() => peer.got.some((bytes) => bytes.includes('SIP/2.0 200')), 'the answer');
    const statuses = peer.got.map((bytes) => Number(bytes.toString().slice(8, 11)));
    expect(statuses).toEqual(status === undefined ? [200] : [status, 200]);
    expect(a.got).toHaveLength(1);
  });

  test('a header that is broken only when somebody reads it', async () => {
    const a = await openSide({ protocols: ['tcp'] });
    a.transports.onMessage((message) => expect(message.headers.contacts).toEqual([]));
    const peer = await rawTcp(a.listener('tcp').local);
    peer.socket.write(rawOptions('SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1', 'Contact: <sip:x\r\n'));
    await until(() => peer.text().includes('SIP/2.0 400 Bad Contact'), 'the 400');
    expect(peer.text()).toMatch(/\r\nTo: <sip:b@test>;tag=/);
    expect(peer.isClosed()).toBe(false);
  });
});

test.each([
  ['port 0', { address: '127.0.0.1', port: 0 }],
  ['a port too high', { address: '127.0.0.1', port: 65_536 }],
  ['no address', { address: 'a:b', port: 5060 }],
  ['a name', { address: 'localhost', port: 5060 }],
])('a place that can not be is a failure, never a crash: %s', async (_name, remote) => {
  const a = await openSide();
  for (const protocol of PROTOCOLS) {
    const flow: Flow = { protocol, local: a.listener(protocol).local, remote };
    await expect(a.transports.send(writeMessage(options(flow)), flow)).rejects.toMatchObject({
      name: 'TransportFailure',
    });
    await expect(a.transports.probe(flow, 1_000)).rejects.toMatchObject({ name: 'TransportFailure' });
  }
});

test('a Via whose port is 0 is answered to nobody, and does no harm', async () => {
  const a = await openSide({ protocols: ['udp'] });
  const peer = await rawUdp();
  const { local } = a.listener('udp');
  peer.send(rawOptions('SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK1').replace('CSeq: 1 OPTIONS', 'CSeq: 1 BYE'), local);
  await until(() => a.refused.length === 1, 'the refusal');
  peer.send(rawOptions('SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK1'), local);
  const { message, flow } = await a.requests();
  await expect(answer(a, message, flow)).rejects.toMatchObject({ code: 'send-failed' });
});

test.each<[Protocol]>([['tcp'], ['tls'], ['ws'], ['wss']])('%s: nobody there', async (protocol) => {
  const a = await openSide({ protocols: [protocol], limits: { connectTimeoutMs: 300 } });
  const b = await openSide({ protocols: [protocol] });
  const { local } = b.listener(protocol);
  await b.transports.close();
  const flow = flowTo(a, local, protocol);
  await expect(sendOptions(a, flow)).rejects.toMatchObject({ name: 'TransportFailure', code: 'connect-failed' });
  expect(a.transports.connectionCount).toBe(0);
});
