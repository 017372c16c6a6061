import { describe, expect, test } from 'vitest';
import { StreamFramer, isSipUri, parseMessage, writeMessage } from '../../src/index.ts';
import type { ParseFailure, SipMessage, SipRequest, StreamItem } from '../../src/index.ts';
import { INVALID } from './rfc4475-invalid.ts';
import { TO_OF_INTMETH, VALID } from './rfc4475-valid.ts';
import { IPV6 } from './rfc5118.ts';
import { SDP } from './wire.ts';
import type { Outcome, Torture } from './wire.ts';

const all = [
  ...[...VALID, ...INVALID].map((one) => ({ rfc: '4475', ...one })),
  ...IPV6.map((one) => ({ rfc: '5118', ...one })),
];

function outcomeOf(message: SipMessage | ParseFailure): Outcome {
  return message.kind === 'failure' ? (message.status ?? 'dropped') : 'accepted';
}

/** Everything a reader may ask for; a broken value must say so and nothing else. */
function touch(message: SipMessage): readonly unknown[] {
  const h = message.headers;
  return [
    h.vias,
    String(h.from?.uri),
    String(h.to?.uri),
    h.callId,
    h.cseq,
    h.maxForwards,
    h.contacts.map((c) => String(c.uri)),
    h.route,
  ];
}

test('all messages of RFC 4475 (49) and RFC 5118 (12) are here', () => {
  expect([VALID.length + INVALID.length, IPV6.length]).toEqual([49, 12]);
});

describe.each(all)('RFC $rfc $section $name', ({ bytes, outcome, name }) => {
  test('as a datagram', () => {
    expect(outcomeOf(parseMessage(bytes))).toBe(outcome);
  });

  test('written again it is the same message', () => {
    const first = parseMessage(bytes);
    if (first.kind === 'failure') return;
    const again = parseMessage(writeMessage(first));
    if (again.kind === 'failure') throw new Error(again.reason);
    const linesOf = (m: SipMessage): unknown => [...m.headers.entries()].filter(([n]) => n !== 'Content-Length');
    expect(linesOf(again)).toEqual(linesOf(first));
    expect(Buffer.from(again.body)).toEqual(Buffer.from(first.body));
    if (!name.startsWith('regbadct')) expect(touch(again)).toEqual(touch(first));
  });

  test('on a stream, whole and byte by byte', () => {
    const whole = new StreamFramer().push(bytes);
    const framer = new StreamFramer();
    const slowly = [...bytes].flatMap((byte) => framer.push(Buffer.from([byte])));
    const outcomes = (items: readonly StreamItem[]): unknown[] =>
      items.map((item) =>
        item.kind === 'message' ? 'accepted' : item.kind === 'failure' ? outcomeOf(item.failure) : item.kind,
      );
    expect(outcomes(slowly)).toEqual(outcomes(whole));
    // What has more octets than announced goes on with the next message; what has fewer waits for them.
    if (name.startsWith('dblreq')) expect(outcomes(whole)).toEqual(['accepted', 'accepted']);
    else if (name.startsWith('clerr')) expect(whole).toEqual([]);
    else if (name.startsWith('inv2543')) expect(outcomes(whole)).toEqual([400]);
    else expect(outcomes(whole)[0]).toBe(outcome);
  });
});

const find = (list: readonly Torture[], name: string): SipMessage => {
  const found = parseMessage(list.find((one) => one.name.startsWith(name))?.bytes ?? Buffer.alloc(0));
  if (found.kind === 'failure') throw new Error(found.reason);
  return found;
};
const valid = (name: string): SipMessage => find(VALID, name);
const requestOf = (message: SipMessage): SipRequest => {
  if (message.kind !== 'request') throw new Error('no request');
  return message;
};
const userOf = (message: SipMessage): string | undefined => {
  const { uri } = requestOf(message);
  return isSipUri(uri) ? uri.user : undefined;
};

