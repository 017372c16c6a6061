import { describe, expect, test } from 'vitest';
import { scaled, seeded, seedOf } from '../../../../../../test/kit/scale.ts';
import { type Decoded, FrameDecoder } from './decoder.ts';
import { encodeFrame } from './encode.ts';
import type { FrameLimits, Header, StompVersion } from './frame.ts';

const LIMITS: FrameLimits = { maxFrameBytes: 1_000, maxHeaders: 10, maxHeaderLineBytes: 200 };

function decoder(version: StompVersion | null = null, limits = LIMITS): FrameDecoder {
  const made = new FrameDecoder(limits);
  made.version = version;
  return made;
}

function drain(from: FrameDecoder): Decoded[] {
  const all: Decoded[] = [];
  for (let next = from.next(); next !== undefined; next = from.next()) all.push(next);
  return all;
}

function decode(
  chunks: readonly (string | Buffer)[],
  version: StompVersion | null = '1.2',
  limits = LIMITS,
): unknown[] {
  const reader = decoder(version, limits);
  return chunks.flatMap((chunk) => {
    reader.feed(chunk);
    return drain(reader).map((d) =>
      d.kind === 'fault' ? d.fault : [d.frame.command, Object.fromEntries(d.frame.headers), d.frame.body.toString()],
    );
  });
}

