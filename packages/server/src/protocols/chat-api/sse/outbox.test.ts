import { expect, test } from 'vitest';
import { MAX_WAITING_FRAMES } from '../limits.ts';
import { Frame } from './frame.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';

const f = (text: string): Frame => new Frame(text);

/** A response that takes what it is given when the test says so. */
function fixture(pauseAtBytes = 10) {
  const written: string[] = [];
  const chunks: Buffer[] = [];
  const taking: ((error?: Error | null) => void)[] = [];
  const told: number[] = [];
  const failures: unknown[] = [];
  let turn: (() => void)[] = [];
  let rooms = 0;
  let now = 0;
  const owner: OutboxOwner = {
    write(piece, done) {
      written.push(piece.bytes.toString());
      chunks.push(piece.bytes);
      if (done !== undefined) taking.push(done);
    },
    told: (position) => void told.push(position),
    hasRoom: () => void rooms++,
    failed: (error) => void failures.push(error),
  };
  const outbox = new Outbox(owner, { atTurnEnd: (run) => void turn.push(run), pauseAtBytes, now: () => now });
  return {
    outbox,
    written,
    chunks,
    told,
    failures,
    get rooms() {
      return rooms;
    },
    endTurn() {
      const runs = turn;
      turn = [];
      for (const run of runs) run();
    },
    take: (error?: Error) => taking.shift()?.(error),
    pass(ms: number) {
      now += ms;
    },
  };
}

test('what one turn gathers is one write; positions count when the network has taken them', () => {
  const own = fixture(100);
  own.outbox.push(f('a'), { position: 1 });
  own.outbox.push(f('b'), { position: 2 });
  own.outbox.push(f('c'));
  expect(own.written).toEqual([]);
  own.endTurn();
  expect(own.written).toEqual(['abc']);
  expect(own.told).toEqual([]);
  own.take();
  expect(own.told).toEqual([2]);
  own.outbox.push(f('d'));
  own.endTurn();
  expect(own.written).toEqual(['abc', 'd']);
});

test('a text that is still being made keeps its place', async () => {
  const own = fixture(100);
  const made = Promise.withResolvers<Frame>();
  own.outbox.push(f('1'));
  own.outbox.push(made.promise);
  own.outbox.push(f('3'));
  own.endTurn();
  expect(own.written).toEqual(['1']);
  made.resolve(f('2'));
  await made.promise;
  own.endTurn();
  expect(own.written).toEqual(['1', '23']);
});

test('full, and room again once', () => {
  const own = fixture(10);
  own.outbox.push(f('x'.repeat(10)));
  expect(own.outbox.isReady()).toBe(false);
  own.endTurn();
  expect(own.outbox.isReady()).toBe(false);
  expect(own.outbox.waitingBytes).toBe(10);
  own.take();
  expect([own.rooms, own.outbox.isReady()]).toEqual([1, true]);
  own.outbox.push(f('y'));
  own.endTurn();
  own.take();
  expect(own.rooms).toBe(1);
});

test('texts that are being made are a bounded queue', async () => {
  const own = fixture(1_000);
  const made = Promise.withResolvers<Frame>();
  for (let i = 0; i < MAX_WAITING_FRAMES; i++) own.outbox.push(i === 0 ? made.promise : f('x'));
  expect(own.outbox.isReady()).toBe(false);
  made.resolve(f('first'));
  await made.promise;
  expect(own.rooms).toBe(1);
});

test('who waits hears whether it has gone', () => {
  const own = fixture(100);
  const heard: string[] = [];
  const wait = (name: string) => ({ gone: (isSent: boolean) => void heard.push(`${name} ${isSent}`) });
  own.outbox.push(f('a'), wait('a'));
  own.endTurn();
  own.take();
  own.outbox.push(f('b'), wait('b'));
  own.endTurn();
  own.outbox.push(f('c'), wait('c'));
  own.outbox.push(Promise.withResolvers<Frame>().promise, wait('d'));
  own.outbox.close();
  own.outbox.push(f('e'), wait('e'));
  own.take(new Error('gone'));
  expect(heard).toEqual(['a true', 'b false', 'c false', 'd false', 'e false']);
});

test('nothing follows the last frame, and it waits for none that is being made', async () => {
  const own = fixture(100);
  const heard: boolean[] = [];
  const made = Promise.withResolvers<Frame>();
  own.outbox.push(f('a'), { position: 1 });
  own.outbox.push(made.promise, { position: 2, gone: (isSent) => void heard.push(isSent) });
  own.outbox.push(f('c'), { position: 3 });
  own.outbox.finish(f('end'));
  expect([own.written, heard]).toEqual([['aend'], [false]]);
  made.resolve(f('b'));
  await made.promise;
  own.outbox.push(f('d'), { position: 4 });
  own.endTurn();
  own.take();
  expect([own.written, own.told]).toEqual([['aend'], [1]]);
});

test('a failed write tells no position', () => {
  const own = fixture(100);
  own.outbox.push(f('a'), { position: 5 });
  own.endTurn();
  own.take(new Error('reset'));
  expect(own.told).toEqual([]);
});

test('once a write has failed none counts as told, in whatever order the network says so', () => {
  const own = fixture(100);
  const heard: boolean[] = [];
  for (const position of [1, 2]) {
    own.outbox.push(f('x'), { position, gone: (isSent) => void heard.push(isSent) });
    own.endTurn();
  }
  own.take(new Error('write after end'));
  own.take();
  expect([own.told, heard]).toEqual([[], [false, false]]);
});

test('a text that cannot be made is reported', async () => {
  const own = fixture(100);
  own.outbox.push(Promise.reject(new Error('no name')));
  await Promise.resolve();
  await Promise.resolve();
  expect(own.failures).toHaveLength(1);
});

test('stuck is: something waits and nothing of it goes', () => {
  const own = fixture(100);
  own.pass(1_000);
  expect(own.outbox.stuckMs()).toBe(0);
  own.outbox.push(f('a'));
  own.endTurn();
  own.pass(500);
  expect(own.outbox.stuckMs()).toBe(500);
  own.outbox.push(f('b'));
  own.endTurn();
  own.take();
  expect(own.outbox.stuckMs()).toBe(0);
  own.pass(300);
  expect(own.outbox.stuckMs()).toBe(300);
});

test('a comment only where nothing was written and nothing waits', () => {
  const own = fixture(100);
  own.outbox.keepAlive(10);
  own.endTurn();
  expect(own.written).toEqual([]);
  own.pass(10);
  own.outbox.keepAlive(10);
  own.endTurn();
  expect(own.written).toEqual([': keep-alive\n\n']);
  own.pass(10);
  own.outbox.keepAlive(10);
  own.endTurn();
  expect(own.written).toHaveLength(1);
});

test('a large frame is the same bytes for everybody, in its place', () => {
  const [one, two] = [fixture(100_000), fixture(100_000)];
  const large = f('L'.repeat(2_000));
  for (const own of [one, two]) {
    own.outbox.push(f('a'));
    own.outbox.push(f('b'));
    own.outbox.push(large);
    own.outbox.push(f('c'), { position: 3 });
    own.endTurn();
    expect(own.written).toEqual(['ab', large.text, 'c']);
    expect(own.outbox.waitingBytes).toBe(2_003);
    own.take();
    expect([own.told, own.outbox.waitingBytes]).toEqual([[3], 0]);
  }
  expect(one.chunks[1]).toBe(two.chunks[1]);
});
