import { describe, expect, test } from 'vitest';
import { SyntaxFailure, UnsafeValue } from './errors.ts';
import { Headers } from './headers.ts';
import { NameAddr, parseNameAddr } from './name-addr.ts';
import { MAX_PARAMS, Params, parseParams, quote, unquote } from './params.ts';
import { isSipUri, parseUri } from './uri.ts';
import { MAX_AUTH_PARAMS, MAX_LIST_VALUES, parseAuthValue, parseCSeq, splitList } from './values.ts';
import { Via, parseVia } from './via.ts';

describe('name-addr and addr-spec (RFC 3261 20.10, 20.20)', () => {
  test.each<[string, string | undefined, string, string | undefined]>([
    ['"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s', 'A. G. Bell', 'sip:agb@bell-telephone.com', 'a48s'],
    ['sip:+12125551212@server.phone2net.com;tag=887s', undefined, 'sip:+12125551212@server.phone2net.com', '887s'],
    ['Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8', 'Anonymous', 'sip:c8oqz84zk7z@privacy.org', 'hyh8'],
    ['<sip:a@b;lr>', undefined, 'sip:a@b;lr', undefined],
    ['"a \\"q\\" <x>, y" <sip:a@b>', 'a "q" <x>, y', 'sip:a@b', undefined],
    ['Jürgen Müller <sip:j@m>', 'Jürgen Müller', 'sip:j@m', undefined],
    ['""<sip:a@b>', undefined, 'sip:a@b', undefined],
    ['  <tel:+49-1>;tag=x', undefined, 'tel:+49-1', 'x'],
  ])('%s', (text, displayName, uri, tag) => {
    const read = parseNameAddr(text, 'To');
    expect([read.displayName, read.uri.toString(), read.tag]).toEqual([displayName, uri, tag]);
    const again = parseNameAddr(read.toString(), 'To');
    expect([again.displayName, again.uri.toString(), again.tag]).toEqual([displayName, uri, tag]);
  });

  test.each([
    '',
    '<>',
    '<sip:a@b',
    'a, b <sip:a@b>',
    '"a <sip:a@b>',
    '"a" b <sip:a@b>',
    'sip:a@b?x=y',
    '<sip:a@b>x',
    '<sip:a@b>;',
    '<sip:a@b>;=',
    '< sip:a@b>',
    'alice',
  ])('%j is refused', (text) => {
    expect(() => parseNameAddr(text, 'To').uri).toThrow(SyntaxFailure);
  });
});

describe('Via (RFC 3261 20.42)', () => {
  test.each([
    [
      'SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7',
      'UDP',
      'erlang.bell-telephone.com:5060',
      'z9hG4bK87asdks7',
    ],
    [
      'SIP / 2.0 / udp first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1',
      'UDP',
      'first.example.com:4000',
      'z9hG4bKa7c6a8dlze.1',
    ],
    ['SIP/2.0/WSS [2001:db8::1]:443;rport;branch=x', 'WSS', '[2001:db8::1]:443', 'x'],
    ['SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks', 'WS', 'df7jal23ls0d.invalid', 'z9hG4bK56sdasks'],
  ])('%s', (text, transport, sentBy, branch) => {
    const via = parseVia(text);
    expect([via.transport, via.sentBy, via.branch]).toEqual([transport, sentBy, branch]);
    expect(parseVia(via.toString())).toEqual(via);
  });

  test.each([
    '',
    'SIP/2.0',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0/UDP ;branch=x',
    'SIP/2.0/UDP a b',
    'SIP/2.0/U DP a',
    'UDP a',
    'SIP/2.0/UDP a:99999',
    'SIP/2.0/UDP 2001:db8::1',
  ])('trap 5: %j is refused, not lost', (text) => {
    expect(() => parseVia(text)).toThrow(SyntaxFailure);
  });

  test('is not made of unsafe parts', () => {
    expect(() => Via.of({ transport: 'U/P', host: 'h' })).toThrow(UnsafeValue);
    expect(() => Via.of({ transport: 'UDP', host: 'h\r\n' })).toThrow(UnsafeValue);
  });
});

