import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { TurnJoiner } from './turn-joiner.ts';

/** A stream that notes what reaches its sink, one entry per write of the sink. */
function noted(): { stream: Duplex; writes: string[] } {
  const writes: string[] = [];
  const stream = new Duplex({
    read() {
      // nothing to read
    },
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map((c) => String(c.chunk)).join('|'));
      done();
    },
  });
  return { stream, writes };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('writes of one turn leave as one, each turn anew, each socket for itself', async () => {
  const joiner = new TurnJoiner();
  const a = noted();
  const b = noted();
  for (const text of ['1', '2']) {
    joiner.join(a.stream);
    a.stream.write(text);
  }
  joiner.join(b.stream);
  b.stream.write('x');
  await Promise.resolve();
  expect([a.writes, b.writes]).toEqual([[], []]);
  await nextTurn();
  expect([a.writes, b.writes]).toEqual([['1|2'], ['x']]);
  joiner.join(a.stream);
  a.stream.write('3');
  await nextTurn();
  expect(a.writes).toEqual(['1|2', '3']);
});

test('what runs at the end of the turn still leaves with it; what it asks for then comes next turn', async () => {
  const joiner = new TurnJoiner();
  const { stream, writes } = noted();
  const ran: string[] = [];
  joiner.join(stream);
  stream.write('1');
  joiner.atTurnEnd(() => {
    joiner.join(stream);
    stream.write('2');
    joiner.atTurnEnd(() => ran.push('later'));
  });
  await nextTurn();
  expect([writes, ran]).toEqual([['1|2'], []]);
  await nextTurn();
  expect(ran).toEqual(['later']);
});

test('a destroyed socket among them harms nobody', async () => {
  const joiner = new TurnJoiner();
  const dead = noted();
  const { stream, writes } = noted();
  joiner.join(dead.stream);
  dead.stream.destroy();
  joiner.join(stream);
  stream.write('1');
  await nextTurn();
  expect(writes).toEqual(['1']);
});
