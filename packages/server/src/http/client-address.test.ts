import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { addressTest, createClientAddresses, plainAddress } from './client-address.ts';
import { createOrigins } from './origins.ts';

function request(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const req = new IncomingMessage(socket);
  Object.assign(req.headers, headers);
  return req;
}

test.each([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '::1'],
])('%s is written %s', (given, plain) => {
  expect(plainAddress(given)).toBe(plain);
});

test('ranges, single addresses and loopback; anything else is refused', () => {
  const isOurs = addressTest(['10.0.0.0/8', '192.168.1.7', 'fd00::/8', 'loopback']);
  for (const a of ['10.255.0.1', '192.168.1.7', 'fd12::1', '127.8.8.8', '::1']) expect(isOurs(a), a).toBe(true);
  for (const a of ['11.0.0.1', '192.168.1.8', 'fe80::1', 'unknown', '']) expect(isOurs(a), a).toBe(false);
  for (const bad of ['10.0.0.0/33', '10.0.0.0/-1', 'example.com', '10.0.0.0/8x', '', 'fd00::/129'])
    expect(() => addressTest([bad]), bad).toThrow(RangeError);
});

test.each([
  // Nobody is trusted: what a client writes about itself is ignored.
  [[], '203.0.113.9', '10.0.0.1', '203.0.113.9'],
  [['10.0.0.1'], '203.0.113.9', '1.2.3.4', '203.0.113.9'],
  // One proxy: the address that it appended, not what the client wrote before.
  [['10.0.0.1'], '10.0.0.1', '6.6.6.6, 203.0.113.9', '203.0.113.9'],
  [['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  [['10.0.0.1'], '10.0.0.1', undefined, '10.0.0.1'],
  [['10.0.0.1'], '10.0.0.1', 'nonsense', '10.0.0.1'],
  [['10.0.0.1'], '::ffff:10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
  [['10.0.0.1'], '10.0.0.1', '203.0.113.9:5060', '203.0.113.9'],
])('trusting %j, peer %s with X-Forwarded-For %s is %s', (trusted, peer, forwarded, client) => {
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(createClientAddresses(trusted).addressOf(request(peer, headers))).toBe(client);
});

test('a long chain is walked no further than its bound', () => {
  const chain = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(', ');
  const addresses = createClientAddresses(['10.0.0.0/8']);
  expect(addresses.addressOf(request('10.0.0.1', { 'x-forwarded-for': chain }))).toBe('10.0.3.216');
});

test.each([
  ['https://app.example.com', 'chat.example.com', {}, 'listed'],
  ['HTTPS://APP.example.com:443', 'chat.example.com', {}, 'listed'],
  ['http://chat.example.com', 'chat.example.com', {}, 'own'],
  ['http://chat.example.com', 'chat.example.com:80', {}, 'own'],
  ['https://chat.example.com', 'chat.example.com', {}, 'foreign'],
  ['http://chat.example.com:8080', 'chat.example.com', {}, 'foreign'],
  ['null', 'chat.example.com', {}, 'foreign'],
  ['file://', 'chat.example.com', {}, 'foreign'],
  [
    'https://chat.example.com',
    'inner:8080',
    { 'x-forwarded-host': 'chat.example.com', 'x-forwarded-proto': 'https' },
    'own',
  ],
])('Origin %s at Host %s with %j is %s', (origin, host, more, kind) => {
  const addresses = createClientAddresses(['10.0.0.1']);
  const origins = createOrigins(['https://app.example.com'], addresses);
  expect(origins.kindOf(request('10.0.0.1', { origin, host, ...more }))).toBe(kind);
  expect(origins.kindOf(request('10.0.0.1', { host }))).toBe('none');
});

test('a star makes strangers `any`, not `listed`', () => {
  const origins = createOrigins(['*', 'https://app.example.com'], createClientAddresses([]));
  expect(origins.kindOf(request('1.1.1.1', { origin: 'https://x.example', host: 'h' }))).toBe('any');
  expect(origins.kindOf(request('1.1.1.1', { origin: 'null', host: 'h' }))).toBe('any');
  expect(origins.kindOf(request('1.1.1.1', { origin: 'https://app.example.com', host: 'h' }))).toBe('listed');
});
