import { expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { JsonApi } from '../../src/service/json-api.ts';
import type { JsonApiConnection } from '../../src/service/json-api.ts';
import { loggedIn, TestService } from './kit.ts';

const API = 'com.acme.import';

/** A JsonApi whose receiver takes its time, and a peer that sends three rows and closes, all in one piece. */
async function threeRowsAndGoodbye(events: string[], finish: (() => void)[]) {
  const opened: JsonApiConnection[] = [];
  const tested = await TestService.start({ onClose: () => void events.push('gone') }, (service) =>
    service.use(
      new JsonApi(API).onconnected((conn) => {
        opened.push(conn);
        conn.onclose(() => void events.push('close'));
        conn.onmessage((_text, { n }) => {
          events.push(`row ${String(n)}`);
          return new Promise<void>((resolve) => finish.push(resolve));
        });
      }),
    ),
  );
  const peer = await loggedIn(tested.url);
  for (const n of [1, 2, 3]) peer.send({ api: API, mt: 'Row', n });
  peer.socket.close();
  expect(await peer.closed()).toMatchObject({ code: 1005 });
  return { tested, opened };
}

test('what a peer sent before it closed is delivered, at the pace of its receiver, before the close is told', async () => {
  const events: string[] = [];
  const finish: (() => void)[] = [];
  const { tested, opened } = await threeRowsAndGoodbye(events, finish);
  await using _ = tested;
  expect(() => opened[0]!.send('{"mt":"x"}')).toThrow('closed');
  for (const n of [1, 2, 3]) {
    await until(() => finish.length === n, `row ${n} in ${events.join()}`, 3_000);
    finish[n - 1]!();
  }
  await until(() => events.includes('gone'));
  expect(events).toEqual(['row 1', 'row 2', 'row 3', 'close', 'gone']);
});

test('a receiver that never ends does not keep a service from closing', async () => {
  const events: string[] = [];
  const { tested } = await threeRowsAndGoodbye(events, []);
  await tested[Symbol.asyncDispose]();
  expect(events).toEqual(['row 1', 'close', 'gone']);
});

test('a receiver that never ends does not keep what a lost connection left for ever', async () => {
  const events: string[] = [];
  const { tested } = await threeRowsAndGoodbye(events, []);
  await using _ = tested;
  const [connection] = tested.service.connections;
  connection!.tick();
  connection!.tick();
  expect(events).toEqual(['row 1', 'close', 'gone']);
});
