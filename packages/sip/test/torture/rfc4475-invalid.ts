import { SDP, torture, wire } from './wire.ts';
import type { Torture } from './wire.ts';

interface Common {
  readonly line?: string;
  readonly method?: string;
  readonly to?: string;
  readonly from?: string;
  readonly cseq?: string;
  readonly via?: string;
  readonly more?: string;
  readonly length?: string;
  readonly body?: string;
}

/** A request that is well-formed but for what the case says. */
function request(callId: string, parts: Common): Buffer {
  const { method = 'OPTIONS', body = method === 'INVITE' ? SDP : '' } = parts;
  return wire(
    [
      parts.line ?? `${method} sip:user@example.com SIP/2.0`,
      `To: ${parts.to ?? 'sip:j.user@example.com'}`,
      `From: ${parts.from ?? 'sip:caller@example.net;tag=134161461246'}`,
      'Max-Forwards: 7',
      `Call-ID: ${callId}.0ha0isndaksdjasdf3234nas`,
      `CSeq: ${parts.cseq ?? `8 ${method}`}`,
      `Via: ${parts.via ?? `SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK${callId}`}`,
      ...(parts.more === undefined ? [] : [parts.more]),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${parts.length ?? body.length}`,
    ].join('\n'),
    body,
  );
}

/** RFC 4475 3.1.2, 3.3 and 3.4. The outcome is the parser's; where an element above refuses, its own test says so. */
export const INVALID: readonly Torture[] = [
  torture(
    'badinv01: extraneous separators',
    '3.1.2.1',
    request('badinv01', {
      method: 'INVITE',
      via: 'SIP/2.0/UDP 192.0.2.15;;,;,,',
      more: 'Contact: "Joe" <sip:joe@example.org>;;;;',
    }),
    400,
  ),
  torture(
    'clerr: Content-Length larger than the message',
    '3.1.2.2',
    request('clerr', { method: 'INVITE', length: '9999' }),
    400,
  ),
  torture('ncl: negative Content-Length', '3.1.2.3', request('ncl', { method: 'INVITE', length: '-999' }), 400),
  torture(
    'scalar02: overlarge scalars in a request',
    '3.1.2.4',
    request('scalar02', {
      method: 'REGISTER',
      cseq: '36893488147419103232 REGISTER',
      more: 'Expires: 10000000000000000000000000000000000000000000000000000\nContact: <sip:user@host129.example.com>;expires=280297596632815',
    }),
    400,
  ),
  torture(
    'scalarlg: overlarge scalars in a response',
    '3.1.2.5',
    wire(`
SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
Retry-After: 949302838503028349304023988
Warning: 1812 overture "In Progress"
Content-Length: 0`),
    'dropped',
  ),
  torture(
    'quotbal: an unterminated quoted string in a display name',
    '3.1.2.6',
    request('quotbal', { method: 'INVITE', to: '"Mr. J. User <sip:j.user@example.com>' }),
    400,
  ),
  torture(
    'ltgtruri: <> around the Request-URI',
    '3.1.2.7',
    request('ltgtruri', { line: 'INVITE <sip:user@example.com> SIP/2.0', method: 'INVITE' }),
    400,
  ),
  torture(
    'lwsruri: white space in the Request-URI',
    '3.1.2.8',
    request('lwsruri', { line: 'INVITE sip:user@example.com; lr SIP/2.0', method: 'INVITE' }),
    400,
  ),
  torture(
    'lwsstart: several spaces in the start line',
    '3.1.2.9',
    request('lwsstart', { line: 'INVITE  sip:user@example.com  SIP/2.0', method: 'INVITE' }),
    400,
  ),
  torture(
    'trws: trailing white space in the start line',
    '3.1.2.10',
    request('trws', { line: 'OPTIONS sip:remote-target@example.com SIP/2.0  ' }),
    400,
  ),
  torture(
    'escruri: escaped headers in a Request-URI',
    '3.1.2.11',
    request('escruri', { line: 'INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0', method: 'INVITE' }),
    400,
  ),
  // Refusing is allowed; ignoring a Date that we don't use is what the RFC recommends.
  torture(
    'baddate: a time zone in Date',
    '3.1.2.12',
    request('baddate', {
      method: 'INVITE',
      more: 'Date: Fri, 01 Jan 2010 16:00:00 EST\nContact: <sip:caller@host5.example.net>',
    }),
    'accepted',
  ),
  // 400 when Contact is read: see the registrar's torture test.
  torture(
    'regbadct: a Contact with headers and without <>',
    '3.1.2.13',
    request('regbadct', { method: 'REGISTER', more: 'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E' }),
    'accepted',
  ),
  torture(
    'badaspec: spaces within an addr-spec',
    '3.1.2.14',
    request('badaspec', {
      to: '"Watson, Thomas" < sip:t.watson@example.org >',
      from: '"Bell, Alexander" <sip:a.g.bell@example.com>;tag=433423',
    }),
    400,
  ),
  torture(
    'baddn: characters in a display name that are no token',
    '3.1.2.15',
    request('baddn', {
      to: 'Watson, Thomas <sip:t.watson@example.org>',
      from: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43',
    }),
    400,
  ),
  torture(
    'badvers: an unknown version',
    '3.1.2.16',
    request('badvers', {
      line: 'OPTIONS sip:t.watson@example.org SIP/7.0',
      via: 'SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw',
    }),
    505,
  ),
  torture('mismatch01: start line and CSeq differ', '3.1.2.17', request('mismatch01', { cseq: '8 INVITE' }), 400),
  torture(
    'mismatch02: the same with an unknown method',
    '3.1.2.18',
    request('mismatch02', { method: 'NEWMETHOD', cseq: '8 INVITE' }),
    400,
  ),
  torture(
    'bigcode: an overlarge response code',
    '3.1.2.19',
    wire(`
SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i
CSeq: 353494 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:user@host105.example.com>`),
    'dropped',
  ),
  torture(
    'badbranch: the magic cookie and nothing else',
    '3.2.1',
    request('badbranch', { via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
    'accepted',
  ),
  torture(
    'insuf: missing required headers',
    '3.3.1',
    wire(
      `
INVITE sip:user@example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: ${SDP.length}`,
      SDP,
    ),
    400,
  ),
  // 416 above the parser.
  torture(
    'unkscm: a Request-URI of an unknown scheme',
    '3.3.2',
    request('unkscm', { line: 'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0' }),
    'accepted',
  ),
  torture(
    'novelsc: a Request-URI of a known but atypical scheme',
    '3.3.3',
    request('novelsc', { line: 'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0' }),
    'accepted',
  ),
  torture(
    'unksm2: unknown schemes in headers',
    '3.3.4',
    request('unksm2', {
      method: 'REGISTER',
      to: 'isbn:2983792873',
      from: '<http://www.example.com>;tag=3234233',
      more: 'Contact: <name:John_Smith>',
    }),
    'accepted',
  ),
  // 420 above the parser.
  torture(
    'bext01: Require and Proxy-Require of unknown extensions',
    '3.3.5',
    request('bext01', {
      more: 'Require: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
    }),
    'accepted',
  ),
  torture(
    'invut: an unknown Content-Type',
    '3.3.6',
    request('invut', {
      method: 'INVITE',
      body: '',
      more: 'Content-Type: application/unknownformat\nContact: <sip:caller@host5.example.net>',
    }),
    'accepted',
  ),
  torture(
    'regaut01: an unknown authorization scheme',
    '3.3.7',
    request('regaut01', { method: 'REGISTER', more: 'Authorization: NoOneKnowsThisScheme opaque-data=here' }),
    'accepted',
  ),
  torture(
    'multi01: single headers that stand twice',
    '3.3.8',
    request('multi01', {
      method: 'INVITE',
      more: 'CSeq: 5 INVITE\nCall-ID: multi01.98asdh@192.0.2.2\nFrom: sip:caller@example.com;tag=3413415\nTo: sip:user@example.com',
    }),
    400,
  ),
  torture(
    'mcl01: two different Content-Lengths',
    '3.3.9',
    request('mcl01', {
      more: 'Content-Length: 13',
      length: '5',
      body: "There's no way to know how many octets are supposed to be here.",
    }),
    400,
  ),
  torture(
    'bcast: a response with a broadcast Via',
    '3.3.10',
    wire(
      `
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: ${SDP.length}
Content-Type: application/sdp
Contact: <sip:user@host28.example.com>`,
      SDP,
    ),
    'accepted',
  ),
  torture(
    'zeromf: Max-Forwards 0',
    '3.3.11',
    Buffer.from(request('zeromf', {}).toString('latin1').replace('Max-Forwards: 7', 'Max-Forwards: 0'), 'latin1'),
    'accepted',
  ),
  torture(
    'cparam01: a parameter of the Contact header',
    '3.3.12',
    request('cparam01', { method: 'REGISTER', more: 'Contact: sip:+19725552222@gw1.example.net;unknownparam' }),
    'accepted',
  ),
  torture(
    'cparam02: a parameter of the Contact URI',
    '3.3.13',
    request('cparam02', { method: 'REGISTER', more: 'Contact: <sip:+19725552222@gw1.example.net;unknownparam>' }),
    'accepted',
  ),
  torture(
    'regescrt: a Contact with an escaped Route',
    '3.3.14',
    request('regescrt', {
      method: 'REGISTER',
      more: 'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
    }),
    'accepted',
  ),
  torture(
    'sdp01: Accept without application/sdp',
    '3.3.15',
    request('sdp01', {
      method: 'INVITE',
      more: 'Accept: text/nobodyKnowsThis\nContact: <sip:caller@host5.example.net>',
    }),
    'accepted',
  ),
  torture(
    'inv2543: an INVITE of RFC 2543',
    '3.4.1',
    wire(
      `
INVITE sip:UserB@example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.1717@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp`,
      SDP,
    ),
    'accepted',
  ),
];
