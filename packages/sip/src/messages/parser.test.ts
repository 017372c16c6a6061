import { describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES, MAX_HEADER_LINES, MAX_HEAD_BYTES } from './bounds.ts';
import { UnsafeValue } from './errors.ts';
import { StreamFramer } from './framer.ts';
import { Headers } from './headers.ts';
import { parseMessage } from './parser.ts';
import type { ParseFailure, SipMessage } from './types.ts';
import { parseUri } from './uri.ts';
import { makeRequest, makeResponse, reasonOf, writeMessage } from './writer.ts';

const HEAD = [
  'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
  'From: <sip:a@b>;tag=1',
  'To: <sip:c@d>',
  'Call-ID: x',
  'CSeq: 1 OPTIONS',
];
const text = (more: string[] = [], body = '', line = 'OPTIONS sip:c@d SIP/2.0'): string =>
  `${[line, ...HEAD, ...more].join('\r\n')}\r\n\r\n${body}`;
const read = (from: string | Buffer): SipMessage | ParseFailure => parseMessage(Buffer.from(from as string));
const accepted = (from: string | Buffer): SipMessage => {
  const message = read(from);
  if (message.kind === 'failure') throw new Error(message.reason);
  return message;
};

describe('parseMessage', () => {
  test.each<[string, string, Partial<ParseFailure> | 'good']>([
    ['empty lines before it', `\r\n\r\n${text()}`, 'good'],
    ['nothing', '', { code: 'empty', status: undefined }],
    ['empty lines alone', '\r\n\r\n', { code: 'empty', status: undefined }],
    ['no empty line after the headers', text().slice(0, -2), { code: 'header-syntax', status: 400 }],
    ['no request line', 'hello\r\n\r\n', { code: 'start-line', status: undefined }],
    ['a line without a colon', text(['oops']), { code: 'header-syntax', status: 400 }],
    ['a name that is no token', text(['a b: c']), { code: 'header-syntax', status: 400 }],
    ['a lone LF in a value', text(['Subject: a\nb']), { code: 'header-syntax', status: 400 }],
    ['a lone CR in a value', text(['Subject: a\rb']), { code: 'header-syntax', status: 400 }],
    ['NUL in a value', text(['Subject: a\0b']), { code: 'header-syntax', status: 400 }],
    ['a broken Via below the top', text(['Via: nonsense']), 'good'],
    ['a second From', text(['From: <sip:x@y>;tag=2']), { code: 'repeated-header', status: 400 }],
    ['a second Max-Forwards', text(['Max-Forwards: 1', 'Max-Forwards: 2']), { code: 'repeated-header', status: 400 }],
    ['fewer octets than announced', text(['l: 4'], 'abc'), { code: 'content-length', status: 400 }],
    ['more octets than announced', text(['l: 3'], 'abcd'), 'good'],
    ['a body too large', text([`l: ${MAX_BODY_BYTES + 1}`], 'x'), { code: 'too-large', status: 513 }],
    ['a body too large without length', text([], 'x'.repeat(MAX_BODY_BYTES + 1)), { code: 'too-large', status: 513 }],
    [
      'too many headers',
      text(Array.from({ length: MAX_HEADER_LINES }, () => 'X: y')),
      { code: 'too-large', status: 513 },
    ],
    ['as many headers as allowed', text(Array.from({ length: MAX_HEADER_LINES - HEAD.length }, () => 'X: y')), 'good'],
    ['a head too large', text([`X: ${'y'.repeat(MAX_HEAD_BYTES)}`]), { code: 'too-large' }],
    ['a method too long', text([], '', `${'M'.repeat(65)} sip:c@d SIP/2.0`), { code: 'start-line', status: undefined }],
    ['an ACK that is broken', text(['oops'], '', 'ACK sip:c@d SIP/2.0'), { status: undefined, method: 'ACK' }],
    ['a response that is broken', text(['oops'], '', 'SIP/2.0 200 OK'), { status: undefined }],
    ['a response without reason or space', text([], '', 'SIP/2.0 200'), 'good'],
    ['a status of two digits', text([], '', 'SIP/2.0 20 OK'), { code: 'start-line', status: undefined }],
    ['a status of 7xx', text([], '', 'SIP/2.0 700 OK'), { code: 'start-line', status: undefined }],
    ['a lower-case version', text([], '', 'OPTIONS sip:c@d sip/2.0'), 'good'],
    ['another protocol', text([], '', 'OPTIONS sip:c@d HTTP/1.1'), { code: 'start-line', status: 400 }],
  ])('%s', (_name, message, expected) => {
    const got = read(message);
    if (expected === 'good') expect(got.kind).not.toBe('failure');
    else expect(got).toMatchObject({ kind: 'failure', ...expected });
  });

  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('%s is demanded', (name) => {
    const message = text()
      .split('\r\n')
      .filter((line) => !line.startsWith(name))
      .join('\r\n');
    expect(read(message)).toMatchObject({ code: 'missing-header', status: 400, reason: `Missing ${name}` });
  });

  test('a failure keeps what an answer needs', () => {
    const failure = read(text(['oops']));
    if (failure.kind !== 'failure') throw new Error('accepted');
    const answer = writeMessage(makeResponse(failure, 400, failure.reason)).toString();
    expect(answer).toMatch(
      /^SIP\/2.0 400 Bad Header Line\r\nVia: .*\r\nFrom: .*\r\nTo: .*\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n/,
    );
  });

  test('bytes that are no UTF-8 do no harm, and bodies come through as they are', () => {
    const bytes = Buffer.concat([Buffer.from(text(['l: 3', 'Subject: \u20ac'])), Buffer.from([0xff, 0x00, 0xfe])]);
    expect([...accepted(bytes).body]).toEqual([0xff, 0, 0xfe]);
    const bad = Buffer.from(bytes);
    bad[bad.indexOf(0xe2)] = 0xff;
    expect(accepted(bad).kind).toBe('request');
  });
});

