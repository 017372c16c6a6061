import { expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { startNodes } from '../kit/nodes.ts';
import { until } from '../kit/wait.ts';

test('a message that is sent on one node is heard on the other', async () => {
  await using cluster = await startNodes(2);
  const [one, two] = cluster.nodes;
  const alice = await ChatApiClient.signIn(one!.url, 'alice');
  const bob = await ChatApiClient.signIn(two!.url, 'bob');
  await using events = await bob.events();
  await alice.say('bob', 'across');
  await until(() => events.bodies.includes('across'));
  expect(one!.core.cluster.peers.others).toEqual(new Set([two!.core.cluster.peers.self]));
});