describe('other values', () => {
  test.each<[string, number | undefined, string]>([
    ['4711 INVITE', 4711, 'INVITE'],
    ['0\tx', 0, 'x'],
    ['2147483647 A', 2147483647, 'A'],
    ['2147483648 A', undefined, ''],
    ['1', undefined, ''],
    ['-1 A', undefined, ''],
    ['1 A B', undefined, ''],
    ['1 (', undefined, ''],
  ])('CSeq %j', (text, seq, method) => {
    if (seq === undefined) expect(() => parseCSeq(text)).toThrow(SyntaxFailure);
    else expect(parseCSeq(text)).toEqual({ seq, method });
  });

  test('lists split at commas outside quotes and brackets', () => {
    expect(splitList('a, "b,c" , <sip:x?a=1,2>;d', 'X')).toEqual(['a', '"b,c"', '<sip:x?a=1,2>;d']);
    for (const bad of ['a,', ',a', 'a,,b', '"a,b']) expect(() => splitList(bad, 'X')).toThrow(SyntaxFailure);
  });

  test('digest values', () => {
    const value = parseAuthValue('Digest realm="a, \\"b\\"", nonce=x ,  QOP="auth,auth-int",stale=FALSE', 'X');
    expect(value.scheme).toBe('digest');
    expect([...value.params]).toEqual([
      ['realm', 'a, "b"'],
      ['nonce', 'x'],
      ['qop', 'auth,auth-int'],
      ['stale', 'FALSE'],
    ]);
    for (const bad of ['', '"x"', 'Digest a', 'Digest a=1, a=2', 'Digest a="x" y', 'Digest =x', 'Digest a="x'])
      expect(() => parseAuthValue(bad, 'X')).toThrow(SyntaxFailure);
    expect(parseAuthValue('Negotiate YII==', 'X')).toMatchObject({ scheme: 'negotiate' });
  });

  test('identities and referrals (RFC 3325, 3892, 3515)', () => {
    const h = new Headers([
      ['P-Asserted-Identity', '"Cullen Jennings" <sip:fluffy@cisco.com>, <tel:+14085264000>'],
      ['b', '<sip:referror@referror.example>;cid="20398823.2UWQFN309shb3@referror.example"'],
      ['r', '<sip:bob@biloxi.com?Replaces=12345%40atlanta.com%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>'],
      ['x', '4000;refresher=uac'],
    ]);
    expect(h.assertedIdentity.map((one) => one.uriText)).toEqual(['sip:fluffy@cisco.com', 'tel:+14085264000']);
    expect(h.referredBy?.params.text('cid')).toBe('20398823.2UWQFN309shb3@referror.example');
    const target = h.referTo?.uri;
    expect(target !== undefined && isSipUri(target) && target.headers.get('Replaces')).toMatch(/^12345%40atlanta/);
    expect(h.sessionExpires?.params.get('refresher')).toBe('uac');
  });

  test('quoting comes back', () => {
    for (const text of ['', 'a', 'a"b', 'a\\', '\\"', 'ä\u0007\0']) expect(unquote(quote(text))).toBe(text);
  });

  test('every typed accessor of a bad value throws SyntaxFailure and nothing else', () => {
    const broken: [string, (h: Headers) => unknown][] = [
      ['Max-Forwards', (h) => h.maxForwards],
      ['Contact', (h) => h.contacts],
      ['Route', (h) => h.route],
      ['Record-Route', (h) => h.recordRoute],
      ['Path', (h) => h.path],
      ['Service-Route', (h) => h.serviceRoute],
      ['Refer-To', (h) => h.referTo],
      ['Referred-By', (h) => h.referredBy],
      ['P-Asserted-Identity', (h) => h.assertedIdentity],
      ['Expires', (h) => h.expires],
      ['Min-Expires', (h) => h.minExpires],
      ['Content-Length', (h) => h.contentLength],
      ['Content-Type', (h) => h.contentType],
      ['Retry-After', (h) => h.retryAfter],
      ['Supported', (h) => h.supported],
      ['Require', (h) => h.require],
      ['Event', (h) => h.event],
      ['Session-Expires', (h) => h.sessionExpires],
      ['Replaces', (h) => h.replaces],
      ['Authorization', (h) => h.auth('Authorization')],
      ['Via', (h) => h.via],
      ['From', (h) => h.from],
      ['To', (h) => h.to],
      ['CSeq', (h) => h.cseq],
    ];
    for (const [name, read] of broken) {
      expect(() => read(new Headers([[name, ';"<,;=']])), name).toThrow(SyntaxFailure);
      expect([undefined, []]).toContainEqual(read(new Headers()));
    }
  });
});