describe('writeMessage', () => {
  const base = accepted(text());

  test('trap 3: Content-Length counts bytes', () => {
    const message = { ...base, body: Buffer.from('\u20ac') };
    expect(writeMessage(message).toString()).toMatch(/\r\nContent-Length: 3\r\n\r\n\u20ac$/);
    expect(Buffer.from(accepted(writeMessage(message)).body).toString()).toBe('\u20ac');
    const lying = makeRequest({
      method: 'OPTIONS',
      uri: parseUri('sip:c@d'),
      headers: new Headers([...base.headers.entries(), ['l', '99']]),
    });
    expect(
      writeMessage(lying)
        .toString()
        .match(/Content-Length/g),
    ).toHaveLength(1);
    expect(accepted(writeMessage(lying)).body).toHaveLength(0);
  });

  test('trap 4: nothing unsafe in the start line', () => {
    const uri = parseUri('sip:c@d');
    const evil = { scheme: 'x', opaque: 'y', toString: () => 'x:y\r\nVia: z' };
    for (const bad of [
      { ...makeResponse({ headers: base.headers }, 200), reason: 'OK\r\nX: y' },
      makeResponse({ headers: base.headers }, 99),
      makeResponse({ headers: base.headers }, 700),
      makeResponse({ headers: base.headers }, 200.5),
      makeRequest({ method: 'A B', uri }),
      makeRequest({ method: '', uri }),
      makeRequest({ method: 'A\r\n', uri }),
      makeRequest({ method: 'A', uri: evil }),
    ])
      expect(() => writeMessage(bad)).toThrow(UnsafeValue);
  });

  test('responses copy what RFC 3261 8.2.6.2 says, and Timestamp for a 100', () => {
    const asked = accepted(text(['Timestamp: 54', 'Via: SIP/2.0/UDP b', 'Record-Route: <sip:r>']));
    const names = (status: number): string[] =>
      [...makeResponse({ headers: asked.headers }, status).headers.entries()].map(([n]) => n);
    expect(names(100)).toEqual(['Via', 'Via', 'From', 'To', 'Call-ID', 'CSeq', 'Timestamp']);
    expect(names(200)).toEqual(['Via', 'Via', 'From', 'To', 'Call-ID', 'CSeq']);
    expect([reasonOf(486), reasonOf(499)]).toEqual(['Busy Here', 'Unknown']);
  });
});

