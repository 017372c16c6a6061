import { beforeEach, expect, test } from 'vitest';
import { Stage, uriOf } from '../../test/agent-pair.ts';
import type { IncomingRequest, UserAgent } from '../agent/index.ts';
import { DigestClient, DigestServer } from '../digest/index.ts';
import type { Endpoint } from '../transport/index.ts';

let stage: Stage;
let alice: UserAgent;
let server: UserAgent;
let seen: IncomingRequest[];
let respond: (request: IncomingRequest) => void;

function grant(request: IncomingRequest): void {
  request.respond(200, { headers: { Contact: request.request.headers.get('Contact') ?? '' } });
}

beforeEach(() => {
  stage = new Stage();
  alice = stage.agent('alice', { credentials: { username: 'alice', password: 'secret' } });
  server = stage.agent('server', { options: ['outbound', 'path'] });
  seen = [];
  respond = grant;
  server.on('register', (request) => {
    seen.push(request);
    respond(request);
  });
});

const registrar = 'sip:10.0.0.6';

test('registers, refreshes before the end, and leaves', async () => {
  const registration = alice.register(registrar, { expires: 600 });
  const events: string[] = [];
  registration.on('registered', ({ expires }) => events.push(`registered ${expires}`));
  await stage.pass(50);
  const first = seen[0]!.request;
  expect(first.uri.toString()).toBe(registrar);
  expect(first.headers.to?.uriText).toBe(uriOf('alice'));
  expect(first.headers.contact?.uriText).toBe(uriOf('alice') + ':5060');
  await stage.pass(520_000, 1_000);
  expect(seen).toHaveLength(2);
  expect(seen.map((r) => r.request.headers.callId)).toEqual([first.headers.callId, first.headers.callId]);
  expect(seen[1]!.request.headers.cseq?.seq).toBe(2);
  const closed = registration.close();
  await stage.pass(50);
  await closed;
  expect(seen.at(-1)!.request.headers.contact?.params.get('expires')).toBe('0');
  expect(events).toEqual(['registered 600', 'registered 600']);
  await stage.expectNothingLeft();
});

test('423: asks for longer', async () => {
  respond = (request) => {
    if ((request.request.headers.expires ?? 0) < 3_600) request.respond(423, { headers: { 'Min-Expires': 3_600 } });
    else grant(request);
  };
  const registration = alice.register(registrar, { expires: 60 });
  await stage.pass(50);
  expect([registration.state, seen.length]).toEqual(['registered', 2]);
  await Promise.all([registration.close(), stage.pass(50)]);
  await stage.expectNothingLeft();
});

test('a challenge is answered; a wrong password ends it', async () => {
  const digest = new DigestServer({
    realm: 'test',
    findSecret: (name) => ({ password: name === 'alice' ? 'secret' : 'x' }),
  });
  respond = (request) => {
    void digest.verify(request.request).then((verdict) => {
      if (verdict.kind === 'proven') return grant(request);
      request.respond(401, { edit: (response) => digest.challenge(response, verdict) });
    });
  };
  const good = alice.register(registrar);
  await stage.pass(50);
  expect(good.state).toBe('registered');
  const bad = server.register(registrar, {
    digest: new DigestClient({ credentialsFor: () => ({ username: 'alice', password: 'wrong' }) }),
  });
  await stage.pass(50);
  expect(bad.state).toBe('ended');
  await Promise.all([good.close(), stage.pass(100)]);
  await stage.expectNothingLeft();
});

test('backs off while the registrar fails, and comes back', async () => {
  respond = (request) => void request.respond(500);
  const registration = alice.register(registrar, { backoff: { baseMs: 1_000, maxMs: 8_000 } });
  const waits: (number | undefined)[] = [];
  registration.on('failed', ({ retryMs }) => waits.push(retryMs));
  await stage.pass(25_000, 50);
  expect(waits.slice(0, 5)).toEqual([750, 1_500, 3_000, 6_000, 6_000]);
  respond = grant;
  await stage.pass(10_000, 50);
  expect(registration.state).toBe('registered');
  await Promise.all([registration.close(), stage.pass(50)]);
  await stage.expectNothingLeft();
});

test('a dead flow is left at once for a new one', async () => {
  let isAlive = true;
  const prober = {
    probe: (): Promise<Endpoint | undefined> =>
      isAlive ? Promise.resolve(undefined) : Promise.reject(new Error('dead')),
  };
  const registration = alice.register(registrar, {
    expires: 3_600,
    instanceId: 'urn:uuid:00000000-0000-1000-8000-000000000001',
    keepAlive: { prober, intervalMs: 10_000 },
  });
  await stage.pass(50);
  expect(seen[0]!.request.headers.get('Contact')).toContain('+sip.instance="<urn:uuid:');
  await stage.pass(30_000, 500);
  expect(seen).toHaveLength(1);
  isAlive = false;
  await stage.pass(11_000, 500);
  expect(seen.length).toBeGreaterThan(1);
  await Promise.all([registration.close(), stage.pass(50)]);
  await stage.expectNothingLeft();
});

test('closing the agent leaves the registrar', async () => {
  alice.register(registrar);
  await stage.pass(50);
  await Promise.all([alice.close(), stage.pass(100)]);
  expect(seen.at(-1)!.request.headers.expires).toBe(0);
  await stage.expectNothingLeft();
});

test('un-registering while a challenge is being answered: its CSeq number is above all others', async () => {
  const digest = new DigestServer({ realm: 'test', findSecret: () => ({ password: 'secret' }) });
  respond = (request) => {
    if (!request.request.headers.has('Authorization'))
      request.respond(401, { edit: (response) => digest.challenge(response, { kind: 'unproven' }) });
    else if (request.request.headers.expires === 0) grant(request);
  };
  const registration = alice.register(registrar);
  await stage.pass(20);
  expect(seen.map((r) => r.request.headers.cseq?.seq)).toEqual([1, 2]);
  await Promise.all([registration.close(), stage.pass(50)]);
  expect(seen.map((r) => r.request.headers.cseq?.seq)).toEqual([1, 2, 3]);
});

test('a registrar that grants no time is a failure, not a reason to ask at once', async () => {
  respond = (request) => void request.respond(200, { headers: { Expires: 0 } });
  const registration = alice.register(registrar, { backoff: { baseMs: 10_000, maxMs: 20_000 } });
  const codes: string[] = [];
  registration.on('failed', ({ error }) => codes.push(error.code));
  await stage.pass(5_000, 50);
  expect([seen.length, codes, registration.state]).toEqual([1, ['refused'], 'waiting']);
  await registration.close();
  await stage.expectNothingLeft();
});
