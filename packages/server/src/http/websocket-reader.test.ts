import { expect, test } from 'vitest';
import { WebSocketReader, type ReaderBounds } from './websocket-reader.ts';

const BOUNDS = { maxPayloadBytes: 100_000, maxFragments: 3, maxChunks: 50 };
const MASK = Buffer.of(1, 2, 3, 4);

/** A frame from a client. `first`: its first octet. */
function frame(first: number, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, MASK, bytes.map((byte, at) => byte ^ (MASK[at & 3] ?? 0))]);
}

/** What a reader tells of these bytes, in pieces of `size`. */
function read(bytes: Buffer, size = bytes.length, bounds: ReaderBounds = BOUNDS): unknown[] {
  const told: unknown[] = [];
  const reader = new WebSocketReader(
    {
      gotText: (data) => told.push(['text', data]),
      gotBinary: (data) => told.push(['binary', data.toString('hex')]),
      gotPing: (data) => told.push(['ping', data.toString()]),
      gotPong: () => told.push(['pong']),
      gotClose: (code, reason) => told.push(['close', code, reason]),
      gotViolation: (code) => told.push(['violation', code]),
    },
    bounds,
  );
  // Unmasked in place: each reader gets bytes of its own.
  const own = Buffer.from(bytes);
  for (let at = 0; at < own.length; at += size) reader.read(own.subarray(at, at + size));
  return told;
}

test('messages of every length and kind, however they are cut', () => {
  const long = 'ü'.repeat(40_000);
  const bytes = Buffer.concat([
    frame(0x81, 'one'),
    frame(0x82, Buffer.of(0, 255)),
    frame(0x01, 'two '),
    frame(0x89, 'between'),
    frame(0x80, 'parts'),
    frame(0x81, 'x'.repeat(125)),
    frame(0x81, 'y'.repeat(126)),
    frame(0x81, long),
    frame(0x8a),
    frame(0x81, '\ufffd'),
    frame(0x88, Buffer.from('\x03\xe8bye', 'latin1')),
    frame(0x81, 'after the close'),
  ]);
  const expected = [
    ['text', 'one'],
    ['binary', '00ff'],
    ['ping', 'between'],
    ['text', 'two parts'],
    ['text', 'x'.repeat(125)],
    ['text', 'y'.repeat(126)],
    ['text', long],
    ['pong'],
    ['text', '\ufffd'],
    ['close', 1000, 'bye'],
  ];
  const bounds = { ...BOUNDS, maxChunks: bytes.length };
  for (const size of [1, 2, 3, 7, 63, 64, 65, 1_000, 65_536, bytes.length])
    expect(read(bytes, size, bounds), `in pieces of ${size}`).toEqual(expected);
});

const violations: readonly (readonly [what: string, bytes: Buffer, code: number])[] = [
  ['a reserved bit', frame(0xc1, 'x'), 1002],
  ['an unknown opcode', frame(0x83, 'x'), 1002],
  ['an unknown control opcode', frame(0x8b), 1002],
  ['no mask', Buffer.of(0x81, 1, 0x61), 1002],
  ['a control frame of 126', frame(0x89, 'x'.repeat(126)), 1002],
  ['a control frame in parts', frame(0x09, 'x'), 1002],
  ['a continuation of nothing', frame(0x80, 'x'), 1002],
  ['a message within another', Buffer.concat([frame(0x01, 'x'), frame(0x81, 'y')]), 1002],
  ['a close of one octet', frame(0x88, 'x'), 1002],
  ['a close with a code that is none', frame(0x88, Buffer.of(0x03, 0xed)), 1002],
  ['a reason that is no UTF-8', frame(0x88, Buffer.of(0x03, 0xe8, 0xff)), 1007],
  ['a text that is no UTF-8', frame(0x81, Buffer.of(0x61, 0xff)), 1007],
  ['half a character at the end', frame(0x81, Buffer.of(0xc3)), 1007],
  ['more than the bound', frame(0x81, 'x'.repeat(100_001)), 1009],
  ['a length beyond all', Buffer.of(0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0), 1009],
  [
    'parts that are more than the bound',
    Buffer.concat([frame(0x01, 'x'.repeat(60_000)), frame(0x80, 'x'.repeat(60_000))]),
    1009,
  ],
  ['too many parts', Buffer.concat([1, 0, 0, 0].map((first) => frame(first))), 1008],
];

test.each(violations)('what breaks the protocol ends the reading: %s', (_what, bytes, code) => {
  const more = Buffer.concat([bytes, frame(0x81, 'after it')]);
  for (const size of [1, 5, more.length])
    expect(read(more, size, { ...BOUNDS, maxChunks: more.length }).at(-1)).toEqual(['violation', code]);
});

test('a frame in too many pieces ends the reading; as many as allowed do not', () => {
  expect(read(frame(0x81, 'x'.repeat(40)), 1)).toEqual([['text', 'x'.repeat(40)]]);
  expect(read(frame(0x81, 'x'.repeat(60)), 1)).toEqual([['violation', 1008]]);
});

test('closing without a code', () => {
  expect(read(frame(0x88))).toEqual([['close', 1005, '']]);
});

test('a fragment does not hold the chunk that it came in', () => {
  const texts: string[] = [];
  const ignore = (): void => undefined;
  const reader = new WebSocketReader(
    {
      gotText: (text) => texts.push(text),
      gotBinary: ignore,
      gotPing: ignore,
      gotPong: ignore,
      gotClose: ignore,
      gotViolation: ignore,
    },
    BOUNDS,
  );
  const chunk = frame(0x01, 'one ');
  reader.read(chunk);
  chunk.fill(0);
  reader.read(frame(0x80, 'two'));
  expect(texts).toEqual(['one two']);
});
