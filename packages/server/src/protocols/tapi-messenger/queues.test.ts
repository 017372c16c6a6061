import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { MAX_QUEUES, MAX_UNSETTLED, MAX_WAITING, MAX_WAITING_BYTES, Queues } from './application/queues.ts';
import type { Client } from './client.ts';
import { SharedMessage, type Subscription } from './stomp/index.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode, type TestNode } from './test/start-node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await startNode({ settings: { broker: { clientPublish: ['/queue/**'] } } });
});
afterAll(() => node.close());

const publish = (client: RawStomp, body: string): void => client.send(`SEND\ndestination:/queue/work\n\n${body}`);
const bodyOf = (frame: string): string => frame.slice(frame.indexOf('\n\n') + 2, -1);
const headerOf = (frame: string, name: string): string => new RegExp(`\n${name}:(.*)`).exec(frame)?.[1] ?? '';

test('consumers take turns, and what comes before them waits', async () => {
  const sender = await RawStomp.connect(node.port);
  publish(sender, 'early');
  await sender.settle();
  const one = await RawStomp.connect(node.port);
  const two = await RawStomp.connect(node.port);
  await one.subscribe('q', '/queue/work');
  await one.take('early');
  await two.subscribe('q', '/queue/work');
  for (let i = 0; i < 10; i++) publish(sender, `n${i}`);
  await until(() => one.messages.length + two.messages.length === 10);
  expect([one.messages.length, two.messages.length]).toEqual([5, 5]);
  for (const client of [sender, one, two]) await client.close();
});

test.each([
  ['client', '1.2', ['m2', 'm3']],
  ['client-individual', '1.2', ['m0', 'm2', 'm3']],
  ['client-individual', '1.1', ['m0', 'm2', 'm3']],
])('%s in %s: what was not acknowledged goes to the next consumer', async (mode, version, left) => {
  const sender = await RawStomp.connect(node.port);
  const one = await RawStomp.connect(node.port, `CONNECT\naccept-version:${version}\n`);
  await one.subscribe('q', '/queue/work', `ack:${mode}\n`);
  for (let i = 0; i < 4; i++) publish(sender, `m${i}`);
  await until(() => one.messages.length === 4);
  const second = one.messages[1]!;
  const id = headerOf(second, 'message-id');
  expect(headerOf(second, 'ack')).toBe(version === '1.2' ? id : '');
  one.send(version === '1.2' ? `ACK\nid:${id}\n\n` : `ACK\nsubscription:q\nmessage-id:${id}\n\n`);
  await one.settle();
  one.ws.terminate();
  const two = await RawStomp.connect(node.port);
  await two.subscribe('q', '/queue/work');
  await until(() => two.messages.length === left.length);
  expect(two.messages.map(bodyOf)).toEqual(left);
  await two.close();
  await sender.close();
});

test('NACK gives it to somebody else', async () => {
  const sender = await RawStomp.connect(node.port);
  const one = await RawStomp.connect(node.port);
  await one.subscribe('q', '/queue/work', 'ack:client-individual\n');
  publish(sender, 'hot');
  const hot = await one.take('hot');
  const two = await RawStomp.connect(node.port);
  await two.subscribe('q', '/queue/work');
  one.send('UNSUBSCRIBE\nid:none\n\n');
  one.send(`NACK\nid:${headerOf(hot, 'ack')}\n\n`);
  await until(() => one.messages.length + two.messages.length === 1);
  for (const client of [sender, one, two]) await client.close();
});

test('what waits has bounds, and an empty queue is forgotten', () => {
  const queues = new Queues();
  const message = SharedMessage.text('x');
  for (let i = 0; i < MAX_WAITING + 10; i++) queues.publish('/queue/a', message, 100);
  expect(queues.dropped).toBe(10);
  expect(queues.bytes).toBe(MAX_WAITING * 100);
  for (let i = 0; i < 20; i++) queues.publish('/queue/b', message, 1024 * 1024);
  expect(queues.bytes).toBeLessThanOrEqual(MAX_WAITING_BYTES);
  const client = { isWritable: true, send: () => 'id', whenWritable: () => undefined } as unknown as Client;
  for (const destination of ['/queue/a', '/queue/b']) {
    const subscription: Subscription = { id: '1', destination, ack: 'auto' };
    queues.add(client, subscription);
    queues.remove(subscription);
  }
  expect([queues.size, queues.bytes]).toEqual([0, 0]);
});

test('not many queues', () => {
  const queues = new Queues();
  const message = SharedMessage.text('x');
  for (let i = 0; i < MAX_QUEUES; i++) queues.publish(`/queue/${i}`, message, 1);
  expect(() => queues.publish('/queue/more', message, 1)).toThrow('too many queues');
});

test('a consumer that acknowledges nothing gets no more than so many', () => {
  const queues = new Queues();
  let sent = 0;
  const client = { isWritable: true, send: () => `m${sent++}`, whenWritable: () => undefined } as unknown as Client;
  const subscription: Subscription = { id: '1', destination: '/queue/a', ack: 'client' };
  queues.add(client, subscription);
  for (let i = 0; i < MAX_UNSETTLED + 5; i++) queues.publish('/queue/a', SharedMessage.text('x'), 1);
  expect(sent).toBe(MAX_UNSETTLED);
  queues.settle([subscription], { how: 'ack', subscription: null, message: 'm9' });
  expect(sent).toBe(MAX_UNSETTLED + 5);
});

test('a consumer that is cut off while it is told: the message goes to the next one', () => {
  const queues = new Queues();
  const subscription: Subscription = { id: '1', destination: '/queue/a', ack: 'client' };
  const send = (): string => {
    queues.remove(subscription);
    return 'm0';
  };
  queues.add({ isWritable: true, send, whenWritable: () => undefined } as unknown as Client, subscription);
  queues.publish('/queue/a', SharedMessage.text('x'), 100);
  expect([queues.size, queues.bytes]).toEqual([1, 100]);
  let sent = 0;
  const next = { isWritable: true, send: () => `n${sent++}`, whenWritable: () => undefined } as unknown as Client;
  queues.add(next, { id: '2', destination: '/queue/a', ack: 'auto' });
  expect([sent, queues.bytes]).toEqual([1, 0]);
});
