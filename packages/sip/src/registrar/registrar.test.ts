import { describe, expect, test } from 'vitest';
import { settle } from '../../test/fake-clock.ts';
import {
  BOB,
  UDP,
  ask,
  bound,
  changes,
  clock,
  contactsOf,
  location,
  open,
  register,
  registrar,
} from '../../test/registrar-stand.ts';
import type { Asked } from '../../test/registrar-stand.ts';
import { INVALID } from '../../test/torture/rfc4475-invalid.ts';
import { VALID } from '../../test/torture/rfc4475-valid.ts';
import { DigestClient, DigestServer } from '../digest/index.ts';
import { parseMessage } from '../messages/index.ts';
import type { SipResponse } from '../messages/index.ts';
import { DEFAULT_POLICY } from './policy.ts';
import type { Registrar, RegistrarOptions } from './registrar.ts';

describe('RFC 3261 10.3', () => {
  test('binds, asks, refreshes and unbinds', async () => {
    const first = await ask({ contacts: ['"Bob" <sip:bob@192.0.2.9:5062;transport=udp>;q=0.7;methods="INVITE"'] });
    expect(first.status).toBe(200);
    expect(first.headers.to?.tag).toMatch(/^\S{12}$/);
    expect(contactsOf(first)).toEqual(['<sip:bob@192.0.2.9:5062;transport=udp>;methods="INVITE";q=0.7;expires=3600']);
    clock.advance(100_000);
    expect(contactsOf(await ask({}))[0]).toContain('expires=3500');
    expect(contactsOf(await ask({ contacts: ['<sip:bob@192.0.2.9:5062;transport=udp>;expires=120'] }))[0]).toContain(
      'expires=120',
    );
    expect(await bound()).toEqual(['sip:bob@192.0.2.9:5062;transport=udp']);
    expect((await ask({ contacts: ['<sip:bob@192.0.2.9:5062;transport=udp>;expires=0'] })).status).toBe(200);
    expect(await bound()).toEqual([]);
    expect(location.size).toBe(0);
  });

  test.each<[string, Asked, number, string?]>([
    ['no REGISTER', { method: 'OPTIONS' }, 405, 'Allow'],
    ['an unknown extension', { more: [['Require', 'path, 100rel, x']] }, 420, 'Unsupported'],
    ['a To that is no SIP address', { to: '<tel:+1>' }, 404],
    ['a broken Contact', { contacts: ['<sip:x'] }, 400],
    ['a Contact that is no URI', { contacts: ['<%>'] }, 400],
    ['a bad q', { contacts: ['<sip:a@b>;q=1.1'] }, 400],
    ['a time too short', { contacts: ['<sip:a@b>;expires=59'] }, 423, 'Min-Expires'],
    ['a time too short in the header', { contacts: ['<sip:a@b>'], more: [['Expires', '1']] }, 423, 'Min-Expires'],
    ['a star with a time', { contacts: ['*'], more: [['Expires', '60']] }, 400],
    ['a star without a time', { contacts: ['*'] }, 400],
    ['a star among others', { contacts: ['*', '<sip:a@b>'], more: [['Expires', '0']] }, 400],
    [
      'several reg-ids',
      {
        contacts: ['<sip:a@b>;+sip.instance="<u>";reg-id=1', '<sip:a@c>;+sip.instance="<u>";reg-id=2'],
        more: [['Supported', 'outbound']],
      },
      400,
    ],
    ['a bad reg-id', { contacts: ['<sip:a@b>;+sip.instance="<u>";reg-id=0'], more: [['Supported', 'outbound']] }, 400],
    [
      'a first hop without outbound',
      {
        contacts: ['<sip:a@b>;+sip.instance="<u>";reg-id=1'],
        more: [
          ['Supported', 'outbound, path'],
          ['Path', '<sip:p;lr>'],
        ],
        vias: 2,
      },
      439,
    ],
    ['too large', { contacts: [`<sip:${'a'.repeat(1500)}@b>;x="${'y'.repeat(3000)}"`] }, 413],
  ])('%s: nothing is bound', async (_name, asked, status, header) => {
    const response = await ask(asked);
    expect(response.status).toBe(status);
    if (header !== undefined) expect(response.headers.has(header)).toBe(true);
    expect(location.size).toBe(0);
    expect(changes).toEqual([]);
  });

  test.each<[string, Asked, number]>([
    ["the contact's own time goes first", { contacts: ['<sip:a@b>;expires=100'], more: [['Expires', '200']] }, 100],
    ['else the header', { contacts: ['<sip:a@b>'], more: [['Expires', '200']] }, 200],
    ['else an hour', { contacts: ['<sip:a@b>'] }, 3600],
    ['what can not be read is an hour', { contacts: ['<sip:a@b>;expires=soon'] }, 3600],
    ['the same in the header', { contacts: ['<sip:a@b>'], more: [['Expires', 'soon']] }, 3600],
    ['more than we grant', { contacts: ['<sip:a@b>;expires=99999'] }, 3600],
  ])('times: %s', async (_name, asked, expected) => {
    expect(contactsOf(await ask(asked))[0]).toContain(`expires=${expected}`);
  });

  test('several contacts in one: all or nothing, best first', async () => {
    expect((await ask({ contacts: ['<sip:a@1>;q=0.1', '<sip:a@2>;q=0.9, <sip:a@3>'] })).status).toBe(200);
    expect(await bound()).toEqual(['sip:a@3', 'sip:a@2', 'sip:a@1']);
    expect((await ask({ contacts: ['<sip:a@4>', '<sip:a@5>;expires=5'] })).status).toBe(423);
    expect(await bound()).toHaveLength(3);
  });

  test('an equivalent Contact is the same binding (19.1.4), another one is not', async () => {
    await ask({ contacts: ['<sip:%61@HOST;lr>'] });
    await ask({ contacts: ['<sip:a@host>'], callId: 'other' });
    expect(await bound()).toEqual(['sip:a@host']);
    await ask({ contacts: ['<sip:a@host:5060>'], callId: 'other' });
    expect(await bound()).toHaveLength(2);
  });

  test('step 7: a CSeq from the past is refused, with another Call-ID it is a restarted phone', async () => {
    await ask({ contacts: ['<sip:a@b>'], cseq: 10 });
    expect((await ask({ contacts: ['<sip:a@b>;expires=0'], cseq: 10 })).status).toBe(500);
    expect((await ask({ contacts: ['*'], more: [['Expires', '0']], cseq: 9 })).status).toBe(500);
    expect(await bound()).toHaveLength(1);
    expect((await ask({ contacts: ['<sip:a@b>;expires=0'], cseq: 1, callId: 'new' })).status).toBe(200);
    expect(await bound()).toHaveLength(0);
  });

  test('the star unbinds all', async () => {
    await ask({ contacts: ['<sip:a@1>', '<sip:a@2>'] });
    const response = await ask({ contacts: ['*'], more: [['Expires', '0']] });
    expect([response.status, contactsOf(response)]).toEqual([200, []]);
    expect(location.size).toBe(0);
  });

  test('what is over is not found, is cleared away and told', async () => {
    await ask({ contacts: ['<sip:a@1>;expires=60', '<sip:a@2>;expires=90'] });
    clock.advance(60_000);
    expect(await bound()).toEqual(['sip:a@2']);
    clock.advance(5_000);
    await settle();
    expect(location.size).toBe(1);
    clock.advance(60_000);
    await settle();
    expect(location.size).toBe(0);
    expect(changes).toEqual([`register ${BOB} 2`, `expiry ${BOB} 1`, `expiry ${BOB} 0`]);
  });
});