describe('frames', () => {
  test.each<[string, StompVersion | null, string, unknown]>([
    ['plain', '1.2', 'SEND\ndestination:/a\n\nhi\0', ['SEND', { destination: '/a' }, 'hi']],
    ['no headers', '1.2', 'DISCONNECT\n\n\0', ['DISCONNECT', {}, '']],
    ['CR LF', '1.1', 'SEND\r\na:b\r\n\r\nhi\0', ['SEND', { a: 'b' }, 'hi']],
    ['leading EOLs', '1.2', '\n\r\n\nSEND\n\n\0', ['SEND', {}, '']],
    ['value with colon', '1.2', 'SEND\na:b:c\n\n\0', ['SEND', { a: 'b:c' }, '']],
    ['the colon as value (TM AP-24)', '1.1', 'SEND\n11::\n\n\0', ['SEND', { 11: ':' }, '']],
    ['empty value', '1.2', 'SEND\na:\n\n\0', ['SEND', { a: '' }, '']],
    ['first of a repeated header', '1.2', 'SEND\na:1\na:2\n\n\0', ['SEND', { a: '1' }, '']],
    ['no trimming in 1.1', '1.1', 'SEND\n a : b \n\n\0', ['SEND', { ' a ': ' b ' }, '']],
    ['trimming in 1.0', '1.0', 'SEND\n a : b \n\n\0', ['SEND', { a: 'b' }, '']],
    ['escapes of 1.2', '1.2', 'SEND\n\\c\\n:\\r\\\\\n\n\0', ['SEND', { ':\n': '\r\\' }, '']],
    ['escapes of 1.1', '1.1', 'SEND\na:\\c\\n\\\\\n\n\0', ['SEND', { a: ':\n\\' }, '']],
    ['no escapes in 1.0', '1.0', 'SEND\na:\\c\\x\n\n\0', ['SEND', { a: '\\c\\x' }, '']],
    [
      'no escapes in CONNECT',
      null,
      'CONNECT\naccept-version:1.2\na:\\x\n\n\0',
      ['CONNECT', { 'accept-version': '1.2', a: '\\x' }, ''],
    ],
    ['CONNECT of 1.0 is trimmed', null, 'CONNECT\nlogin: me \n\n\0', ['CONNECT', { login: 'me' }, '']],
    [
      'passcodes of 1.1 are not',
      null,
      'CONNECT\naccept-version:1.1\npasscode: x \n\n\0',
      ['CONNECT', { 'accept-version': '1.1', passcode: ' x ' }, ''],
    ],
    ['content-length', '1.2', 'SEND\ncontent-length:3\n\na\0b\0', ['SEND', { 'content-length': '3' }, 'a\0b']],
    ['content-length 0', '1.2', 'SEND\ncontent-length:0\n\n\0', ['SEND', { 'content-length': '0' }, '']],
    [
      'content-length that is no number',
      '1.2',
      'SEND\ncontent-length:x\n\nab\0',
      ['SEND', { 'content-length': 'x' }, 'ab'],
    ],
    ['octets, not characters', '1.2', 'SEND\ncontent-length:4\n\n😀\0', ['SEND', { 'content-length': '4' }, '😀']],
  ])('%s', (_name, version, text, expected) => {
    expect(decode([text], version)).toEqual([expected]);
    expect(decode([Buffer.from(text)], version)).toEqual([expected]);
    expect(
      decode(
        [...Buffer.from(text)].map((octet) => Buffer.from([octet])),
        version,
      ),
    ).toEqual([expected]);
  });

  test.each<[string, StompVersion, string]>([
    ['malformed-header', '1.2', 'SEND\nnothing\n\n\0'],
    ['malformed-header', '1.2', 'SEND\n:x\n\n\0'],
    ['malformed-header', '1.2', 'SEND\0'],
    ['malformed-header', '1.2', 'SEND\na:b\0c\n\n\0'],
    ['bad-escape', '1.2', 'SEND\na:\\t\n\n\0'],
    ['bad-escape', '1.1', 'SEND\na:\\r\n\n\0'],
    ['bad-escape', '1.2', 'SEND\na:b\\\n\n\0'],
    ['bad-content-length', '1.2', 'SEND\ncontent-length:2\n\nabc\0'],
    ['frame-too-large', '1.2', `SEND\n\n${'x'.repeat(1_000)}\0`],
    ['frame-too-large', '1.2', `SEND\n\n${'x'.repeat(1_001)}`],
    ['frame-too-large', '1.2', 'SEND\ncontent-length:1000\n\n'],
    ['frame-too-large', '1.2', 'SEND\ncontent-length:99999999999999999999999\n\n'],
    ['header-too-long', '1.2', `SEND\na:${'x'.repeat(200)}`],
    ['header-too-long', '1.2', 'x'.repeat(201)],
    ['too-many-headers', '1.2', `SEND\n${Array.from({ length: 11 }, (_, i) => `h${i}:x\n`).join('')}\n\0`],
  ])('%s in %s (case %#)', (fault, version, text) => {
    const reader = decoder(version);
    reader.feed(text);
    expect(drain(reader)).toEqual([{ kind: 'fault', fault, receipt: undefined }]);
    reader.feed('SEND\n\n\0');
    expect(reader.next()).toBeUndefined();
    expect(reader.pendingBytes).toBe(0);
  });

  test('a fault tells the receipt that was asked for', () => {
    const reader = decoder('1.2');
    reader.feed('SEND\nreceipt:r1\nbroken\n\n\0');
    expect(reader.next()).toEqual({ kind: 'fault', fault: 'malformed-header', receipt: 'r1' });
  });

  test('it is what the client meant, where that can be said', () => {
    for (const [text, receipt] of [
      ['a\\cb', 'a:b'],
      ['a\\t', undefined],
    ]) {
      const reader = decoder('1.2');
      reader.feed(`SEND\nreceipt:${text}\nbroken\n\n\0`);
      expect(reader.next()).toEqual({ kind: 'fault', fault: 'malformed-header', receipt });
    }
  });

  test('several frames in one message, and the version may change between them', () => {
    const reader = decoder(null);
    reader.feed('CONNECT\naccept-version:1.2\n\n\0\nSEND\na:\\r\n\n\0');
    expect(reader.next()).toMatchObject({ frame: { command: 'CONNECT' } });
    reader.version = '1.2';
    expect(reader.next()).toMatchObject({ frame: { headers: new Map([['a', '\r']]) } });
  });

  test('a character that was cut in two between two messages is whole again', () => {
    const text = 'SEND\ncontent-length:4\n\n😀\0';
    const cut = text.indexOf('😀') + 1;
    expect(decode([text.slice(0, cut), text.slice(cut)])).toEqual([['SEND', { 'content-length': '4' }, '😀']]);
  });

  test('the body is a copy: later frames do not change it', () => {
    const reader = decoder('1.2');
    const chunk = Buffer.from('SEND\n\nfirst\0');
    reader.feed(chunk);
    const frame = reader.next();
    chunk.fill(120);
    expect(frame).toMatchObject({ frame: { body: Buffer.from('first') } });
  });
});

