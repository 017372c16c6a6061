import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isSoak, scaled } from '../../../../test/kit/scale.ts';
import { MAX_LIST_CHARACTERS, MAX_PENDING_REQUESTS } from '../../src/wire/bounds.ts';
import type { JsonObject } from '../../src/wire/envelope.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import { RequesterBench } from './bench.ts';

vi.setConfig({ testTimeout: isSoak ? 900_000 : 30_000 });

describe('request', () => {
  test('goes out with api, mt and a src of its own, and resolves with its result, whatever the order', async () => {
    const bench = new RequesterBench();
    const first = bench.requester.request('PbxApi', 'GetNodeInfo');
    const second = bench.requester.request('', 'Own', { x: 1, mt: 'forged', src: 'forged' });
    expect(bench.sent[0]).toEqual({ api: 'PbxApi', mt: 'GetNodeInfo', src: expect.any(String) });
    expect(bench.sent[1]).toEqual({ x: 1, mt: 'Own', src: expect.any(String) });
    expect(bench.src(0)).not.toBe(bench.src(1));
    expect(bench.answer({ mt: 'OwnResult', y: 2 }, 1)).toBe(true);
    expect(bench.answer({ api: 'PbxApi', mt: 'GetNodeInfoResult', name: 'root' }, 0)).toBe(true);
    expect(await second).toMatchObject({ y: 2 });
    expect(await first).toMatchObject({ name: 'root' });
    expect(bench.requester.openCount).toBe(0);
  });

  const refusals: readonly (readonly [string, JsonObject, string | undefined])[] = [
    ['error text', { error: 'not allowed' }, 'not allowed'],
    ['error number and errorText', { error: 2, errorText: 'no such app' }, 'no such app'],
    ['error number alone', { error: 17 }, '17'],
    ['error true, of the Messages protocol', { error: true }, undefined],
    ['err, of PbxSignal', { err: 'unauthorized' }, 'unauthorized'],
    ['errorText alone', { errorText: 'no' }, 'no'],
    ['an error object', { error: { deep: [[]] } }, undefined],
  ];
  test.each(refusals)('rejects with %s', async (_name, members, reason) => {
    const bench = new RequesterBench();
    const asked = bench.requester.request('X', 'Y');
    bench.answer({ mt: 'YResult', ...members });
    await expect(asked).rejects.toMatchObject({ code: 'request-refused', reason, cause: members, retry: false });
    expect(bench.requester.openCount).toBe(0);
  });

  test('rejects with mt Error', async () => {
    const bench = new RequesterBench();
    const asked = bench.requester.request('PbxMessages', 'Session');
    bench.answer({ mt: 'Error', text: 'no licence' });
    await expect(asked).rejects.toMatchObject({ code: 'request-refused', reason: 'no licence' });
  });

  test.each([0, false, null, ''])('error %j is no error', async (error) => {
    const bench = new RequesterBench();
    const asked = bench.requester.request('PbxApi', 'SetPresence', { sip: 'bob' });
    bench.answer({ mt: 'SetPresenceResult', error });
    await expect(asked).resolves.toBeDefined();
  });

  test('messages with another src, a number as src or none are not taken', () => {
    const bench = new RequesterBench();
    void bench.requester.request('X', 'Y').catch(() => undefined);
    for (const src of [undefined, 1, null, '', 'src0', `x${String(bench.src())}`])
      expect(bench.receive({ mt: 'YResult', src })).toBe(false);
    expect(bench.requester.openCount).toBe(1);
  });

  test('times out, and a late answer is swallowed', async () => {
    const bench = new RequesterBench();
    const asked = bench.requester.request('X', 'Y', {}, { timeoutMs: 5 });
    await expect(asked).rejects.toMatchObject({ code: 'request-timeout', retry: true });
    expect(bench.answer({ mt: 'YResult' })).toBe(true);
    expect(bench.requester.openCount).toBe(0);
  });

  test('is aborted: before it goes out nothing is sent, after it the answer is swallowed', async () => {
    const bench = new RequesterBench();
    const early = bench.requester.request('X', 'Y', {}, { signal: AbortSignal.abort('enough') });
    await expect(early).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    expect(bench.sent).toEqual([]);
    const controller = new AbortController();
    const late = bench.requester.request('X', 'Y', {}, { signal: controller.signal });
    controller.abort();
    await expect(late).rejects.toMatchObject({ code: 'aborted' });
    expect(bench.answer({ mt: 'YResult' })).toBe(true);
    expect(bench.requester.openCount).toBe(0);
  });

  test('rejects when the connection ends, and when there is none', async () => {
    const bench = new RequesterBench();
    const asked = bench.requester.request('X', 'Y');
    bench.requester.end(new AppWebsocketError('connection-lost'));
    await expect(asked).rejects.toMatchObject({ code: 'connection-lost' });
    bench.isConnected = false;
    await expect(bench.requester.request('X', 'Y')).rejects.toMatchObject({ code: 'not-connected' });
    expect(bench.requester.openCount).toBe(0);
  });

  test('what JSON cannot hold is the fault of its caller, not a cancellation', async () => {
    const bench = new RequesterBench();
    await expect(bench.requester.request('X', 'Y', { n: 1n })).rejects.toBeInstanceOf(TypeError);
    expect(bench.requester.openCount).toBe(0);
  });

  test('the number of open requests is bounded', async () => {
    const bench = new RequesterBench();
    for (let i = 0; i < MAX_PENDING_REQUESTS; i++)
      bench.requester.request('X', 'Y', {}, { timeoutMs: 0 }).catch(() => undefined);
    await expect(bench.requester.request('X', 'Y')).rejects.toMatchObject({ code: 'too-many-requests' });
    expect(() => bench.requester.subscribe('X', 'Y')).toThrow(expect.objectContaining({ code: 'too-many-requests' }));
    bench.requester.end(new AppWebsocketError('connection-lost'));
    expect(bench.requester.openCount).toBe(0);
  });
});