describe('the container', () => {
  const all = (h: Headers): string[] => [...h.entries()].map(([n, v]) => `${n}: ${v}`);

  test('names compare without case and by their compact forms; order is kept', () => {
    const h = new Headers([
      ['v', 'a'],
      ['X-One', '1'],
      ['VIA', 'b'],
      ['x-one', '2'],
    ]);
    expect(all(h)).toEqual(['Via: a', 'X-One: 1', 'Via: b', 'x-one: 2']);
    expect([h.get('via'), h.getAll('V'), h.getAll('X-ONE'), h.has('f')]).toEqual(['a', ['a', 'b'], ['1', '2'], false]);
    h.set('Via', 'c');
    h.prepend('X-One', '0');
    expect(all(h)).toEqual(['Via: c', 'X-One: 0', 'X-One: 1', 'x-one: 2']);
    h.remove('x-ONE');
    expect(all(h)).toEqual(['Via: c']);
  });

  test('the first value of a list is taken off and replaced, whatever the lines', () => {
    const h = new Headers([
      ['Route', '<sip:a>, <sip:b>'],
      ['Route', '<sip:c>'],
    ]);
    h.replaceFirst('Route', '<sip:x>');
    expect(h.list('Route')).toEqual(['<sip:x>', '<sip:b>', '<sip:c>']);
    expect([h.shift('Route'), h.shift('Route'), h.shift('Route'), h.shift('Route')]).toEqual([
      '<sip:x>',
      '<sip:b>',
      '<sip:c>',
      undefined,
    ]);
  });

  test('typed values follow changes, and a copy is independent', () => {
    const h = new Headers([
      ['To', '<sip:a@b>'],
      ['Contact', '<sip:a@b>'],
      ['CSeq', '1 A'],
      ['Via', 'SIP/2.0/UDP a'],
      ['Expires', '1'],
    ]);
    expect([h.to?.tag, h.contacts.length, h.cseq?.seq, h.via?.host, h.expires]).toEqual([undefined, 1, 1, 'a', 1]);
    const copy = h.clone();
    h.set('To', '<sip:a@b>;tag=1');
    h.add('Contact', '<sip:c@d>');
    h.set('CSeq', '2 A');
    h.prepend('Via', 'SIP/2.0/UDP b');
    h.remove('Expires');
    expect([h.to?.tag, h.contacts.length, h.cseq?.seq, h.via?.host, h.expires]).toEqual(['1', 2, 2, 'b', undefined]);
    expect([copy.to?.tag, copy.contacts.length, copy.cseq?.seq, copy.via?.host, copy.expires]).toEqual([
      undefined,
      1,
      1,
      'a',
      1,
    ]);
  });

  test.each(['a\r\nVia: x', 'a\nb', 'a\rb', 'a\0b', '\r\n'])(
    'trap 4: %j is not written, wherever it comes from',
    (evil) => {
      const h = new Headers([['Via', 'SIP/2.0/UDP a']]);
      for (const write of [
        () => h.set('Subject', evil),
        () => h.add('Subject', evil),
        () => h.prepend('Subject', evil),
        () => h.replaceFirst('Via', evil),
        () => h.set(evil, 'x'),
        () => new Headers([['Subject', evil]]),
        () => Params.of({ a: evil }),
        () => Params.of({ [evil]: 'x' }),
        () => NameAddr.of({ displayName: evil, uri: parseUri('sip:a@b') }),
        () => h.set('X', { toString: () => evil }),
      ])
        expect(write).toThrow(UnsafeValue);
      expect(all(h)).toEqual(['Via: SIP/2.0/UDP a']);
    },
  );

  test.each(['a;b', 'a b', 'a,b', '<a>', '"a', 'a"b'])('a parameter %j must be quoted to be written', (value) => {
    expect(() => Params.none.with('x', value)).toThrow(UnsafeValue);
    expect(parseParams(Params.none.with('x', quote(value)).toString(), 0, 'X').text('x')).toBe(value);
  });

  test('bounds: values of a list, parameters of a value', () => {
    const values = (count: number): string => Array.from({ length: count }, () => '<sip:a>').join(',');
    expect(new Headers([['Route', values(MAX_LIST_VALUES)]]).route).toHaveLength(MAX_LIST_VALUES);
    expect(() => new Headers([['Route', values(MAX_LIST_VALUES + 1)]]).route).toThrow('too many values');
    const lines = Array.from({ length: 3 }, () => ['Route', values(50)] as const);
    expect(() => new Headers(lines).route).toThrow('too many values');
    expect(parseParams(';a'.repeat(MAX_PARAMS), 0, 'X').size).toBe(MAX_PARAMS);
    expect(() => parseParams(';a'.repeat(MAX_PARAMS + 1), 0, 'X')).toThrow('too many parameters');
    const auth = (count: number): string => `Digest ${Array.from({ length: count }, (_, i) => `p${i}=x`).join(',')}`;
    expect(parseAuthValue(auth(MAX_AUTH_PARAMS), 'X').params.size).toBe(MAX_AUTH_PARAMS);
    expect(() => parseAuthValue(auth(MAX_AUTH_PARAMS + 1), 'X')).toThrow(SyntaxFailure);
  });
});
