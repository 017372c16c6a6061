import { describe, expect, test } from 'vitest';
import { SyntaxFailure, UnsafeValue } from './errors.ts';
import { Params } from './params.ts';
import { isIpv6 } from './host.ts';
import { sameUri } from './same-uri.ts';
import { MAX_URI_LENGTH, SipUri, isSipUri, parseUri } from './uri.ts';

function sip(text: string): SipUri {
  const uri = parseUri(text);
  if (!isSipUri(uri)) throw new Error(`${text} is no SIP URI`);
  return uri;
}

test('trap 5: escapes, IPv6, port, parameters and headers are read, and written as they came', () => {
  const text = 'sip:%61lice@[2001:db8::1]:5061;transport=tls;lr?Subject=x';
  const uri = sip(text);
  expect(uri.toString()).toBe(text);
  expect([uri.scheme, uri.user, uri.rawUser, uri.host, uri.address, uri.port]).toEqual([
    'sip',
    'alice',
    '%61lice',
    '[2001:db8::1]',
    '2001:db8::1',
    5061,
  ]);
  expect([uri.transport, uri.params.get('lr'), uri.headers.get('Subject')]).toEqual(['tls', '', 'x']);
});

describe('URIs that are good', () => {
  test.each<[string, string | undefined, string, number | undefined]>([
    ['sip:alice@atlanta.com', 'alice', 'atlanta.com', undefined],
    ['sip:alice:secretword@atlanta.com;transport=tcp', 'alice', 'atlanta.com', undefined],
    ['sips:alice@atlanta.com?subject=project%20x&priority=urgent', 'alice', 'atlanta.com', undefined],
    ['sip:+1-212-555-1212:1234@gateway.com;user=phone', '+1-212-555-1212', 'gateway.com', undefined],
    ['sips:1212@gateway.com', '1212', 'gateway.com', undefined],
    ['sip:alice@192.0.2.4', 'alice', '192.0.2.4', undefined],
    ['sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com', undefined, 'atlanta.com', undefined],
    ['sip:alice;day=tuesday@atlanta.com', 'alice;day=tuesday', 'atlanta.com', undefined],
    ['SIP:Bob@EXAMPLE.com:5060', 'Bob', 'example.com', 5060],
    ['sip:[::1]:0', undefined, '[::1]', 0],
    ['sip:%E2%82%AC@example.com.', '\u20ac', 'example.com.', undefined],
    ['sip:%ff@example.com', '%ff', 'example.com', undefined],
    ['sip:host_with_underscore', undefined, 'host_with_underscore', undefined],
  ])('%s', (text, user, host, port) => {
    const uri = sip(text);
    expect([uri.user, uri.host, uri.port, uri.toString()]).toEqual([user, host, port, text]);
    // Made anew of its parts it means the same.
    expect(sameUri(uri.with({}), uri)).toBe(true);
  });

  test.each([
    ['tel:+1-201-555-0123', 'tel', '+1-201-555-0123'],
    ['urn:service:sos', 'urn', 'service:sos'],
    ['http://example.com/a?b', 'http', '//example.com/a?b'],
  ])('%s is kept as it is', (text, scheme, opaque) => {
    expect(parseUri(text)).toMatchObject({ scheme, opaque });
    expect(parseUri(text).toString()).toBe(text);
  });
});

test.each([
  '',
  'sip',
  'sip:',
  ':x',
  'sip:@host',
  'sip:a@',
  'sip:a b@host',
  'sip:host:',
  'sip:host :1',
  'sip:host:\t1',
  'sip:a@ host',
  'sip:host:65536',
  'sip:host:-1',
  'sip:host:x',
  'sip:a@b@c',
  'sip:%zz@host',
  'sip:%4@host',
  'sip:host;',
  'sip:host;=x',
  'sip:host;a=%1',
  'sip:host?',
  'sip:host?a',
  'sip:host?=b',
  'sip:2001:db8::1',
  'sip:[2001:db8::1',
  'sip:[::1]x',
  'sip:[fe80::1%eth0]',
  'sip:[1:2:3:4:5:6:7:8:9]',
  'sip:[::1::2]',
  'sip:-a.com',
  'sip:a..b',
  'sip:al\u00efce@host',
  'sip:a\r\nb@host',
  'sip:host;a=\r\n',
  'sip:host;a="q"',
  '1a:b',
  'tel:a b',
  'tel:<x>',
  `sip:${'a'.repeat(MAX_URI_LENGTH)}@host`,
  `sip:host${';p'.repeat(200)}`,
  `sip:host?${'a=b&'.repeat(200)}a=b`,
  `sip:${'a'.repeat(300)}`,
])('%j is refused', (text) => {
  expect(() => parseUri(text)).toThrow(SyntaxFailure);
});

test('parts that can not be written are refused; users are escaped', () => {
  expect(SipUri.of({ user: 'a b@c\u20ac"', host: '::1', port: 5060 }).toString()).toBe(
    'sip:a%20b%40c%E2%82%AC%22@[::1]:5060',
  );
  expect(SipUri.of({ user: 'a\r\nVia: x', host: 'h' }).toString()).toBe('sip:a%0D%0AVia%3A%20x@h');
  for (const parts of [
    { host: 'a b' },
    { host: 'a\r\nb' },
    { host: '' },
    { host: 'h', port: 70000 },
    { host: 'h', port: 1.5 },
    { host: 'h', params: new Params(['x', 'a\r\nb']) },
    { host: 'h', params: new Params(['a;b', undefined]) },
  ])
    expect(() => SipUri.of(parts)).toThrow(UnsafeValue);
});

describe('RFC 3261 19.1.4: the same, and not the same', () => {
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp', true],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5', true],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on', true],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
      true,
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
      true,
    ],
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp', false],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting', false],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4', false],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off', false],
    ['sip:a@b', 'sips:a@b', false],
    ['tel:1', 'tel:1', true],
    ['tel:1', 'sip:1@b', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect([sameUri(parseUri(a), parseUri(b)), sameUri(parseUri(b), parseUri(a))]).toEqual([same, same]);
  });
});

test.each([
  ['::', true],
  ['::1', true],
  ['1::', true],
  ['1:2:3:4:5:6:7:8', true],
  ['::ffff:192.0.2.1', true],
  ['2001:db8::192.0.2.1', true],
  ['1:2:3:4:5:6:7', false],
  [':::', false],
  ['1:::2', false],
  ['12345::', false],
  ['::192.0.2.256', false],
  ['192.0.2.1', false],
  ['g::', false],
])('isIpv6(%s) is %s', (text, expected) => {
  expect(isIpv6(text)).toBe(expected);
});

test.each(['sip:a%ffb%3B@h;x=%20?s=%ff', 'sip:a:p%3aw@h'])(
  'a changed copy of %s keeps what is not changed as written',
  (text) => {
    const uri = parseUri(text);
    if (!isSipUri(uri)) return expect.unreachable();
    expect(uri.with({ port: 5060 }).toString()).toBe(text.replace('@h', '@h:5060'));
    expect(uri.with({ user: 'x', password: undefined }).rawUser).toBe('x');
  },
);
