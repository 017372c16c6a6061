import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../../test/fake-clock.ts';
import { DigestClient, DigestServer } from '../digest/index.ts';
import { MemoryLocation, isReachable, routeOf } from '../location/index.ts';
import type { Binding } from '../location/index.ts';
import { Headers, makeRequest, parseUri } from '../messages/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import type { Connection, Flow } from '../transport/port.ts';
import { INVALID } from '../../test/torture/rfc4475-invalid.ts';
import { VALID } from '../../test/torture/rfc4475-valid.ts';
import { parseMessage } from '../messages/index.ts';
import { FlowTokens } from './flow-token.ts';
import { Registrar } from './registrar.ts';
import type { RegistrarOptions } from './registrar.ts';

const UDP: Flow = {
  protocol: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '192.0.2.9', port: 40000 },
};
const BOB = 'sip:bob@biloxi.com';

class FakeConnection implements Connection {
  readonly id: string;
  isOpen = true;
  readonly #listeners = new Set<() => void>();
  constructor(id: string) {
    this.id = id;
  }
  get listenerCount(): number {
    return this.#listeners.size;
  }
  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): void {
    this.isOpen = false;
    for (const listener of this.#listeners) listener();
  }
  get flow(): Flow {
    return { ...UDP, protocol: 'tcp', connection: this };
  }
}

let clock: FakeClock;
let location: MemoryLocation;
let registrar: Registrar;
let opened: Registrar | undefined;
let changes: string[];
let cseq = 0;

function open(options: Partial<RegistrarOptions> = {}, maxBindings?: number): Registrar {
  opened?.close();
  const now = (): number => clock.now();
  location = new MemoryLocation({ now, ...(maxBindings === undefined ? {} : { maxBindings }) });
  changes = [];
  registrar = new Registrar({
    location,
    clock,
    now,
    onChange: (aor, bindings, cause) => changes.push(`${cause} ${aor} ${bindings.length}`),
    ...options,
  });
  opened = registrar;
  return registrar;
}
beforeEach(() => {
  opened = undefined;
  clock = new FakeClock();
  open();
});
afterEach(() => {
  registrar.close();
  expect(clock.size).toBe(0);
});

interface Asked {
  readonly contacts?: readonly string[];
  readonly more?: readonly (readonly [string, string])[];
  readonly vias?: number;
  readonly callId?: string;
  readonly cseq?: number;
  readonly to?: string;
  readonly method?: string;
}

function register({
  contacts = [],
  more = [],
  vias = 1,
  callId = 'call',
  to = `<${BOB}>`,
  method = 'REGISTER',
  ...rest
}: Asked = {}): SipRequest {
  const headers = new Headers();
  for (let i = 0; i < vias; i++) headers.add('Via', `SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK${i}`);
  headers.add('From', `<${BOB}>;tag=1`);
  headers.add('To', to);
  headers.add('Call-ID', callId);
  headers.add('CSeq', `${rest.cseq ?? (cseq += 1)} ${method}`);
  for (const contact of contacts) headers.add('Contact', contact);
  for (const [name, value] of more) headers.add(name, value);
  return makeRequest({ method, uri: parseUri('sip:biloxi.com'), headers });
}

const ask = (asked: Asked, flow = UDP): Promise<SipResponse> => registrar.handle(register(asked), flow);
const bound = async (): Promise<string[]> => (await registrar.find(BOB)).map((binding) => binding.contact);
const contactsOf = (response: SipResponse): string[] => response.headers.getAll('Contact');

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