describe('bounds', () => {
  test('bindings of one address; refreshing goes on', async () => {
    open({ policy: { maxBindingsPerAor: 3 } });
    for (let i = 0; i < 3; i++) expect((await ask({ contacts: [`<sip:a@${i}>`] })).status).toBe(200);
    expect((await ask({ contacts: ['<sip:a@9>'] })).status).toBe(403);
    expect((await ask({ contacts: ['<sip:a@1>'] })).status).toBe(200);
    expect(await bound()).toHaveLength(3);
  });

  test('a binding that is too large: 413', async () => {
    expect((await ask({ contacts: [`<sip:a@b>;x=${'x'.repeat(DEFAULT_POLICY.maxBindingBytes)}`] })).status).toBe(413);
  });

  test('bindings in all: 503, and room again after an end', async () => {
    open({}, 2);
    expect((await ask({ contacts: ['<sip:a@1>', '<sip:a@2>'] })).status).toBe(200);
    const full = await ask({ contacts: ['<sip:c@1>'], to: '<sip:carol@biloxi.com>' });
    expect([full.status, full.headers.retryAfter]).toEqual([503, 30]);
    await ask({ contacts: ['<sip:a@1>;expires=0'] });
    expect((await ask({ contacts: ['<sip:c@1>'], to: '<sip:carol@biloxi.com>' })).status).toBe(200);
  });

  test('what is kept does not hold the message that it came in', async () => {
    await ask({ contacts: ['<sip:a@b>'], more: [['User-Agent', 'x'.repeat(5_000)]] });
    expect((await registrar.find(BOB))[0]?.userAgent).toHaveLength(128);
  });
});

