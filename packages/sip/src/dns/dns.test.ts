import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seeded } from '../../../../test/kit/scale.ts';
import { startDnsServer } from '../../test/dns-server.ts';
import type { DnsServer } from '../../test/dns-server.ts';
import { FakeClock } from '../../test/fake-clock.ts';
import { parseUri, parseVia } from '../messages/index.ts';
import type { Protocol, Target } from '../transport/port.ts';
import { cachedResolver } from './cached-resolver.ts';
import { MAX_TARGETS, locate, locateReply, tryEach } from './locate.ts';
import { nodeResolver } from './node-resolver.ts';
import { orderNaptr, orderSrv } from './order.ts';
import { DnsFailure } from './records.ts';
import type { NaptrRecord, Resolver, SrvRecord } from './records.ts';

const srv = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });
const naptr = (order: number, preference: number, service: string, replacement: string): NaptrRecord => ({
  order,
  preference,
  flags: 's',
  service,
  replacement,
});

let server: DnsServer;
let resolver: Resolver;
beforeAll(async () => {
  server = await startDnsServer({
    a: {
      'one.example.com': ['192.0.2.1'],
      'two.example.com': ['192.0.2.2', '192.0.2.3'],
      'plain.example.com': ['192.0.2.9'],
      'three.example.com': ['192.0.2.4', '192.0.2.5', '192.0.2.6'],
      'both.example.com': ['192.0.2.20'],
    },
    aaaa: { 'both.example.com': ['20010db8000000000000000000000020'] },
    srv: {
      '_sips._tcp.example.com': [srv('one.example.com', 5061)],
      '_sip._tcp.example.com': [srv('two.example.com', 5070, 1), srv('one.example.com', 5060, 2)],
      '_sip._udp.example.com': [srv('one.example.com', 5060)],
      '_sip._udp.srv-only.com': [srv('missing.example.com', 1, 1), srv('one.example.com', 5090, 2)],
      '_sip._tcp.srv-only.com': [srv('two.example.com', 5091)],
      '_sip._udp.closed.com': [srv('.', 0)],
      '_sip._udp.many.com': Array.from({ length: 20 }, (_, i) => srv('one.example.com', 6000 + i, i)),
      '_sip._udp.more.com': Array.from({ length: 20 }, (_, i) => srv('three.example.com', 6000 + i, i)),
      '_sip._ws.naptr-ws.com': [srv('one.example.com', 8080)],
    },
    naptr: {
      'example.com': [
        naptr(90, 50, 'SIP+D2T', '_sip._tcp.example.com'),
        naptr(100, 50, 'SIP+D2U', '_sip._udp.example.com'),
        naptr(50, 50, 'SIPS+D2T', '_sips._tcp.example.com'),
        naptr(1, 1, 'E2U+sip', '_nothing.example.com'),
        { ...naptr(1, 1, 'SIP+D2U', '_nothing.example.com'), flags: 'u' },
      ],
      'naptr-ws.com': [naptr(1, 1, 'SIP+D2W', '_sip._ws.naptr-ws.com')],
    },
    failing: ['broken.example.com'],
    silent: ['silent.example.com'],
  });
  resolver = nodeResolver({ servers: [server.address], timeoutMs: 200, tries: 1 });
});
afterAll(() => server.close());
beforeEach(() => void server.asked.splice(0));

const ALL: readonly Protocol[] = ['udp', 'tcp', 'tls'];
const show = (t: Target): string =>
  `${t.protocol} ${t.address} ${t.port}${t.serverName === undefined ? '' : ` ${t.serverName}`}`;
const find = async (uri: string, protocols = ALL): Promise<string[]> =>
  (await locate(parseUri(uri), { resolver, protocols, random: () => 0 })).map(show);

