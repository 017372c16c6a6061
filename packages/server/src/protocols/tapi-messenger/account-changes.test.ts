import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode, type TestNode } from './test/start-node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await startNode();
});
afterAll(() => node.close());

async function signIn(name: string): Promise<RawStomp> {
  const client = await RawStomp.connect(
    node.port,
    `CONNECT\naccept-version:1.2\nlogin:${name}\npasscode:demo\nheart-beat:0,0\n`,
  );
  for (const [id, destination] of [
    ['errors', '/user/queue/errors'],
    ['in', '/user/queue/incoming-call'],
    ['state', '/user/queue/call-state'],
    ['init', '/topic/is-listen-init'],
  ])
    await client.subscribe(id ?? '', destination ?? '');
  return client;
}

test('who has another number hears nothing of the old one, which may be somebody else’s', async () => {
  const bob = await signIn('bob');
  bob.send('SEND\ndestination:/tapi/listen\n\n');
  await bob.take('LISTENING STARTED for number: 202');
  const { directory } = node.core;
  const { id } = await directory.requireUser({ by: 'name', value: 'bob' });
  const carol = await directory.requireUser({ by: 'name', value: 'carol' });
  await directory.changeUser(id, { number: '302' });
  await directory.changeUser(carol.id, { number: '202' });
  expect(await bob.take('listen-failed')).toContain('"destination":"/tapi/listen"');
  node.engine.report({ ref: 'c1', number: '202', peer: '555' });
  await bob.settle();
  expect(bob.messages).toEqual([]);
  // The new number is known: to listening, and to dialling.
  bob.send('SEND\ndestination:/tapi/listen\n\n');
  await bob.take('LISTENING STARTED for number: 302');
  node.engine.report({ ref: 'c2', number: '302', peer: '556' });
  await bob.take('"phone":"556"', 'incoming-call');
  for (const [ref, number] of [
    ['c1', '202'],
    ['c2', '302'],
  ])
    node.engine.report({ ref: ref ?? '', number: number ?? '', peer: '1', state: 'ended' });
  await bob.close();
});

test('who is no administrator any more has no more rights than anybody', async () => {
  const { directory } = node.core;
  const { id } = await directory.requireUser({ by: 'name', value: 'alice' });
  await directory.changeUser(id, { isAdmin: true });
  const alice = await signIn('alice');
  const bob = await directory.requireUser({ by: 'name', value: 'bob' });
  node.engine.report({ ref: 'a1', number: bob.number ?? '', peer: '557' });
  const [call] = await node.core.calls.liveCalls({ kind: 'server' }, { user: bob.id });
  const hangUp = `SEND\ndestination:/tapi/hangup\nreceipt:h\n\n${JSON.stringify({ callId: call?.id })}`;
  alice.send(hangUp);
  await alice.take('receipt-id:h');
  await directory.changeUser(id, { isAdmin: false });
  await until(() => {
    alice.send(hangUp);
    return alice.messages.some((message) => message.includes('"code":"forbidden"'));
  });
  node.engine.report({ ref: 'a1', number: bob.number ?? '', peer: '557', state: 'ended' });
  await alice.close();
});
