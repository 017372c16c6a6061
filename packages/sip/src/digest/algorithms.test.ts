import { expect, test } from 'vitest';
import { algorithmOf, digestHa1, digestResponse, hashOf } from './algorithms.ts';
import type { DigestAlgorithm } from './algorithms.ts';

const rfc7616 = {
  user: 'Mufasa',
  password: 'Circle of Life',
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  uri: '/dir/index.html',
};
const rfc2617 = {
  user: 'Mufasa',
  password: 'Circle Of Life',
  realm: 'testrealm@host.com',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  cnonce: '0a4f113b',
  uri: '/dir/index.html',
};
const rfc7616sha512 = {
  user: 'J\u00e4s\u00f8n Doe',
  password: 'Secret, or not?',
  realm: 'api@example.org',
  nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
  cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
  uri: '/doe.json',
};

test.each([
  ['RFC 7616 3.9.1', 'MD5', rfc7616, '8ca523f5e9506fed4657c9700eebdbec'],
  ['RFC 7616 3.9.1', 'SHA-256', rfc7616, '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['RFC 2617 3.5', 'MD5', rfc2617, '6629fae49393a05397450978507c4ef1'],
  [
    'RFC 7616 3.9.2 as its erratum 4897 corrects it',
    'SHA-512-256',
    rfc7616sha512,
    '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
  ],
] as const)('%s, %s', (_name, algorithm, v, response) => {
  const ha1 = digestHa1(hashOf(algorithm), v.user, v.realm, v.password);
  const protection = { qop: 'auth', nc: '00000001', cnonce: v.cnonce, body: new Uint8Array() } as const;
  expect(digestResponse({ algorithm, ha1, nonce: v.nonce, uri: v.uri, method: 'GET', protection })).toBe(response);
});

test('the form of RFC 2069, the session form and auth-int differ from each other as RFC 7616 3.4 says', () => {
  const ha1 = digestHa1('MD5', 'bob', 'biloxi.com', 'zanzibar');
  const base = { ha1, nonce: 'n', uri: 'sip:bob@biloxi.com', method: 'INVITE' };
  // Worked out by hand from the formulas: MD5(HA1:n:MD5(INVITE:sip:bob@biloxi.com)).
  const old = digestResponse({ ...base, algorithm: 'MD5' });
  const protection = { qop: 'auth', nc: '00000001', cnonce: 'c', body: Buffer.from('v=0') } as const;
  const answers = [
    old,
    digestResponse({ ...base, algorithm: 'MD5', protection }),
    digestResponse({ ...base, algorithm: 'MD5', protection: { ...protection, qop: 'auth-int' } }),
    digestResponse({
      ...base,
      algorithm: 'MD5',
      protection: { ...protection, qop: 'auth-int', body: Buffer.from('v=1') },
    }),
    digestResponse({ ...base, algorithm: 'MD5-sess', protection }),
  ];
  expect(new Set(answers).size).toBe(5);
});

test.each<[string | undefined, DigestAlgorithm | undefined]>([
  [undefined, 'MD5'],
  ['md5', 'MD5'],
  ['SHA-256-SESS', 'SHA-256-sess'],
  ['sha-512-256', 'SHA-512-256'],
  ['SHA-1', undefined],
  ['', undefined],
])('algorithm %s', (text, expected) => {
  expect(algorithmOf(text)).toBe(expected);
});
