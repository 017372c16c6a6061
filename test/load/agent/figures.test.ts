import { expect, test } from 'vitest';
import { FanOutCount, median, percentile, slope } from './figures.ts';
import { FrameReader, occurrences, OPCODE, textFrame } from './frames.ts';
import { sampleText } from './load.ts';

test('median: the middle one, or half-way between the two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('percentile: the nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect(percentile(values, 0.99)).toBe(198);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

test('slope: what each further one adds', () => {
  expect(slope([500, 10_000], [2_000, 25_000])).toBe(10);
});

test('an event of a fan-out is complete when the last receiver has it, however far ahead others are', () => {
  const count = new FanOutCount(3, 4);
  expect(count.got(0, 3)).toBe(0);
  expect(count.got(1, 2)).toBe(0);
  expect(count.got(2, 1)).toBe(1);
  expect(count.got(2, 1)).toBe(1);
  expect([count.complete, count.deliveries]).toEqual([2, 7]);
  // Round the ring more than once.
  for (let event = 0; event < 20; event++) for (const receiver of [0, 1, 2]) count.got(receiver, 1);
  expect(count.complete).toBe(22);
});

/** The frame as a server would send it: without mask. */
function unmasked(frame: Buffer): Buffer {
  const length = (frame[1] ?? 0) & 0x7f;
  const head = length < 126 ? 2 : length === 126 ? 4 : 10;
  const mask = frame.subarray(head, head + 4);
  const payload = Buffer.from(frame.subarray(head + 4)).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  const bytes = Buffer.concat([frame.subarray(0, head), payload]);
  bytes[1] = length;
  return bytes;
}

test('frames of every length are found, however the stream is cut', () => {
  const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_535), 'e'.repeat(65_536), 'ü'];
  const stream = Buffer.concat(texts.map((text) => unmasked(textFrame(text))));
  for (const cut of [1, 7, 1_000, stream.length]) {
    const found: string[] = [];
    const reader = new FrameReader((opcode, bytes, start, end) => {
      expect(opcode).toBe(OPCODE.text);
      found.push(bytes.toString('utf8', start, end));
    });
    for (let at = 0; at < stream.length; at += cut) reader.read(stream.subarray(at, at + cut));
    expect(found).toEqual(texts);
  }
});

test('texts that are joined in one frame are counted within it alone', () => {
  const bytes = Buffer.from('xx"M"M"M"Mxx');
  const needle = Buffer.from('"M');
  expect(occurrences(needle, bytes, 0, bytes.length)).toBe(4);
  expect(occurrences(needle, bytes, 4, 8)).toBe(2);
});

test('a sample text is 100 bytes', () => {
  for (const hasMarkup of [false, true]) expect(Buffer.byteLength(sampleText(hasMarkup, 12_345))).toBe(100);
});