describe('list', () => {
  test('collects the indications before the result', async () => {
    const bench = new RequesterBench();
    const asked = bench.requester.list('PbxMessages', 'ReadChats', { topic: 'alice' });
    bench.answer({ mt: 'ReadChatsInd', sip: 'bob' });
    bench.answer({ mt: 'ReadChatsInd', sip: 'carol' });
    bench.answer({ mt: 'ReadChatsResult' });
    const { items, result } = await asked;
    expect(items.map(({ sip }) => sip)).toEqual(['bob', 'carol']);
    expect(result['mt']).toBe('ReadChatsResult');
  });

  test('is bounded', async () => {
    const bench = new RequesterBench();
    const asked = bench.requester.list('X', 'Y');
    const message = { mt: 'YInd', x: 'x'.repeat(2 ** 20) };
    const envelope = { mt: 'YInd', api: undefined, src: bench.src(), message };
    for (let sizes = 0; sizes <= MAX_LIST_CHARACTERS; sizes += 2 ** 20) bench.requester.take(envelope, 2 ** 20);
    await expect(asked).rejects.toMatchObject({ code: 'subscription-overflow' });
    expect(bench.requester.openCount).toBe(0);
  });
});

describe('pages', () => {
  const collect = async (pages: AsyncIterable<JsonObject>): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for await (const { n } of pages) seen.push(n);
    return seen;
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('a text or number as more repeats the request; true waits for what follows unasked', async () => {
    const bench = new RequesterBench();
    const seen = collect(bench.requester.pages('PbxAdminApi', 'GetApps', { limit: 2 }));
    await turn();
    bench.answer({ mt: 'GetAppsResult', n: 1, more: 'b' });
    await turn();
    expect(bench.sent[1]).toMatchObject({ mt: 'GetApps', limit: 2, more: 'b' });
    bench.answer({ mt: 'GetAppsResult', n: 2, more: 7 });
    await turn();
    expect(bench.sent[2]).toMatchObject({ more: 7 });
    bench.answer({ mt: 'GetAppsResult', n: 3, more: true });
    bench.answer({ mt: 'GetAppsResult', n: 4, more: true });
    await turn();
    bench.answer({ mt: 'GetAppsResult', n: 5 });
    expect(await seen).toEqual([1, 2, 3, 4, 5]);
    expect(bench.sent).toHaveLength(3);
    expect(bench.requester.openCount).toBe(0);
  });

  test('a refused page, a lost connection and an abort throw: a part is not taken for all', async () => {
    const bench = new RequesterBench();
    const refused = collect(bench.requester.pages('X', 'Y'));
    const lost = collect(bench.requester.pages('X', 'Y'));
    const controller = new AbortController();
    const aborted = collect(bench.requester.pages('X', 'Y', {}, { signal: controller.signal }));
    await turn();
    bench.answer({ mt: 'YResult', error: 'no' }, 0);
    await expect(refused).rejects.toMatchObject({ code: 'request-refused', reason: 'no' });
    bench.answer({ mt: 'YResult', more: true }, 1);
    bench.answer({ mt: 'YResult', more: true }, 2);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    bench.requester.end(new AppWebsocketError('connection-lost'));
    await expect(lost).rejects.toMatchObject({ code: 'connection-lost' });
  });

  test('a page that was announced and never comes is given up', async () => {
    const bench = new RequesterBench();
    const seen = collect(bench.requester.pages('X', 'Y', {}, { timeoutMs: 20 }));
    await turn();
    bench.answer({ mt: 'YResult', more: true });
    await expect(seen).rejects.toMatchObject({ code: 'request-timeout' });
    expect(bench.requester.openCount).toBe(0);
  });

  test('leaving the loop ends the request', async () => {
    const bench = new RequesterBench();
    const pages = bench.requester.pages('X', 'Y');
    const first = pages.next();
    await turn();
    bench.answer({ mt: 'YResult', more: true });
    await first;
    await pages.return(undefined);
    expect(bench.requester.openCount).toBe(0);
  });
});