describe('RFC 3263 4, against a name server', () => {
  test.each<[string, string, readonly Protocol[], string[]]>([
    [
      'NAPTR chooses the transport, SRV the servers',
      'sip:a@example.com',
      ALL,
      [
        'tls 192.0.2.1 5061 example.com',
        'tcp 192.0.2.2 5070',
        'tcp 192.0.2.3 5070',
        'tcp 192.0.2.1 5060',
        'udp 192.0.2.1 5060',
      ],
    ],
    ['what we lack is left out', 'sip:a@example.com', ['udp'], ['udp 192.0.2.1 5060']],
    ['sips takes secure ones alone', 'sips:a@example.com', ALL, ['tls 192.0.2.1 5061 example.com']],
    [
      'a named transport asks its SRV',
      'sip:a@example.com;transport=tcp',
      ALL,
      ['tcp 192.0.2.2 5070', 'tcp 192.0.2.3 5070', 'tcp 192.0.2.1 5060'],
    ],
    ['sips with transport=tcp is TLS', 'sips:a@example.com;transport=tcp', ALL, ['tls 192.0.2.1 5061 example.com']],
    [
      'without NAPTR our own order counts; a missing server is passed over',
      'sip:srv-only.com',
      ALL,
      ['udp 192.0.2.1 5090', 'tcp 192.0.2.2 5091', 'tcp 192.0.2.3 5091'],
    ],
    ['without SRV the address and the default port', 'sip:plain.example.com', ALL, ['udp 192.0.2.9 5060']],
    ['the same for sips', 'sips:plain.example.com', ALL, ['tls 192.0.2.9 5061 plain.example.com']],
    ['a port needs no SRV', 'sip:plain.example.com:5099', ALL, ['udp 192.0.2.9 5099']],
    [
      'a port and a transport',
      'sip:plain.example.com:5099;transport=tls',
      ALL,
      ['tls 192.0.2.9 5099 plain.example.com'],
    ],
    ['both families', 'sip:both.example.com', ALL, ['udp 192.0.2.20 5060', 'udp 2001:db8::20 5060']],
    ['a literal address asks nobody', 'sip:192.0.2.77', ALL, ['udp 192.0.2.77 5060']],
    ['IPv6 too', 'sips:[2001:db8::1]:7', ALL, ['tls 2001:db8::1 7 2001:db8::1']],
    ['maddr goes before the host', 'sip:a@example.com;maddr=192.0.2.88', ALL, ['udp 192.0.2.88 5060']],
    ['WebSocket by RFC 7118', 'sip:naptr-ws.com', ['ws'], ['ws 192.0.2.1 8080']],
    ['transport=ws', 'sip:192.0.2.1;transport=ws', ['ws', 'wss'], ['ws 192.0.2.1 80']],
    ['without UDP the first that we have', 'sip:192.0.2.1', ['tcp'], ['tcp 192.0.2.1 5060']],
    ['a closed service falls back to the address', 'sip:192.0.2.1;transport=udp', ALL, ['udp 192.0.2.1 5060']],
  ])('%s: %s', async (_name, uri, protocols, expected) => {
    expect(await find(uri, protocols)).toEqual(expected);
  });

  test('literals and ports spare questions', async () => {
    await find('sip:192.0.2.1');
    expect(server.asked).toEqual([]);
    await find('sip:plain.example.com:1');
    expect(server.asked).toEqual(['A plain.example.com', 'AAAA plain.example.com']);
    server.asked.splice(0);
    await find('sip:example.com;transport=tls');
    expect(server.asked.slice(0, 1)).toEqual(['SRV _sips._tcp.example.com']);
  });

  test.each([
    ['sip:nowhere.example.com', 'not-found'],
    ['sip:closed.com', 'not-found'],
    ['sip:broken.example.com:5060', 'no-answer'],
    ['sip:silent.example.com:5060', 'no-answer'],
    ['sips:example.com;transport=udp', 'unsupported'],
    ['sip:example.com;transport=sctp', 'unsupported'],
    ['tel:+1', 'unsupported'],
    ['sip:a@example.com;maddr=%00', 'not-found'],
    ['sip:a@example.com;maddr', 'not-found'],
    ['sip:a@example.com;maddr=[::1', 'not-found'],
  ])('%s: %s', async (uri, code) => {
    await expect(find(uri)).rejects.toMatchObject({ name: 'DnsFailure', code });
  });

  test('targets are bounded', async () => {
    expect(await find('sip:many.com')).toHaveLength(MAX_TARGETS);
    expect(await find('sip:more.com')).toHaveLength(MAX_TARGETS);
  });

  test.each([
    ['SIP/2.0/TCP plain.example.com:5099', ['tcp 192.0.2.9 5099']],
    ['SIP/2.0/TCP 192.0.2.5', ['tcp 192.0.2.5 5060']],
    ['SIP/2.0/TCP example.com', ['tcp 192.0.2.2 5070', 'tcp 192.0.2.3 5070', 'tcp 192.0.2.1 5060']],
    ['SIP/2.0/TLS plain.example.com', ['tls 192.0.2.9 5061 plain.example.com']],
  ])('RFC 3263 5: a response to %s', async (via, expected) => {
    expect((await locateReply(parseVia(via), { resolver, protocols: ALL, random: () => 0 })).map(show)).toEqual(
      expected,
    );
    await expect(locateReply(parseVia('SIP/2.0/SCTP a'), { resolver, protocols: ALL })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});

test('failover (RFC 3263 4.3): on to the next place, but not after every error', async () => {
  const targets: Target[] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => ({
    protocol: 'udp',
    address,
    port: 5060,
  }));
  const tried: string[] = [];
  const attempt = async (target: Target): Promise<string> => {
    tried.push(target.address);
    if (target.address === '192.0.2.3') return 'ok';
    throw new Error(target.address === '192.0.2.1' ? 'dead' : 'late');
  };
  expect(await tryEach(targets, attempt, () => true)).toBe('ok');
  expect(tried).toHaveLength(3);
  await expect(tryEach(targets, attempt, (error) => String(error).includes('dead'))).rejects.toThrow('late');
  await expect(tryEach(targets.slice(0, 2), attempt, () => true)).rejects.toThrow('late');
  await expect(tryEach([], attempt, () => true)).rejects.toThrow(DnsFailure);
});

describe('order', () => {
  test('NAPTR by order, then preference', () => {
    const records = [
      naptr(2, 1, 'SIP+D2U', 'c'),
      naptr(1, 9, 'sip+d2t', 'b'),
      naptr(1, 1, 'SIPS+D2T', 'a'),
      naptr(1, 1, 'SIP+D2S', 'x'),
    ];
    expect(orderNaptr(records, ['udp', 'tcp', 'tls']).map((one) => one.name)).toEqual(['a', 'b', 'c']);
  });

  test('SRV by priority; within one the weights decide the chances, and everybody has one', () => {
    const random = seeded(7);
    const records = [srv('heavy', 1, 1, 90), srv('light', 1, 1, 10), srv('zero', 1, 1, 0), srv('last', 1, 2, 1000)];
    const firsts = { heavy: 0, light: 0, zero: 0, last: 0 };
    for (let i = 0; i < 10_000; i++) {
      const order = orderSrv(records, random);
      expect(order).toHaveLength(4);
      expect(order[3]?.name).toBe('last');
      firsts[order[0]?.name as keyof typeof firsts] += 1;
    }
    expect(firsts.heavy).toBeGreaterThan(8_500);
    expect(firsts.light).toBeGreaterThan(700);
    expect(firsts.zero).toBeGreaterThan(0);
  });
});

describe('the cache', () => {
  test('one question for many, again after its life; failures and overflow are forgotten', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const inner: Resolver = {
      naptr: async () => [],
      srv: async () => {
        throw new DnsFailure('no-answer', 'x');
      },
      addresses: async (name) => {
        asked += 1;
        return [name];
      },
    };
    const cached = cachedResolver(inner, { clock, lifetimeMs: 1_000, maxNames: 5 });
    await Promise.all([cached.addresses('a', 4), cached.addresses('a', 4), cached.addresses('a', 6)]);
    expect(asked).toBe(2);
    clock.advance(999);
    await cached.addresses('a', 4);
    expect(asked).toBe(2);
    clock.advance(1);
    await cached.addresses('a', 4);
    expect(asked).toBe(3);
    await expect(cached.srv('a')).rejects.toThrow(DnsFailure);
    for (let i = 0; i < 50; i++) await cached.addresses(`n${i}`, 4);
    expect(cached.size).toBe(5);
  });
});

test('the system knows its own name', async () => {
  expect(await nodeResolver().addresses('localhost', 4)).toContain('127.0.0.1');
});
