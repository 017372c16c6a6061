import { torture, wire } from './wire.ts';
import type { Torture } from './wire.ts';

const base = (line: string, via: string, more = '', body = ''): Buffer =>
  wire(
    `${line}
To: sip:user@example.com
From: sip:user@example.com;tag=81x2
${via}
Call-ID: SSG9559905523997077@hlau_4100
Max-Forwards: 70
CSeq: 98176 ${line.slice(0, line.indexOf(' '))}${more === '' ? '' : `\n${more}`}
Content-Length: ${Buffer.byteLength(body)}`,
    body,
  );

const VIA = 'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111';
const CONTACT = 'Contact: "Caller" <sip:caller@[2001:db8::1]>';

/** RFC 5118 4: IPv6 in all places. */
export const IPV6: readonly Torture[] = [
  torture('ipv6-good', '4.1', base('REGISTER sip:[2001:db8::10] SIP/2.0', VIA, CONTACT), 'accepted'),
  torture(
    'ipv6-bad: an address without its brackets',
    '4.2',
    base('REGISTER sip:2001:db8::10 SIP/2.0', VIA, CONTACT),
    400,
  ),
  torture(
    'port-ambiguous: the port within the brackets',
    '4.3',
    base('REGISTER sip:[2001:db8::10:5070] SIP/2.0', VIA, CONTACT),
    'accepted',
  ),
  torture('port-unambiguous', '4.4', base('REGISTER sip:[2001:db8::10]:5070 SIP/2.0', VIA, CONTACT), 'accepted'),
  torture(
    'via-received-param-with-delim',
    '4.5',
    base(
      'BYE sip:[2001:db8::10] SIP/2.0',
      'Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111',
    ),
    'accepted',
  ),
  torture(
    'via-received-param-no-delim',
    '4.5',
    base(
      'OPTIONS sip:[2001:db8::10] SIP/2.0',
      'Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3',
    ),
    'accepted',
  ),
  torture(
    'ipv6-in-sdp',
    '4.6',
    base(
      'INVITE sip:user@[2001:db8::10] SIP/2.0',
      VIA,
      `${CONTACT}\nContent-Type: application/sdp`,
      'v=0\r\no=assistant 1 0 IN IP6 2001:db8::20\r\ns=-\r\nc=IN IP6 2001:db8::20\r\nt=0 0\r\n',
    ),
    'accepted',
  ),
  torture(
    'mult-ip-in-header',
    '4.7',
    base(
      'BYE sip:user@host.example.net SIP/2.0',
      `Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200`,
    ),
    'accepted',
  ),
  torture(
    'mult-ip-in-sdp',
    '4.8',
    base(
      'INVITE sip:user@[2001:db8::10] SIP/2.0',
      VIA,
      `${CONTACT}\nContent-Type: application/sdp`,
      'v=0\r\nc=IN IP4 192.0.2.1\r\nc=IN IP6 2001:db8::1\r\n',
    ),
    'accepted',
  ),
  torture(
    'ipv4-mapped-ipv6',
    '4.9',
    base(
      'INVITE sip:user@example.com SIP/2.0',
      'Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19\nVia: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111',
      'Contact: "T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
    ),
    'accepted',
  ),
  torture('ipv6-bug-abnf-3-colons', '4.10', base('OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0', VIA), 400),
  torture(
    'ipv6-correct-abnf-2-colons',
    '4.10',
    base('OPTIONS sip:user@[2001:db8::192.0.2.1] SIP/2.0', VIA),
    'accepted',
  ),
];
