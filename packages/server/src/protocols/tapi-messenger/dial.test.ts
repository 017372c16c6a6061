import { expect, test } from 'vitest';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode } from './test/start-node.ts';

const SIGN_IN = 'CONNECT\naccept-version:1.2\nlogin:bob\npasscode:demo\n';
const dial = (client: RawStomp, to: string, headers = ''): void =>
  client.send(`SEND\ndestination:/tapi/call\n${headers}\n{"toNumber":"${to}"}`);

test('a signed-in user dials from his own number, without listening', async () => {
  await using node = await startNode();
  const bob = await RawStomp.connect(node.port, SIGN_IN);
  await bob.subscribe('r', '/topic/is-call-init');
  dial(bob, '0 60-1');
  await bob.take('CALLING NUMBER 0 60-1\0');
  expect(node.engine.commands).toContain('dial 202 0601');
});

test('a key dials once; with another number it is a conflict', async () => {
  await using node = await startNode();
  const bob = await RawStomp.connect(node.port, SIGN_IN);
  await bob.subscribe('r', '/topic/is-call-init');
  dial(bob, '1', 'idempotency-key:k\n');
  await bob.take('CALLING NUMBER 1');
  dial(bob, '1', 'idempotency-key:k\n');
  await bob.take('CALLING NUMBER 1');
  dial(bob, '2', 'idempotency-key:k\n');
  await bob.take('FAILED TO CALL NUMBER 2: IDEMPOTENCY CONFLICT');
  expect(node.engine.commands.filter((command) => command.startsWith('dial'))).toEqual(['dial 202 1']);
});

test('tapi.dial.minIntervalMs holds back one session; a system that is away is said to be', async () => {
  await using node = await startNode({ settings: { dial: { minIntervalMs: 60_000 } } });
  const [one, two] = [await RawStomp.connect(node.port, SIGN_IN), await RawStomp.connect(node.port, SIGN_IN)];
  for (const client of [one, two]) await client.subscribe('r', '/topic/is-call-init');
  dial(one, '1');
  await one.take('CALLING NUMBER 1');
  dial(one, '2');
  await one.take('FAILED TO CALL NUMBER 2: TOO MANY REQUESTS');
  node.engine.isConnected = false;
  dial(two, '3');
  await two.take('FAILED TO CALL NUMBER 3: TAPI SERVER UNAVAILABLE');
});

test('tapi.caller: the original’s name for everybody', async () => {
  await using node = await startNode({ settings: { caller: { lookup: false, unknownName: 'Unknown' } } });
  const bob = await RawStomp.connect(node.port, SIGN_IN);
  await bob.subscribe('i', '/user/queue/incoming-call');
  bob.send('SEND\ndestination:/tapi/listen\n\n');
  await bob.settle();
  node.engine.report({ ref: 'c', number: '202', peer: '201' });
  await bob.take('{"name":"Unknown","phone":"201"}');
});

test('tapi.userQueue.apexFallback: false leaves the queue of the application session silent', async () => {
  await using node = await startNode({ settings: { userQueue: { apexFallback: false } } });
  const page = await RawStomp.connect(node.port);
  await page.subscribe('i', '/user/queue/incoming-call-user1001');
  page.send('SEND\ndestination:/tapi/listen\napex_session:1001\nreceipt:l\n\n');
  await page.take('receipt-id:l');
  await page.subscribe('s', '/user/queue/call-state');
  node.engine.report({ ref: 'c', number: '201', peer: '1' });
  await page.take('RINGING');
  expect(page.messages).toEqual([]);
  expect(node.surface.figures()).toMatchObject({ unseenCalls: 1, listening: 1 });
});