describe('flows: RFC 3327, RFC 5626', () => {
  test('trap 2: a phone on a connection is reached over it, and gone with it', async () => {
    const connection = new FakeConnection('c1');
    for (let i = 0; i < 3; i++) await ask({ contacts: ['<sip:bob@10.0.0.1:33333;transport=tcp>'] }, connection.flow);
    await ask({ contacts: ['<sip:bob@192.0.2.9>'], callId: 'desk' });
    expect(connection.listenerCount).toBe(1);
    const [one] = (await registrar.find(BOB)).filter((binding) => binding.contact.includes('33333'));
    expect(routeOf(one as Binding).flow?.connection).toBe(connection);
    connection.close();
    expect(isReachable(one as Binding)).toBe(false);
    expect(await bound()).toEqual(['sip:bob@192.0.2.9']);
    await settle();
    expect(location.size).toBe(1);
    expect(changes.at(-1)).toBe(`connection ${BOB} 1`);
  });

  test('a location that is slow to forget does not lead to a dead connection', async () => {
    const slow = new MemoryLocation({ now: () => clock.now() });
    slow.dropConnection = () => Promise.resolve([]);
    open({ location: slow });
    const connection = new FakeConnection('c1');
    await ask({ contacts: ['<sip:bob@10.0.0.1;transport=tcp>'] }, connection.flow);
    connection.close();
    expect(slow.size).toBe(1);
    expect(await bound()).toEqual([]);
  });

  test('a connection that ended while its REGISTER was looked at leaves nothing', async () => {
    const connection = new FakeConnection('c1');
    connection.close();
    await ask({ contacts: ['<sip:bob@10.0.0.1;transport=tcp>'] }, connection.flow);
    await settle();
    expect(location.size).toBe(0);
  });

  test('by UDP the way back is the address it came from, whatever Contact says', async () => {
    await ask({ contacts: ['<sip:bob@10.0.0.1:5062>'] });
    const [binding] = await registrar.find(BOB);
    expect(routeOf(binding as Binding).flow?.remote).toEqual(UDP.remote);
  });

  test('Path is kept, answered and used; then there is no flow of our own', async () => {
    const response = await ask({
      contacts: ['<sip:bob@10.0.0.1>'],
      more: [
        ['Supported', 'path'],
        ['Path', '<sip:p1;lr>, <sip:tok@p2;lr;ob>'],
      ],
      vias: 2,
    });
    expect(response.headers.list('Path')).toEqual(['<sip:p1;lr>', '<sip:tok@p2;lr;ob>']);
    const [binding] = await registrar.find(BOB);
    const route = routeOf(binding as Binding);
    expect([route.flow, route.route.map(String), String(route.requestUri)]).toEqual([
      undefined,
      ['<sip:p1;lr>', '<sip:tok@p2;lr;ob>'],
      'sip:bob@10.0.0.1',
    ]);
  });

  test('RFC 3608: the way out is told', async () => {
    open({ serviceRoute: ['<sip:out1;lr>', '<sip:out2;lr>'] });
    const response = await ask({ contacts: ['<sip:a@b>'] });
    expect(response.headers.serviceRoute.map(String)).toEqual(['<sip:out1;lr>', '<sip:out2;lr>']);
  });

  test('RFC 5626 6: a flow of a device is replaced by its reg-id, two flows stand side by side', async () => {
    open({ flowTimerS: 90 });
    const flowOf = (n: number, regId: number): Asked => ({
      contacts: [`<sip:bob@10.0.0.${n}>;+sip.instance="<urn:uuid:1>";reg-id=${regId}`],
      more: [['Supported', 'path, outbound']],
      callId: `call${n}`,
    });
    const response = await ask(flowOf(1, 1));
    expect([response.headers.get('Require'), response.headers.get('Flow-Timer')]).toEqual(['outbound', '90']);
    expect(contactsOf(response)[0]).toContain('+sip.instance="<urn:uuid:1>";reg-id=1');
    await ask(flowOf(2, 2));
    expect(await bound()).toHaveLength(2);
    await ask(flowOf(3, 1));
    expect((await bound()).toSorted()).toEqual(['sip:bob@10.0.0.2', 'sip:bob@10.0.0.3']);
    // Behind a proxy that supports it.
    expect(
      (
        await ask({
          ...flowOf(4, 2),
          vias: 2,
          more: [
            ['Supported', 'path, outbound'],
            ['Path', '<sip:t@edge;lr;ob>'],
          ],
        })
      ).status,
    ).toBe(200);
    // Without support it is an ordinary contact.
    const plain = await ask({ ...flowOf(5, 1), more: [] });
    expect(plain.headers.has('Require')).toBe(false);
    expect(await bound()).toHaveLength(3);
  });

  test('flow tokens (RFC 5626 5.2): not made up, not outliving their connection', () => {
    const connection = new FakeConnection('abc-1');
    const tokens = new FlowTokens({
      flowOf: (id) => (id === 'abc-1' && connection.isOpen ? connection.flow : undefined),
    });
    const token = tokens.write(connection.flow);
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(tokens.read(token)?.connection).toBe(connection);
    expect(tokens.read(tokens.write(UDP))).toEqual(UDP);
    for (const bad of ['', 'AAAA', `${token}A`, token.slice(1), tokens.write(UDP).replace(/.$/, 'x')])
      expect(tokens.read(bad), bad).toBeUndefined();
    expect(new FlowTokens({ flowOf: () => connection.flow }).read(token)).toBeUndefined();
    connection.close();
    expect(tokens.read(token)).toBeUndefined();
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
