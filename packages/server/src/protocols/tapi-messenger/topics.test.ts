import { describe, expect, test } from 'vitest';
import { destinationOf, isServerTopic } from './application/destinations.ts';
import { matchesPattern } from './application/patterns.ts';
import { understandSnippet } from './application/seed-snippet.ts';
import type { Frame } from './stomp/index.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode } from './test/start-node.ts';

describe('destinations (TM §3.5)', () => {
  test.each([
    ['/tapi/listen', 'request'],
    ['tapi/listen', 'request'],
    ['/tapi', 'unknown'],
    ['/topic/is-listen-init', 'reply'],
    ['/topic/is-call-init', 'reply'],
    ['/topic/is-other', 'unknown'],
    ['/topic/presence.bob', 'presence'],
    ['/topic/room.lobby', 'room'],
    ['/topic/news', 'topic'],
    ['/topic/**', 'topic'],
    ['/queue/a', 'queue'],
    ['/user/queue/errors', 'errors'],
    ['/user/queue/messages', 'messages'],
    ['/user/queue/incoming-call-userx', 'user-queue'],
    ['/user/bob/queue/messages', 'unknown'],
    ['', 'unknown'],
  ])('%s is %s', (destination, kind) => expect(destinationOf(destination).kind).toBe(kind));

  test.each(['/topic/is-listen-init', '/topic/is-', '/topic/presence.x', '/topic/room.y'])(
    '%s is the server’s',
    (topic) => expect(isServerTopic(topic)).toBe(true),
  );
});

test.each<[string, string, boolean]>([
  ['/topic/a', '/topic/a', true],
  ['/topic/a', '/topic/A', false],
  ['/topic/?', '/topic/a', true],
  ['/topic/?', '/topic/ab', false],
  ['/topic/*', '/topic/abc', true],
  ['/topic/*', '/topic/a/b', false],
  ['/topic/a*c', '/topic/abbc', true],
  ['/topic/a*c*e', '/topic/abcde', true],
  ['/topic/a*c*e', '/topic/abcd', false],
  ['/topic/**', '/topic/a/b', true],
  ['/topic/**', '/topic', true],
  ['/**', '/topic/a', true],
  ['/topic/**/c', '/topic/a/b/c', true],
  ['/topic/**/c', '/topic/c', true],
  ['/topic/**/c', '/topic/a/b', false],
  ['/topic/**/b/*', '/topic/a/b/b/c', true],
  ['/topic/**', `/topic${'/a'.repeat(40)}`, false],
])('%s matches %s: %s', (pattern, destination, expected) => {
  expect(matchesPattern(pattern, destination)).toBe(expected);
});

test('a pattern that would make others slow is matched in no time', () => {
  const startedAt = performance.now();
  expect(matchesPattern(`/topic/${'*a'.repeat(4_000)}b`, `/topic/${'a'.repeat(8_000)}`)).toBe(false);
  // As many as one session may have.
  for (let i = 0; i < 256; i++) {
    expect(matchesPattern(`/topic/*${'a'.repeat(4_000)}b`, `/topic/${'a'.repeat(8_000)}`)).toBe(false);
    expect(matchesPattern(`/topic/*${'a'.repeat(120)}b`, `/topic/${'a'.repeat(240)}`)).toBe(false);
  }
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(matchesPattern('/**', `/${'a'.repeat(255)}`)).toBe(true);
  expect(matchesPattern('/**', `/${'a'.repeat(256)}`)).toBe(false);
});

describe('the call with two arguments (TM AP-24)', () => {
  const frame = (headers: readonly (readonly [string, string])[], body = ''): Frame => ({
    command: 'SEND',
    headers: new Map(headers),
    body: Buffer.from(body),
  });
  const spelled = (text: string): readonly (readonly [string, string])[] =>
    Array.from(text).map((character, i) => [String(i), character] as const);

  test('is understood', () => {
    const text = '{"toNumber":"60:1"}';
    const meant = understandSnippet(frame([...spelled(text), ['receipt', 'r']]));
    expect(Object.fromEntries(meant.headers)).toEqual({ destination: '/tapi/call', receipt: 'r' });
    expect(meant.body.toString()).toBe(text);
    expect(understandSnippet(frame([['destination', '/tapi/call'], ...spelled(text)])).body.toString()).toBe(text);
  });
  test.each([
    ['no such headers', frame([['a', 'b']])],
    ['another destination', frame([['destination', '/topic/a'], ...spelled('{"toNumber":"1"}')])],
    ['a body', frame([['destination', '/tapi/call'], ...spelled('{"toNumber":"1"}')], 'x')],
    ['longer values', frame([['0', '{"toNumber":"1"}']])],
    ['something else', frame(spelled('{"number":"1"}'))],
  ])('%s: left as it is', (_name, given) => expect(understandSnippet(given)).toBe(given));
});

