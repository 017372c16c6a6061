import { expect, test } from 'vitest';
import { serversOf, tlsOf } from './servers.ts';

test.each([
  ['nats://n', { servers: ['n:4222'], hosts: 'n:4222' }],
  ['nats://a:1, nats://b:2', { servers: ['a:1', 'b:2'], hosts: 'a:1, b:2' }],
  ['nats://me:p%40ss@n:1', { servers: ['n:1'], hosts: 'n:1', user: 'me', pass: 'p@ss' }],
  ['tls://tok%2Fen@n', { servers: ['n:4222'], hosts: 'n:4222', token: 'tok/en' }],
  ['nats://a,nats://me:x@b', { servers: ['a:4222', 'b:4222'], hosts: 'a:4222, b:4222', user: 'me', pass: 'x' }],
  ['nats://[::1]:5', { servers: ['[::1]:5'], hosts: '[::1]:5' }],
])('%s', (url, parts) => {
  expect(serversOf(url)).toEqual(parts);
});

test('TLS by the scheme or by files', () => {
  const none = { ca: null, cert: null, key: null };
  expect(tlsOf('nats://n', none)).toEqual({});
  expect(tlsOf('tls://n', undefined)).toEqual({ tls: {} });
  expect(tlsOf('nats://n', { ca: '/ca', cert: '/c', key: '/k' })).toEqual({
    tls: { caFile: '/ca', certFile: '/c', keyFile: '/k' },
  });
});
