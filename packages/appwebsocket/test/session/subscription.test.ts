import { describe, expect, test } from 'vitest';
import { MAX_QUEUED_INDICATION_CHARACTERS } from '../../src/wire/bounds.ts';
import type { Subscription } from '../../src/session/subscription.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import { RequesterBench } from './bench.ts';

/** Reads to the end. */
async function all(subscription: Subscription): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const { n } of subscription) seen.push(n);
  return seen;
}

describe('a subscription', () => {
  test('yields what comes under its src, in order, read before or after it comes', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('PbxApi', 'SubscribePresence', { sip: 'bob' });
    const early = told.next();
    bench.answer({ mt: 'SubscribePresenceResult', ok: 1 });
    bench.answer({ mt: 'PresenceState', n: 1 });
    bench.answer({ mt: 'PresenceUpdate', n: 2 });
    expect(await told.result).toMatchObject({ ok: 1 });
    expect(await early).toMatchObject({ done: false, value: { n: 1 } });
    expect(await told.next()).toMatchObject({ value: { n: 2 } });
  });

  test('leaving the loop unsubscribes at the peer, under the same src and with the same members', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('PbxApi', 'SubscribePresence', { sip: 'bob' });
    bench.answer({ mt: 'PresenceState', n: 1 });
    for await (const { n } of told) {
      expect(n).toBe(1);
      break;
    }
    expect(bench.sent[1]).toEqual({ ...bench.sent[0], mt: 'UnsubscribePresence' });
    expect(bench.requester.openCount).toBe(0);
    expect(bench.answer({ mt: 'UnsubscribePresenceResult' })).toBe(true);
    expect(await told.next()).toEqual({ done: true, value: undefined });
  });

  test('another or no mt may end it', () => {
    const bench = new RequesterBench();
    bench.requester.subscribe('RCC', 'UserInitialize', { cn: 'A' }, { unsubscribe: 'UserEnd' }).close();
    expect(bench.sent.map(({ mt }) => mt)).toEqual(['UserInitialize', 'UserEnd']);
    bench.requester.subscribe('X', 'SubscribeY', {}, { unsubscribe: false }).close();
    bench.requester.subscribe('PbxSignal', 'Register').close();
    expect(bench.sent.slice(2).map(({ mt }) => mt)).toEqual(['SubscribeY', 'Register']);
  });

  test('sends further messages under its src', async () => {
    const bench = new RequesterBench();
    const rows = bench.requester.subscribe('PbxTableUsers', 'ReplicateStart', { add: false });
    bench.answer({ mt: 'ReplicateStartResult' });
    rows.send('ReplicateNext');
    expect(bench.sent[1]).toEqual({ api: 'PbxTableUsers', mt: 'ReplicateNext', src: bench.src(0) });
    bench.answer({ mt: 'ReplicateNextResult', n: 1 });
    expect(await rows.next()).toMatchObject({ value: { n: 1 } });
    rows.close();
    expect(() => rows.send('ReplicateNext')).toThrow(expect.objectContaining({ code: 'not-connected' }));
  });

  test('ends with the connection: what has come is still read, then the loop is over', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('X', 'SubscribeY');
    bench.answer({ mt: 'YInfo', n: 1 });
    bench.requester.end(new AppWebsocketError('connection-lost'));
    expect(await all(told)).toEqual([1]);
    await expect(told.result).rejects.toMatchObject({ code: 'connection-lost' });
    expect(bench.sent).toHaveLength(1);
  });

  test('a refusal is thrown by the loop, once, and by result', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('X', 'SubscribeY');
    const waiting = told.next();
    bench.answer({ mt: 'SubscribeYResult', error: 'not allowed' });
    await expect(waiting).rejects.toMatchObject({ code: 'request-refused', reason: 'not allowed' });
    await expect(told.result).rejects.toMatchObject({ code: 'request-refused' });
    expect(await told.next()).toMatchObject({ done: true });
    expect(bench.sent).toHaveLength(1);
  });

  test('a refusal that nobody looks at is no unhandled rejection', async () => {
    const bench = new RequesterBench();
    bench.requester.subscribe('X', 'SubscribeY');
    bench.answer({ mt: 'SubscribeYResult', error: 1 });
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('the time limit is for the first message only', async () => {
    const bench = new RequesterBench();
    const silent = bench.requester.subscribe('X', 'SubscribeY', {}, { timeoutMs: 5 });
    await expect(silent.next()).rejects.toMatchObject({ code: 'request-timeout' });
    expect(bench.sent[1]).toMatchObject({ mt: 'UnsubscribeY' });
    const answered = bench.requester.subscribe('X', 'SubscribeY', {}, { timeoutMs: 5 });
    bench.answer({ mt: 'SubscribeYResult' });
    const other = bench.requester.subscribe('X', 'SubscribeZ', {}, { timeoutMs: 10 });
    await expect(other.next()).rejects.toMatchObject({ code: 'request-timeout' });
    bench.answer({ mt: 'YInfo', n: 1 }, 2);
    expect(await answered.next()).toMatchObject({ value: { n: 1 } });
  });

  test('an abort ends the loop, and the subscription at the peer', async () => {
    const bench = new RequesterBench();
    const controller = new AbortController();
    const told = bench.requester.subscribe('X', 'SubscribeY', {}, { signal: controller.signal });
    bench.answer({ mt: 'SubscribeYResult' });
    const reading = all(told);
    controller.abort();
    expect(await reading).toEqual([]);
    expect(bench.sent[1]).toMatchObject({ mt: 'UnsubscribeY' });
    expect(bench.requester.openCount).toBe(0);
  });

  test('a reader that is too slow: 1 MiB is kept, then the subscription ends here and at the peer', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('X', 'SubscribeY');
    const size = 2 ** 16;
    let count = 0;
    while (bench.requester.openCount > 0) {
      bench.answer({ mt: 'YInfo', n: count++, x: 'x'.repeat(size) });
      expect(count * size).toBeLessThanOrEqual(MAX_QUEUED_INDICATION_CHARACTERS + size);
    }
    expect(bench.sent[1]).toMatchObject({ mt: 'UnsubscribeY' });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { n } of told) seen.push(n);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'subscription-overflow', retry: true });
    expect(seen).toEqual(Array.from({ length: count }, (_, n) => n));
  });

  test('several readers share what comes; all end', async () => {
    const bench = new RequesterBench();
    const told = bench.requester.subscribe('X', 'Y');
    const reads = [told.next(), told.next(), told.next()];
    bench.answer({ mt: 'YInfo', n: 1 });
    bench.answer({ mt: 'YInfo', n: 2 });
    told.close();
    expect((await Promise.all(reads)).map(({ done }) => done)).toEqual([false, false, true]);
  });
});
