import { expect, test } from 'vitest';
import { Emitter, MAX_WAITING_EVENTS } from './emitter.ts';

interface Events {
  one: number;
  two: string;
}

class Source extends Emitter<Events> {
  say<K extends keyof Events>(name: K, event: Events[K]): boolean {
    return this.emit(name, event);
  }

  over(): void {
    this.finish();
  }
}

test('listeners hear until they are removed', () => {
  const source = new Source();
  const heard: number[] = [];
  expect(source.say('one', 0)).toBe(false);
  const off = source.on('one', (n) => heard.push(n));
  source.on('one', (n) => heard.push(-n));
  expect([source.say('one', 1), source.hears('one'), source.hears('two')]).toEqual([true, true, false]);
  off();
  off();
  source.say('one', 2);
  expect(heard).toEqual([1, -1, -2]);
});

test('the next event as a promise; the end and a signal reject it', async () => {
  const source = new Source();
  const next = source.next('two');
  source.say('two', 'x');
  expect(await next).toBe('x');
  const stop = new AbortController();
  const aborted = expect(source.next('two', { signal: stop.signal })).rejects.toThrow(/abort/);
  stop.abort();
  await aborted;
  await expect(source.next('two', { signal: stop.signal })).rejects.toThrow(/abort/);
  const late = expect(source.next('two')).rejects.toMatchObject({ code: 'closed' });
  source.over();
  await late;
  await expect(source.next('one')).rejects.toMatchObject({ code: 'closed' });
});

test('all events as an iterable, until the end', async () => {
  const source = new Source();
  const stream = source.stream();
  const first = stream.next();
  source.say('one', 1);
  source.say('two', 'b');
  source.over();
  expect((await first).value).toEqual({ type: 'one', event: 1 });
  expect((await stream.next()).value).toEqual({ type: 'two', event: 'b' });
  expect((await stream.next()).done).toBe(true);
  expect(source.hears('one')).toBe(false);
});

test('a reader that does not read is dropped, not fed for ever', async () => {
  const source = new Source();
  const stream = source.stream();
  const first = stream.next();
  for (let i = 0; i < MAX_WAITING_EVENTS + 2; i += 1) source.say('one', i);
  await first;
  const rest = async (): Promise<number> => {
    let count = 0;
    for await (const _ of stream) count += 1;
    return count;
  };
  await expect(rest()).rejects.toThrow(/too slow/);
});
