import { expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { Headers, makeRequest, makeResponse, parseUri } from '../messages/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { digestHa1 } from './algorithms.ts';
import type { DigestSecret } from './algorithms.ts';
import { DigestClient, MAX_REALMS } from './client.ts';
import { DigestServer } from './server.ts';
import type { DigestServerOptions } from './server.ts';

const clock = new FakeClock();

function request(method = 'REGISTER', body = ''): SipRequest {
  const headers = new Headers([
    ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa'],
    ['From', '<sip:bob@biloxi.com>;tag=1'],
    ['To', '<sip:bob@biloxi.com>'],
    ['Call-ID', 'x'],
    ['CSeq', `1 ${method}`],
  ]);
  return makeRequest({ method, uri: parseUri('sip:biloxi.com'), headers, body: Buffer.from(body) });
}

function server(options: Partial<DigestServerOptions> = {}): DigestServer {
  const secrets = new Map<string, DigestSecret>([['bob', { password: 'zanzibar' }]]);
  return new DigestServer({
    realm: 'biloxi.com',
    clock,
    algorithms: ['SHA-256', 'MD5'],
    findSecret: (name) => secrets.get(name),
    ...options,
  });
}

const client = (password = 'zanzibar', username = 'bob'): DigestClient =>
  new DigestClient({ credentialsFor: (realm) => (realm === 'biloxi.com' ? { username, password } : undefined) });

const refusal = (digest: DigestServer, isStale = false): SipResponse =>
  digest.challenge(makeResponse(request(), digest.status), { kind: 'unproven', isStale });

const lineOf = (of: SipRequest): string =>
  of.headers.get('Authorization') ?? of.headers.get('Proxy-Authorization') ?? '';

test.each(['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess'] as const)(
  '%s proves itself, with auth and with auth-int, as user agent and as proxy',
  async (algorithm) => {
    for (const qop of ['auth', 'auth-int'] as const)
      for (const role of ['user-agent', 'proxy'] as const) {
        const digest = server({ algorithms: [algorithm], qop: [qop], role });
        const asked = request('INVITE', 'v=0\r\n');
        expect(client().answer(asked, refusal(digest))).toBe('answered');
        expect(asked.headers.has(role === 'proxy' ? 'Proxy-Authorization' : 'Authorization')).toBe(true);
        expect(await digest.verify(asked)).toMatchObject({ kind: 'proven', username: 'bob', algorithm });
        if (qop === 'auth-int') {
          const forged = { ...asked, body: Buffer.from('v=1\r\n') };
          expect(await server({ algorithms: [algorithm], qop: [qop], role }).verify(forged)).toMatchObject({
            kind: 'refused',
          });
        }
      }
  },
);

test('no credentials, credentials for another realm, and other schemes are unproven', async () => {
  const digest = server();
  expect(await digest.verify(request())).toEqual({ kind: 'unproven', isStale: false });
  const other = request();
  other.headers.add('Authorization', 'Basic Ym9iOnphbnppYmFy');
  other.headers.add(
    'Authorization',
    'Digest username="bob", realm="elsewhere", nonce="n", uri="sip:biloxi.com", response="0"',
  );
  expect(await digest.verify(other)).toEqual({ kind: 'unproven', isStale: false });
});

test('a wrong password and an unknown user are refused; the client does not try again', async () => {
  const digest = server();
  const wrong = request();
  const own = client('hunter2');
  own.answer(wrong, refusal(digest));
  expect(await digest.verify(wrong)).toEqual({ kind: 'refused', username: 'bob', cause: 'wrong-response' });
  expect(own.answer(wrong, refusal(digest))).toBe('refused');
  const stranger = request();
  client('zanzibar', 'mallory').answer(stranger, refusal(digest));
  expect(await digest.verify(stranger)).toEqual({ kind: 'refused', username: 'mallory', cause: 'unknown-user' });
});

test('trap 7: a nonce ends: stale=true, and the client goes on with the next one', async () => {
  const digest = server({ nonceLifetimeMs: 1_000 });
  const own = client();
  const asked = request();
  own.answer(asked, refusal(digest));
  clock.advance(1_001);
  const verdict = await digest.verify(asked);
  expect(verdict).toEqual({ kind: 'unproven', isStale: true });
  const again = digest.challenge(makeResponse(asked, 401), verdict);
  expect(again.headers.get('WWW-Authenticate')).toContain('stale=true');
  expect(own.answer(asked, again)).toBe('answered');
  expect((await digest.verify(asked)).kind).toBe('proven');
});

test('a nonce that we never made is stale for who knows the password, refused for others', async () => {
  const asked = request();
  client().answer(asked, refusal(server()));
  expect(await server().verify(asked)).toEqual({ kind: 'unproven', isStale: true });
  const wrong = request();
  client('x').answer(wrong, refusal(server()));
  expect(await server().verify(wrong)).toMatchObject({ kind: 'refused' });
});

test('trap 7: a count is good once; later ones may overtake each other within 32', async () => {
  const digest = server();
  const own = client();
  const first = request();
  own.answer(first, refusal(digest));
  const rest = Array.from({ length: 40 }, () => {
    const next = request();
    own.prepare(next);
    return next;
  });
  expect(lineOf(rest[39] ?? first)).toContain('nc=00000029');
  const verdicts: (string | boolean)[] = [];
  for (const one of [first, first, rest[0], rest[39], rest[8], rest[8], rest[7], rest[38], rest[39]]) {
    const verdict = await digest.verify(one ?? first);
    verdicts.push(verdict.kind === 'unproven' ? verdict.isStale : verdict.kind);
  }
  expect(verdicts).toEqual(['proven', true, 'proven', 'proven', 'proven', true, true, 'proven', true]);
});

test('clients without qop (RFC 3261 22.4): a nonce is good once', async () => {
  const digest = server();
  const challenge = refusal(digest);
  for (const [i, line] of challenge.headers.getAll('WWW-Authenticate').entries()) {
    if (i === 0) challenge.headers.remove('WWW-Authenticate');
    challenge.headers.add('WWW-Authenticate', line.replace(', qop="auth"', ''));
  }
  const own = client();
  const asked = request();
  expect(own.answer(asked, challenge)).toBe('answered');
  expect(lineOf(asked)).not.toContain('qop');
  expect((await digest.verify(asked)).kind).toBe('proven');
  expect(await digest.verify(asked)).toEqual({ kind: 'unproven', isStale: true });
  const next = request();
  own.prepare(next);
  expect(lineOf(next)).toBe('');
});

test('several challenges: the topmost known algorithm of each realm; unknown realms stay unanswered', () => {
  const response = makeResponse(request(), 401);
  for (const line of [
    'Digest realm="biloxi.com", nonce="a", algorithm=SHA-9, qop="auth"',
    'Digest realm="biloxi.com", nonce="b", algorithm=SHA-256, qop="auth,auth-int", opaque="o\\"p"',
    'Digest realm="biloxi.com", nonce="c", algorithm=MD5, qop="auth"',
    'Digest realm="atlanta.com", nonce="d", qop="auth"',
    'Negotiate x=y',
  ])
    response.headers.add('WWW-Authenticate', line);
  const asked = request();
  expect(client().answer(asked, response)).toBe('answered');
  const [own, ...others] = asked.headers.auth('Authorization');
  expect(others).toEqual([]);
  expect(Object.fromEntries(own?.params ?? [])).toMatchObject({
    nonce: 'b',
    algorithm: 'SHA-256',
    qop: 'auth',
    opaque: 'o"p',
    nc: '00000001',
  });
  const elsewhere = new DigestClient({ credentialsFor: () => undefined });
  expect(elsewhere.answer(request(), response)).toBe('unknown-realm');
  response.headers.remove('WWW-Authenticate');
  expect(client().answer(request(), response)).toBe('unsupported');
  response.headers.add('WWW-Authenticate', 'Digest realm="biloxi.com", nonce=');
  expect(client().answer(request(), response)).toBe('unsupported');
});

test('two realms on the way get credentials each', () => {
  const own = new DigestClient({ credentialsFor: (realm) => ({ username: realm, password: 'p' }) });
  const response = makeResponse(request(), 407);
  response.headers.add('Proxy-Authenticate', 'Digest realm="one", nonce="a", qop="auth"');
  response.headers.add('Proxy-Authenticate', 'Digest realm="two", nonce="b", qop="auth"');
  const asked = request();
  own.answer(asked, response);
  expect(asked.headers.auth('Proxy-Authorization').map((value) => value.params.get('username'))).toEqual([
    'one',
    'two',
  ]);
});

test('realms are bounded: of one response, and those remembered', () => {
  const own = new DigestClient({ credentialsFor: () => ({ username: 'u', password: 'p' }) });
  const ask = (from: number): number => {
    const response = makeResponse(request(), 407);
    for (let i = 0; i < 100; i++)
      response.headers.add('Proxy-Authenticate', `Digest realm="r${from + i}", nonce="n", qop="auth"`);
    const asked = request();
    expect(own.answer(asked, response)).toBe('answered');
    return asked.headers.getAll('Proxy-Authorization').length;
  };
  expect([ask(0), ask(1_000), ask(2_000)]).toEqual([MAX_REALMS, MAX_REALMS, MAX_REALMS]);
});

test('Authentication-Info: rspauth of RFC 7616 3.5, and the next nonce when this one ages', async () => {
  const digest = server({ nonceLifetimeMs: 1_000 });
  const own = client();
  const asked = request();
  own.answer(asked, refusal(digest));
  clock.advance(600);
  const verdict = await digest.verify(asked);
  if (verdict.kind !== 'proven') throw new Error('not proven');
  expect(verdict.info).toMatch(/^qop=auth, rspauth="[0-9a-f]{64}", cnonce="[^"]+", nc=00000001, nextnonce="[^"]+"$/);
  const ok = makeResponse(asked, 200);
  ok.headers.add('Authentication-Info', verdict.info ?? '');
  own.learn(ok);
  clock.advance(600);
  const next = request();
  own.prepare(next);
  expect(lineOf(next)).toContain('nc=00000001');
  expect((await digest.verify(next)).kind).toBe('proven');
});

test.each([
  [
    'no response',
    'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:biloxi.com"',
    'Incomplete Credentials',
  ],
  [
    'no count',
    'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:biloxi.com", response="0", qop=auth, cnonce="c"',
    'Incomplete Credentials',
  ],
  [
    'a count of nine digits',
    'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:biloxi.com", response="0", qop=auth, cnonce="c", nc=000000001',
    'Incomplete Credentials',
  ],
  [
    'auth-int where it was not offered',
    'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:biloxi.com", response="0", qop=auth-int, cnonce="c", nc=00000001',
    'Qop Not Offered',
  ],
  [
    'another URI',
    'Digest username="bob", realm="biloxi.com", nonce="n", uri="sip:evil.com", response="0"',
    'Digest URI Mismatch',
  ],
  ['no grammar', 'Digest username="bob', 'Bad Authorization'],
])('malformed: %s', async (_name, line, reason) => {
  const asked = request();
  asked.headers.add('Authorization', line);
  expect(await server({ isUriChecked: true }).verify(asked)).toEqual({ kind: 'malformed', reason });
});

test('where the URI is checked an equivalent one is good; where it is not, any', async () => {
  const strict = server({ isUriChecked: true });
  const asked = request();
  client().answer(asked, refusal(strict));
  expect((await strict.verify({ ...asked, uri: parseUri('sip:BILOXI.com;lr') })).kind).toBe('proven');
  expect(await strict.verify({ ...asked, uri: parseUri('sip:other.com') })).toMatchObject({ kind: 'malformed' });
  const lax = server();
  const other = request();
  client().answer(other, refusal(lax));
  expect((await lax.verify({ ...other, uri: parseUri('sip:other.com') })).kind).toBe('proven');
});

test('by default there is one challenge, with MD5', () => {
  const digest = new DigestServer({ realm: 'r', findSecret: () => undefined });
  expect(refusal(digest).headers.getAll('WWW-Authenticate')).toEqual([
    expect.stringMatching(/^Digest realm="r", nonce="[\w-]{40}", algorithm=MD5, qop="auth"$/),
  ]);
});

test('stored HA1: good for its own hash only', async () => {
  const secret: DigestSecret = { ha1: { MD5: digestHa1('MD5', 'bob', 'biloxi.com', 'zanzibar') } };
  const md5 = server({ algorithms: ['MD5'], findSecret: () => Promise.resolve(secret) });
  const asked = request();
  client().answer(asked, refusal(md5));
  expect((await md5.verify(asked)).kind).toBe('proven');
  const sha = server({ algorithms: ['SHA-256'], findSecret: () => secret });
  const other = request();
  client().answer(other, refusal(sha));
  expect(await sha.verify(other)).toMatchObject({ kind: 'refused', cause: 'algorithm' });
  expect(await md5.verify(other)).toMatchObject({ kind: 'refused', cause: 'algorithm' });
});

test('remembered nonces are bounded; those forgotten are stale, never fresh again', async () => {
  const digest = server({ maxNonces: 10 });
  const asked = [];
  for (let i = 0; i < 30; i++) {
    clock.advance(1);
    const one = request();
    client().answer(one, refusal(digest));
    asked.push(one);
    expect((await digest.verify(one)).kind).toBe('proven');
    expect(digest.nonceCount).toBeLessThanOrEqual(10);
  }
  for (const one of asked) expect(await digest.verify(one)).toEqual({ kind: 'unproven', isStale: true });
  for (let i = 0; i < 1_000; i++) refusal(digest);
  expect(digest.nonceCount).toBeLessThanOrEqual(10);
});

test('nonces never repeat, and names that need quoting come through', async () => {
  const digest = server({ findSecret: (name) => (name === 'b"o\\b ä' ? { password: 'p' } : undefined) });
  const nonces = Array.from({ length: 100 }, () =>
    refusal(digest).headers.auth('WWW-Authenticate')[0]?.params.get('nonce'),
  );
  expect(new Set(nonces).size).toBe(100);
  const asked = request();
  client('p', 'b"o\\b ä').answer(asked, refusal(digest));
  expect((await digest.verify(asked)).kind).toBe('proven');
});

test('a client that holds the hash of one algorithm alone answers the challenge of that one', async () => {
  const digest = server();
  const secret: DigestSecret = { ha1: { MD5: digestHa1('MD5', 'bob', 'biloxi.com', 'zanzibar') } };
  const own = new DigestClient({ credentialsFor: () => ({ username: 'bob', ...secret }) });
  const asked = request();
  expect(own.answer(asked, refusal(digest))).toBe('answered');
  expect(lineOf(asked)).toContain('algorithm=MD5');
  expect(await digest.verify(asked)).toMatchObject({ kind: 'proven', algorithm: 'MD5' });
  const strict = server({ algorithms: ['SHA-256'] });
  expect(own.answer(request(), refusal(strict))).toBe('unsupported');
});