test('tapi.replies.scope=topic: everybody who subscribes hears the answers, but no pattern does', async () => {
  await using node = await startNode({ settings: { replies: { scope: 'topic' } } });
  const asker = await RawStomp.connect(node.port);
  const other = await RawStomp.connect(node.port);
  await other.subscribe('1', '/topic/is-call-init');
  await other.subscribe('2', '/topic/**');
  await other.subscribe('3', '/topic/is-*');
  asker.send('SEND\ndestination:/tapi/call\n\n{"toNumber":"1"}');
  expect(await other.take('FAILED TO CALL')).toContain('subscription:1\n');
  await other.settle();
  expect(other.messages).toEqual([]);
  other.send('UNSUBSCRIBE\nid:1\n\n');
  await other.settle();
  asker.send('SEND\ndestination:/tapi/call\n\n{"toNumber":"1"}');
  await asker.settle();
  await other.settle();
  expect(other.messages).toEqual([]);
});

test('tapi.broker.clientPublish opens topics to clients, and never those of the server', async () => {
  await using node = await startNode({ settings: { broker: { clientPublish: ['/topic/**', '/queue/**'] } } });
  const one = await RawStomp.connect(node.port);
  const two = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.1\n');
  await one.subscribe('e', '/user/queue/errors');
  await two.subscribe('a', '/topic/news');
  await two.subscribe('b', '/topic/n*');
  one.send('SEND\ndestination:/topic/news\ncontent-type:text/x\nmore:a\\cb\npasscode:secret\nreceipt:r\n\nhello');
  await one.take('RECEIPT');
  for (const id of ['a', 'b']) {
    const got = await two.take(`subscription:${id}\n`);
    expect(got).toMatch(/^MESSAGE\ndestination:\/topic\/news\ncontent-type:text\/x\nsubscription:/);
    expect(got).toContain('\nmore:a\\cb\ncontent-length:5\n\nhello\0');
    expect(got).not.toContain('secret');
  }
  for (const destination of [
    '/topic/presence.bob',
    '/topic/room.x',
    '/topic/is-call-init',
    '/user/queue/errors',
    '/topic/*',
  ]) {
    one.send(`SEND\ndestination:${destination}\nreceipt:r\n\nx`);
    expect(await one.take('errors')).toMatch(/"code":"(forbidden|unknown-destination)"/);
  }
  await two.settle();
  expect(two.messages).toEqual([]);
});

test('a body that is no text arrives as it was on a plain WebSocket, decoded elsewhere (TM ST-3)', async () => {
  await using node = await startNode({ settings: { broker: { clientPublish: ['/topic/**'] } } });
  const plain = await RawStomp.connect(node.port);
  const framed = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\n', 'framed');
  await plain.subscribe('p', '/topic/octets');
  await framed.subscribe('f', '/topic/octets');
  const octets: [Buffer, boolean][] = [];
  plain.ws.on('message', (data: Buffer, isBinary: boolean) => octets.push([data, isBinary]));
  const body = Buffer.of(0xff, 0, 0xfe, 0x41);
  plain.ws.send(
    Buffer.concat([Buffer.from('SEND\ndestination:/topic/octets\nx:y\ncontent-length:4\n\n'), body, Buffer.of(0)]),
  );
  expect(await framed.take('octets')).toMatch(/\nx:y\ncontent-length:8\n\n\ufffd\0\ufffdA\0$/);
  await plain.take('octets');
  const [data, isBinary] = octets[0]!;
  expect(isBinary).toBe(true);
  expect(data.toString('latin1')).toMatch(/^MESSAGE\n[^]*\nx:y\ncontent-length:4\n\n\xff\0\xfeA\0$/);
  // Text stays text, whatever it came as.
  plain.ws.send(Buffer.from('SEND\ndestination:/topic/octets\n\nżółw\0'));
  await plain.take('żółw');
  expect(octets[1]?.[1]).toBe(false);
  await plain.close();
  await framed.close();
});