describe('encoding', () => {
  test.each<[StompVersion, string]>([
    ['1.2', 'ERROR\na\\cb:c\\n\\r\\\\d\n\n\0'],
    ['1.1', 'ERROR\na\\cb:c\\n \\\\d\n\n\0'],
    ['1.0', 'ERROR\na:b:c  \\d\n\n\0'],
  ])('escapes as %s says', (version, expected) => {
    expect(encodeFrame({ command: 'ERROR', headers: [['a:b', 'c\n\r\\d']] }, version)).toBe(expected);
  });
  test('counts octets, and never escapes CONNECTED', () => {
    expect(encodeFrame({ command: 'ERROR', headers: [], body: 'ż' }, '1.2')).toBe('ERROR\ncontent-length:2\n\nż\0');
    expect(encodeFrame({ command: 'CONNECTED', headers: [['a', 'b:c']] }, '1.2')).toBe('CONNECTED\na:b:c\n\n\0');
  });
});

describe('any input', () => {
  const random = seeded(seedOf('stomp codec'));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const PIECES = [
    'SEND',
    'CONNECT',
    '\n',
    '\r\n',
    '\0',
    ':',
    '\\',
    '\\n',
    '\\c',
    '\\r',
    'a',
    'ż',
    '😀',
    ' ',
    'content-length:3',
    'receipt:7',
    'x'.repeat(40),
  ];
  const VERSIONS: readonly (StompVersion | null)[] = [null, '1.0', '1.1', '1.2'];

  function garbage(): Buffer {
    const parts = Array.from({ length: Math.floor(random() * 30) }, () => Buffer.from(pick(PIECES)));
    if (random() < 0.2) parts.push(Buffer.from(Array.from({ length: 8 }, () => Math.floor(random() * 256))));
    return Buffer.concat(parts);
  }
  function cut(bytes: Buffer): Buffer[] {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + Math.floor(random() * 20);
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    return chunks;
  }

  test('is decoded alike in any pieces, never throws, and holds no more than the limits', () => {
    for (let i = 0, count = scaled({ verify: 50_000, soak: 1_000_000 }); i < count; i++) {
      const bytes = garbage();
      const version = pick(VERSIONS);
      const limits = { maxFrameBytes: 100, maxHeaders: 3, maxHeaderLineBytes: 60 };
      const reader = decoder(version, limits);
      const pieces: Decoded[] = [];
      for (const chunk of cut(bytes)) {
        reader.feed(chunk);
        pieces.push(...drain(reader));
        if (reader.pendingBytes > limits.maxFrameBytes + 20) throw new Error(`holds ${reader.pendingBytes} octets`);
      }
      const whole = decoder(version, limits);
      whole.feed(bytes);
      // Which of two faults is seen first may depend on the pieces.
      const shape = (all: readonly Decoded[]): unknown => all.map((d) => (d.kind === 'fault' ? 'fault' : d.frame));
      expect(shape(drain(whole))).toEqual(shape(pieces));
    }
  });

  test('what was encoded is decoded again', () => {
    const TEXTS = ['a', 'b:c', 'd\\e', 'f\ng', 'h\ri', 'ż😀', ''];
    for (let i = 0; i < scaled({ verify: 5_000, soak: 100_000 }); i++) {
      const names = new Set(Array.from({ length: Math.floor(random() * 4) }, () => `${pick(TEXTS)}x`));
      const headers = [...names].map((name): Header => [name, pick(TEXTS)]);
      const body = Array.from({ length: Math.floor(random() * 5) }, () => pick(TEXTS)).join('\0');
      const reader = decoder('1.2');
      for (const chunk of cut(Buffer.from(encodeFrame({ command: 'MESSAGE', headers, body }, '1.2'))))
        reader.feed(chunk);
      const decoded = reader.next();
      if (decoded?.kind !== 'frame') throw new Error('no frame');
      expect(decoded.frame.body.toString()).toBe(body);
      for (const [name, value] of headers) expect(decoded.frame.headers.get(name)).toBe(value);
    }
  });
});