test('model: every request settles once, with its own answer, and nothing is left', async () => {
  type Step = ['ask'] | ['answer', number] | ['refuse', number] | ['tell', number] | ['abort', number];
  const index = fc.nat(20);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constant<Step>(['ask']),
    fc.constant<Step>(['ask']),
    ...(['answer', 'refuse', 'tell', 'abort'] as const).map((kind) => index.map((i): Step => [kind, i])),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const bench = new RequesterBench();
      const asked: { readonly settled: Promise<string>; readonly abort: AbortController; expected: string }[] = [];
      for (const [kind, i] of steps) {
        if (kind === 'ask') {
          const abort = new AbortController();
          const request = bench.requester.request('X', 'Y', { n: asked.length }, { signal: abort.signal });
          const settled = request.then(
            ({ n }) => `ok ${String(n)}`,
            (error: unknown) => (error as AppWebsocketError).code,
          );
          asked.push({ settled, abort, expected: 'connection-lost' });
          continue;
        }
        const one = asked[i];
        if (one === undefined) continue;
        const isOpen = one.expected === 'connection-lost';
        if (kind === 'answer') bench.answer({ mt: 'YResult', n: i }, i);
        if (kind === 'refuse') bench.answer({ mt: 'YResult', error: 1 }, i);
        if (kind === 'tell') bench.answer({ mt: 'Told', n: -1 }, i);
        if (kind === 'abort') one.abort.abort();
        const outcome = { answer: `ok ${i}`, refuse: 'request-refused', abort: 'aborted', tell: one.expected }[kind];
        if (isOpen) one.expected = outcome;
      }
      bench.requester.end(new AppWebsocketError('connection-lost'));
      for (const one of asked) expect(await one.settled).toBe(one.expected);
      expect(bench.requester.openCount).toBe(0);
    }),
    { numRuns: scaled({ verify: 500, soak: 50_000 }) },
  );
});
