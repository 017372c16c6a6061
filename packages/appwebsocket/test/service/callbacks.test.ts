import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { loggedIn, PASSWORD, RawPeer, TestService } from './kit.ts';

/** What a program's callbacks may do wrong harms neither the process nor other connections. */
describe('a callback that fails late', () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  beforeEach(() => void unhandled.splice(0));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  /** As programs in plain JavaScript write it. */
  const later = (text: string) => (): void => Promise.reject(new Error(text)) as unknown as void;

  test('`admit` throws after a look-up that took its time', async () => {
    await using tested = await TestService.start({
      password: async () => PASSWORD,
      admit: () => {
        throw new Error('no licence server');
      },
    });
    using peer = await RawPeer.connect(tested.url);
    expect(await peer.login()).toMatchObject({ ok: false, errorText: 'temporary failure' });
    await turn();
    expect(unhandled).toEqual([]);
    expect(tested.errors).toEqual([new Error('no licence server')]);
  });

  test('a handler resolves with what JSON cannot hold', async () => {
    await using tested = await TestService.start({}, (service) =>
      service.api('x', { Late: async () => ({ n: 1n }), Now: () => ({ n: 1n }) }),
    );
    using peer = await loggedIn(tested.url);
    expect(await peer.ask({ api: 'x', mt: 'Now' })).toMatchObject({ error: 'internal error' });
    expect(await peer.ask({ api: 'x', mt: 'Late' })).toMatchObject({ error: 'internal error' });
    await turn();
    expect(unhandled).toEqual([]);
    expect(tested.errors).toHaveLength(2);
  });

  test('`onLogin` and `onClose` return promises that reject', async () => {
    await using tested = await TestService.start({
      onLogin: later('login'),
      onClose: later('close'),
    });
    const peer = await loggedIn(tested.url);
    peer[Symbol.dispose]();
    await until(() => tested.service.connections.length === 0);
    await turn();
    expect(unhandled).toEqual([]);
    expect(tested.errors).toEqual([new Error('login'), new Error('close')]);
  });
});
