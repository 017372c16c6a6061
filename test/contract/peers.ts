import { afterEach, describe, expect, test } from 'vitest';
import { MAX_PEER_BYTES, type NodeId, type Peers } from '../../packages/server/src/core/index.ts';
import { Problem } from '../../packages/server/src/kit/index.ts';
import { until } from '../kit/wait.ts';

/** A network of nodes: each call of `join` makes another one. */
export interface PeersUnderTest {
  readonly join: () => Promise<Peers>;
  readonly close: () => Promise<void>;
}

export function peersContract(name: string, open: () => Promise<PeersUnderTest>): void {
  describe(`peers: ${name}`, () => {
    const opened: PeersUnderTest[] = [];
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });

    async function two(): Promise<{ a: Peers; b: Peers; join: () => Promise<Peers> }> {
      const network = await open();
      opened.push(network);
      const a = await network.join();
      const b = await network.join();
      await until(() => a.others.has(b.self) && b.others.has(a.self), 'the nodes to meet');
      return { a, b, join: network.join };
    }

    const codeOf = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'none',
        (error: unknown) => (error instanceof Problem ? error.code : String(error)),
      );

    test('asks and is answered; values go over as JSON', async () => {
      const { a, b } = await two();
      b.answer('double', async (input, from) => ({ from, sum: typeof input === 'number' ? input * 2 : 0 }));
      expect(await a.ask(b.self, 'double', 21, 1_000)).toEqual({ from: a.self, sum: 42 });
    });

    test('requests arrive in the order of the calls', async () => {
      const { a, b } = await two();
      const heard: unknown[] = [];
      b.answer('note', async (input) => {
        heard.push(input);
        return null;
      });
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      await Promise.all(numbers.map((i) => a.ask(b.self, 'note', i, 5_000)));
      expect(heard).toEqual(numbers);
    });

    test('a problem of the handler comes back with its code', async () => {
      const { a, b } = await two();
      b.answer('refuse', async () => {
        throw new Problem('forbidden', 'No.');
      });
      expect(await codeOf(a.ask(b.self, 'refuse', null, 1_000))).toBe('forbidden');
      expect(await codeOf(a.ask(b.self, 'unheard', null, 1_000))).toBe('peer-unknown-request');
    });

    test('a node that does not answer in time, one that is not there, and one that goes meanwhile', async () => {
      const { a, b } = await two();
      b.answer('sleep', () => new Promise(() => undefined));
      expect(await codeOf(a.ask(b.self, 'sleep', null, 20))).toBe('peer-timeout');
      expect(await codeOf(a.ask('f'.repeat(32) as NodeId, 'sleep', null, 20))).toBe('peer-down');
      const gone: NodeId[] = [];
      a.down.add((node) => gone.push(node));
      const asked = codeOf(a.ask(b.self, 'sleep', null, 30_000));
      await b.close();
      expect(await asked).toBe('peer-down');
      await until(() => gone.length === 1);
      expect(gone).toEqual([b.self]);
      expect(a.others.size).toBe(0);
    });

    test('nodes that come are told', async () => {
      const { a, join } = await two();
      const come: NodeId[] = [];
      a.up.add((node) => come.push(node));
      const third = await join();
      await until(() => come.includes(third.self));
    });

    test('requests and answers are bounded', async () => {
      const { a, b } = await two();
      b.answer('echo', async (input) => input);
      b.answer('grow', async () => 'x'.repeat(MAX_PEER_BYTES));
      expect(await codeOf(a.ask(b.self, 'echo', 'x'.repeat(MAX_PEER_BYTES), 1_000))).toBe('too-large');
      expect(await codeOf(a.ask(b.self, 'grow', null, 1_000))).toBe('too-large');
    });

    test('news reaches every other node, in order, and not its teller; it is bounded', async () => {
      const { a, b, join } = await two();
      const c = await join();
      await until(() => c.others.size === 2 && a.others.has(c.self) && b.others.has(c.self));
      const heard: string[] = [];
      const stops = [a, b, c].map((node, i) =>
        node.hear('news', (input, from) => {
          expect(from).toBe(a.self);
          heard.push(`${i} ${JSON.stringify(input)}`);
        }),
      );
      a.tell('unheard', 0);
      for (let i = 0; i < 100; i++) a.tell('news', { i });
      await until(() => heard.length === 200, 'both to hear it all');
      for (const node of [1, 2])
        expect(heard.filter((line) => line.startsWith(`${node} `))).toEqual(
          Array.from({ length: 100 }, (_, i) => `${node} {"i":${i}}`),
        );
      expect(() => a.tell('news', 'x'.repeat(MAX_PEER_BYTES))).toThrow(/bytes/);
      expect(() => b.hear('news', () => undefined)).toThrow('already');
      stops[1]?.();
      a.tell('news', 'last');
      await until(() => heard.includes('2 "last"'));
      expect(heard).not.toContain('1 "last"');
    });

    test('a handler ends; there is one a kind', async () => {
      const { a, b } = await two();
      const stop = b.answer('x', async () => 1);
      expect(() => b.answer('x', async () => 2)).toThrow('already');
      stop();
      expect(await codeOf(a.ask(b.self, 'x', null, 1_000))).toBe('peer-unknown-request');
      b.answer('x', async () => 2);
      expect(await a.ask(b.self, 'x', null, 1_000)).toBe(2);
    });
  });
}
