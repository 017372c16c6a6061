import { expect, test } from 'vitest';
import { scaled, seedOf, seeded } from '../../../../test/kit/scale.ts';
import { PIECES, below, mutate, pick } from '../../test/mutate.ts';
import { INVALID } from '../../test/torture/rfc4475-invalid.ts';
import { VALID } from '../../test/torture/rfc4475-valid.ts';
import { IPV6 } from '../../test/torture/rfc5118.ts';
import { SyntaxFailure } from './errors.ts';
import { StreamFramer } from './framer.ts';
import type { Headers } from './headers.ts';
import { parseMessage } from './parser.ts';
import type { SipMessage } from './types.ts';
import { writeMessage } from './writer.ts';

const corpus = [...VALID, ...INVALID, ...IPV6].map((one) => one.bytes);
const READERS: readonly ((h: Headers) => unknown)[] = [
  (h) => h.vias,
  (h) => h.from?.uri,
  (h) => h.to?.uri,
  (h) => h.contacts.map((c) => c.uri),
  (h) => h.route.map((r) => r.uri),
  (h) => h.maxForwards,
  (h) => h.expires,
  (h) => h.supported,
  (h) => h.contentType,
  (h) => h.auth('Authorization'),
  (h) => h.event,
  (h) => h.path,
  (h) => h.replaces,
];

/** All that is read lazily: it may refuse, in one way only. */
function readAll(message: SipMessage): void {
  for (const reader of READERS)
    try {
      reader(message.headers);
    } catch (error) {
      if (!(error instanceof SyntaxFailure)) throw error;
    }
}

function judge(bytes: Buffer): boolean {
  const message = parseMessage(bytes);
  if (message.kind === 'failure') {
    expect(message.status === undefined || [400, 505, 513].includes(message.status)).toBe(true);
    return false;
  }
  readAll(message);
  // What we accepted we can write, and it stays the same message.
  const written = writeMessage(message);
  const again = parseMessage(written);
  if (again.kind === 'failure') throw new Error(`${again.reason}: ${JSON.stringify(bytes.toString('latin1'))}`);
  expect(Buffer.compare(writeMessage(again), written)).toBe(0);
  return true;
}

test('mutated messages: no crash, no hang, no change by writing', { timeout: 900_000 }, () => {
  const random = seeded(seedOf('sip messages'));
  const rounds = scaled({ verify: 50_000, soak: 1_000_000 });
  let accepted = 0;
  for (let i = 0; i < rounds; i++) if (judge(mutate(random, pick(random, corpus), corpus))) accepted += 1;
  // Both sides of the fence are visited.
  expect(accepted).toBeGreaterThan(rounds / 20);
  expect(accepted).toBeLessThan((rounds * 19) / 20);
});

test(
  'streams of mutated messages in random chunks: bounded, and good messages after bad ones',
  { timeout: 900_000 },
  () => {
    const random = seeded(seedOf('sip streams'));
    const rounds = scaled({ verify: 5_000, soak: 100_000 });
    for (let i = 0; i < rounds; i++) {
      const stream = Buffer.concat([
        mutate(random, pick(random, corpus), corpus),
        mutate(random, pick(random, corpus), corpus),
      ]);
      const framer = new StreamFramer();
      for (let at = 0; at < stream.length;) {
        const end = at + 1 + below(random, 400);
        for (const item of framer.push(stream.subarray(at, end))) if (item.kind === 'message') readAll(item.message);
        at = end;
        expect(framer.pendingBytes).toBeLessThanOrEqual(stream.length);
      }
    }
  },
);

test('noise', () => {
  const random = seeded(seedOf('sip noise'));
  for (let i = 0; i < scaled({ verify: 5_000, soak: 200_000 }); i++) {
    const bytes = Buffer.from(Array.from({ length: below(random, 300) }, () => below(random, 256)));
    expect(parseMessage(bytes).kind).toBe('failure');
    new StreamFramer().push(bytes);
  }
});

test('no quadratic time: long runs of each separator in one header', () => {
  const head = corpus[0]?.toString('latin1').split('\r\n\r\n')[0] ?? '';
  for (const piece of PIECES) {
    const run = Buffer.alloc(30_000, piece);
    for (const name of ['Via', 'Contact', 'Route', 'X']) {
      const bytes = Buffer.concat([
        Buffer.from(`${head.slice(0, head.indexOf('\r\n'))}\r\n${name}: `),
        run,
        Buffer.from('\r\n\r\n'),
      ]);
      const message = parseMessage(bytes);
      const headers = message.headers;
      for (const reader of READERS)
        try {
          reader(headers);
        } catch (error) {
          if (!(error instanceof SyntaxFailure)) throw error;
        }
    }
  }
});

test('memory does not grow with refused messages', () => {
  const bad = Buffer.from(corpus[0] ?? []);
  const heap = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
  for (let i = 0; i < 2_000; i++) parseMessage(bad.subarray(0, bad.length - (i % 100)));
  const before = heap();
  for (let i = 0; i < 20_000; i++) parseMessage(bad.subarray(0, bad.length - (i % 100)));
  expect(heap() - before).toBeLessThan(100 * 1024 * 1024);
});