describe('what must be read', () => {
  test('wsinv', () => {
    const h = valid('wsinv').headers;
    expect([h.to?.tag, h.from?.tag, h.from?.displayName]).toEqual(['1918181833n', '98asjd8', 'J Rosenberg \\"']);
    expect([h.maxForwards, h.cseq?.seq, h.get('Subject')]).toEqual([68, 9, '']);
    expect(h.get('NewFangledHeader')).toBe('newfangled value continued newfangled value');
    expect(h.get('UnknownHeaderWithUnusualValue')).toBe(';;,,;;,;');
    expect(h.vias.map((via) => [via.transport, via.host, via.branch])).toEqual([
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ]);
    expect(h.contact?.displayName).toBe('Quoted string ""');
    expect([h.contact?.params.get('newparam'), h.contact?.params.get('q')]).toEqual(['newvalue', '0.33']);
    expect(Buffer.from(valid('wsinv').body).toString()).toBe(SDP);
  });

  test('intmeth', () => {
    const message = requestOf(valid('intmeth'));
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(message.headers.get('To')).toBe(TO_OF_INTMETH);
    expect(message.headers.to?.displayName).toBe('BEL:\u0007 NUL:\u0000 DEL:\u007f');
    expect(message.headers.from?.tag).toBe("_token~1'+`*%!-.");
    expect(message.headers.from?.params.text("fromParam''~+*_!.-%")).toBe('работающий');
    expect(message.headers.callId).toBe('intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    // A tag is put on without harm to the quoted NUL.
    const to = message.headers.to?.withParam('tag', 'x');
    message.headers.set('To', to ?? '');
    expect(message.headers.to?.displayName).toBe('BEL:\u0007 NUL:\u0000 DEL:\u007f');
  });

  test('escapes: esc01, escnull, esc02, semiuri', () => {
    const esc01 = valid('esc01');
    expect(userOf(esc01)).toBe('sips:user@example.com');
    const contact = esc01.headers.contact?.uri;
    expect(contact !== undefined && isSipUri(contact) && contact.user).toBe('caller');
    expect(String(contact)).toBe('sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31');
    const contacts = valid('escnull').headers.contacts.map((c) => (isSipUri(c.uri) ? c.uri.user : undefined));
    expect(contacts).toEqual(['\0', '\0\0']);
    const esc02 = requestOf(valid('esc02'));
    expect(esc02.method).toBe('RE%47IST%45R');
    expect(esc02.headers.contacts).toHaveLength(2);
    expect(esc02.headers.get('C%6Fntact')).toBe('<sip:alias2@host2.example.com>');
    expect(userOf(valid('semiuri'))).toBe('user;par=u@example.net');
  });

  test('longreq, transports, lwsdisp, mpart01, unreason, noreason', () => {
    expect(valid('longreq').headers.vias).toHaveLength(34);
    expect(valid('transports').headers.vias.map((via) => via.transport)).toEqual([
      'UDP',
      'SCTP',
      'TLS',
      'UNKNOWN',
      'TCP',
    ]);
    expect(valid('lwsdisp').headers.from?.displayName).toBe('caller');
    expect(Buffer.from(valid('mpart01').body).includes(Buffer.from([0xff, 0xc3, 0x28]))).toBe(true);
    const unreason = valid('unreason');
    expect(unreason.kind === 'response' && unreason.reason).toBe('= 2**3 * 5**2 но сто девяносто девять - простое');
    const noreason = valid('noreason');
    expect(noreason.kind === 'response' && noreason.reason).toBe('');
  });

  test('cparam01 and cparam02: whose parameter it is', () => {
    const uriOf = (name: string): string => String(find(INVALID, name).headers.contact?.uri);
    expect(uriOf('cparam01')).toBe('sip:+19725552222@gw1.example.net');
    expect(find(INVALID, 'cparam01').headers.contact?.params.has('unknownparam')).toBe(true);
    expect(uriOf('cparam02')).toBe('sip:+19725552222@gw1.example.net;unknownparam');
  });

  test('RFC 5118: ports and addresses', () => {
    const uriOf = (name: string): unknown => {
      const { uri } = requestOf(find(IPV6, name));
      return isSipUri(uri) ? [uri.address, uri.port] : undefined;
    };
    expect(uriOf('port-ambiguous')).toEqual(['2001:db8::10:5070', undefined]);
    expect(uriOf('port-unambiguous')).toEqual(['2001:db8::10', 5070]);
    expect(find(IPV6, 'ipv4-mapped-ipv6').headers.vias.map((via) => via.sentBy)).toEqual([
      '[::ffff:192.0.2.10]:19823',
      '[::ffff:192.0.2.2]',
    ]);
    expect(find(IPV6, 'via-received-param-no-delim').headers.via?.params.get('received')).toBe('2001:db8::9:255');
  });
});
