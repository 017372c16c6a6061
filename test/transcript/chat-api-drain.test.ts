import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { until } from '../kit/wait.ts';

test('an event stream that is being opened when the node stops is asked to come back, and holds nothing up', async () => {
  await using world = await ChatApiWorld.start();
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<undefined>();
  let isAsked = false;
  const { directory } = world.core;
  const find = directory.user.bind(directory);
  Object.assign(directory, {
    user: async (key: Parameters<typeof find>[0]) => {
      isAsked = true;
      await mayGoOn;
      return find(key);
    },
  });
  const socket = connect(world.port, '127.0.0.1');
  let text = '';
  let isOver = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('close', () => (isOver = true));
  socket.write(
    `GET /sse/bob HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${bob.authorization}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  await until(() => isAsked);
  const closed = world.http.close({ drainMs: 60_000 });
  goOn(undefined);
  await closed;
  await until(() => isOver);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect([...text.matchAll(/retry: (\d+)/g)].map(([, ms]) => Number(ms)).at(-1)).toBeGreaterThanOrEqual(1_000);
  expect(text).not.toContain('chatapi.end');
  expect(world.chatApi.figures().eventStreams).toBe(0);
}, 15_000);