describe('StreamFramer', () => {
  const message = text(['Content-Length: 5'], 'ab\r\nc');
  const kinds = (framer: StreamFramer, bytes: string): string[] =>
    framer.push(Buffer.from(bytes)).map((item) => item.kind);

  test('messages and keep-alives, whatever the chunks', () => {
    const stream = `${message}\r\n\r\n${message}\r\n${message}`;
    const whole = kinds(new StreamFramer(), stream);
    expect(whole).toEqual(['message', 'ping', 'message', 'pong', 'message']);
    for (const size of [2, 3, 7, 50, 333]) {
      const framer = new StreamFramer();
      const out: string[] = [];
      for (let at = 0; at < stream.length; at += size) out.push(...kinds(framer, stream.slice(at, at + size)));
      expect(out.filter((kind) => kind === 'message')).toHaveLength(3);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  test.each([
    ['no Content-Length', text(), 400],
    ['a Content-Length that is none', text(['l: x']), 400],
    ['a body too large', text([`l: ${MAX_BODY_BYTES + 1}`]), 513],
  ])('%s ends the stream with an answer', (_name, bytes, status) => {
    const framer = new StreamFramer();
    expect(framer.push(Buffer.from(bytes))).toMatchObject([{ kind: 'failure', isFatal: true, failure: { status } }]);
    expect(framer.push(Buffer.from(message))).toEqual([]);
  });

  test('what is no SIP ends the stream', () => {
    expect(kinds(new StreamFramer(), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toEqual(['failure']);
    expect(new StreamFramer().push(Buffer.from('\rx'))).toMatchObject([{ isFatal: true }]);
  });

  test('a bad message between good ones does not end the stream', () => {
    const bad = text(['l: 0', 'oops']);
    expect(kinds(new StreamFramer(), message + bad + message)).toEqual(['message', 'failure', 'message']);
  });

  test('a head without end is bounded, and a byte at a time is cheap', () => {
    const framer = new StreamFramer();
    framer.push(Buffer.from(`OPTIONS sip:c@d SIP/2.0\r\nX: `));
    let items = 0;
    for (let i = 0; i < MAX_HEAD_BYTES + 10 && items === 0; i++) items += framer.push(Buffer.from('y')).length;
    expect(items).toBe(1);
    expect(framer.pendingBytes).toBeLessThanOrEqual(MAX_HEAD_BYTES + 1);
  });

  test('the largest body comes through in small pieces', () => {
    const framer = new StreamFramer();
    framer.push(Buffer.from(text([`l: ${MAX_BODY_BYTES}`])));
    const piece = Buffer.alloc(1000, 'z');
    let items = 0;
    for (let left = MAX_BODY_BYTES; left > 0; left -= piece.length)
      items += framer.push(piece.subarray(0, left)).length;
    expect(items).toBe(1);
  });
});

test('a stream ends where its reader and the parser see different lengths', () => {
  const head = [
    'OPTIONS sip:a SIP/2.0',
    'Via: SIP/2.0/TCP a;branch=z9hG4bK1',
    'From: <sip:a>;tag=1',
    'To: <sip:b>',
    'Call-ID: 1',
    'CSeq: 1 OPTIONS',
  ].join('\r\n');
  const items = new StreamFramer().push(Buffer.from(`${head}\r\nContent-Length: 0\r\n 5\r\n\r\nhello`));
  expect(items).toMatchObject([{ kind: 'failure', isFatal: true, failure: { code: 'content-length', status: 400 } }]);
});