describe('who may', () => {
  const secure = (more: Partial<RegistrarOptions> = {}): Registrar =>
    open({
      digest: new DigestServer({
        realm: 'biloxi.com',
        clock,
        findSecret: (name) => (name === 'bob' ? { password: 'x' } : undefined),
      }),
      ...more,
    });
  const client = (username = 'bob', password = 'x'): DigestClient =>
    new DigestClient({ credentialsFor: () => ({ username, password }) });

  async function login(own: DigestClient, asked: Asked = {}): Promise<SipResponse> {
    const request = register({ contacts: ['<sip:bob@192.0.2.9>'], ...asked });
    const challenge = await registrar.handle(request, UDP);
    expect([challenge.status, challenge.headers.getAll('WWW-Authenticate').length]).toEqual([401, 1]);
    expect(own.answer(request, challenge)).toBe('answered');
    return registrar.handle(request, UDP);
  }

  test('with digest: challenged, then bound, with Authentication-Info', async () => {
    secure();
    const response = await login(client());
    expect([response.status, response.headers.has('Authentication-Info')]).toEqual([200, true]);
    expect(await bound()).toHaveLength(1);
  });

  test("a wrong password is told and challenged anew; another one's address is 403", async () => {
    const refused: string[] = [];
    secure({ onRefused: (username, _flow, cause) => refused.push(`${username} ${cause}`) });
    expect((await login(client('bob', 'y'))).status).toBe(401);
    expect((await login(client('eve'))).status).toBe(401);
    expect(refused).toEqual(['bob wrong-response', 'eve unknown-user']);
    expect((await login(client(), { to: '<sip:alice@biloxi.com>' })).status).toBe(403);
    expect((await login(client(), { to: '<sip:bob2@biloxi.com>' })).status).toBe(403);
    expect(location.size).toBe(0);
  });

  test("addresses and rights may be the caller's own", async () => {
    secure({
      aorOf: (to) => (to.user === '201' ? BOB : undefined),
      mayRegister: async (name, aor) => name === 'bob' && aor === BOB,
    });
    expect((await login(client(), { to: '<sip:201@biloxi.com>' })).status).toBe(200);
    expect((await login(client(), { to: '<sip:202@biloxi.com>' })).status).toBe(404);
    expect(await bound()).toHaveLength(1);
  });

  test('malformed credentials are 400', async () => {
    secure();
    expect((await ask({ more: [['Authorization', 'Digest username="bob"']] })).status).toBe(401);
    expect((await ask({ more: [['Authorization', 'Digest username="bob", realm="biloxi.com"']] })).status).toBe(400);
  });
});

test('a failing location is told, and a 500; in the background too', async () => {
  const failing = new Error('disk');
  const errors: unknown[] = [];
  const fail = (): Promise<never> => Promise.reject(failing);
  open({
    location: { find: fail, update: fail, expire: fail, dropConnection: fail, size: 0 },
    onError: (error) => errors.push(error),
  });
  const response = await ask({ contacts: ['<sip:a@b>'] });
  expect([response.status, response.headers.retryAfter]).toEqual([500, 30]);
  clock.advance(5_000);
  await settle();
  expect(errors).toEqual([failing, failing]);
  open({ location: { find: fail, update: fail, expire: async () => [], dropConnection: fail, size: 0 } });
  await expect(ask({ contacts: ['<sip:a@b>'] })).rejects.toBe(failing);
});

test.each<[string, number]>([
  ['escnull', 200],
  ['dblreq', 200],
  ['regbadct', 400],
  ['unksm2', 404],
  ['regaut01', 401],
  ['cparam01', 200],
  ['cparam02', 200],
  ['regescrt', 200],
])('RFC 4475 %s: %i', async (name, status) => {
  const bytes = [...VALID, ...INVALID].find((one) => one.name.startsWith(name))?.bytes ?? Buffer.alloc(0);
  const message = parseMessage(bytes);
  if (message.kind !== 'request') throw new Error('no request');
  if (name === 'regaut01') open({ digest: new DigestServer({ realm: 'x', clock, findSecret: () => undefined }) });
  expect((await registrar.handle(message, UDP)).status).toBe(status);
  const stored = await location.find(
    message.headers.to?.uri && 'aor' in message.headers.to.uri ? message.headers.to.uri.aor : '',
  );
  if (name === 'cparam01')
    expect(stored[0]).toMatchObject({ contact: 'sip:+19725552222@gw1.example.net', params: ';unknownparam' });
  if (name === 'cparam02')
    expect(stored[0]).toMatchObject({ contact: 'sip:+19725552222@gw1.example.net;unknownparam', params: '' });
  if (name === 'escnull') expect(stored).toHaveLength(2);
});
