import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { RawEvents } from '../kit/raw-events.ts';
import { until } from '../kit/wait.ts';
import { MAX_WAITING_CALLS } from '../../packages/server/src/protocols/chat-api/limits.ts';

const PAUSE_AT = 16 * 1_024;
const STUCK_MS = 700;
/** Megabytes go through the whole server here, on a machine that may be busy. */
const PATIENCE_MS = 30_000;
vi.setConfig({ testTimeout: 90_000 });

let world: ChatApiWorld;
beforeAll(async () => {
  world = await ChatApiWorld.start({
    limits: { retryMs: 10, keepAliveMs: 50, pauseAtBytes: PAUSE_AT, stuckReaderMs: STUCK_MS },
    loginRates: { perAccount: { burst: 3, refillMs: 60_000 }, perAddress: { burst: 1_000, refillMs: 1 } },
  });
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

/** Sends so many messages of a size, four at a time. */
async function flood(from: ChatApiClient, to: string, count: number, size: number): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < count; i += 4) await from.say(to, `${i} ${'x'.repeat(size)}`);
  };
  await Promise.all([0, 1, 2, 3].map(lane));
}

const seqsOf = (text: string): readonly number[] => [...text.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq));

test('a reader that stops reading costs no memory, and misses nothing', async () => {
  await using own = await ChatApiWorld.start({ limits: { pauseAtBytes: PAUSE_AT } });
  const alice = await ChatApiClient.signIn(own.url, 'alice');
  const bob = await ChatApiClient.signIn(own.url, 'bob');
  await using quick = await bob.events();
  await using slow = await RawEvents.open(own.port, '/sse/bob', { authorization: bob.authorization });
  await until(() => slow.text.includes('retry:'));
  slow.pause();
  const size = 25_000;
  let count = 0;
  const held: number[] = [];
  // First what the system takes for a peer that doesn't read, then what we would have to hold ourselves.
  for (let more = 100; more > 0;) {
    await flood(alice, 'bob', 10, size);
    count += 10;
    held.push(own.chatApi.figures().waitingBytes);
    if (Math.max(...held) >= PAUSE_AT) more -= 10;
  }
  // One frame may go over the mark.
  expect(Math.max(...held)).toBeLessThan(PAUSE_AT + 2 * size);
  await until(() => quick.bodies.length === count, 'the quick reader has everything', PATIENCE_MS);
  slow.resume();
  await until(
    () => slow.text.length > count * size && seqsOf(slow.body).length === count,
    'the slow reader catches up',
    PATIENCE_MS,
  );
  expect(seqsOf(slow.body)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  expect([own.seen.filter((what) => what.startsWith('slow')), own.troubles]).toEqual([[], []]);
});

test('presence is coalesced for a slow reader, newest wins; a volatile message is refused', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const dora = await ChatApiClient.signIn(world.url, 'dora');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await dora.ask('POST', '/chat/contacts/bob');
  await using slow = await RawEvents.open(world.port, '/sse/dora', { authorization: dora.authorization });
  await until(() => slow.text.includes('chatapi.presence'));
  slow.pause();
  const refusals: number[] = [];
  await until(
    async () => {
      const answer = await alice.ask('POST', '/chat/messages/dora', 'x'.repeat(29_000));
      if (answer.status !== 200) refusals.push(answer.status);
      return refusals.length > 0;
    },
    'a refusal',
    PATIENCE_MS,
  );
  expect(refusals).toEqual([400]);
  for (let i = 0; i < 50; i++) await bob.ask('POST', `/chat/presence?show=away&status=s${i}`);
  slow.resume();
  await until(() => slow.body.includes('"status":"s49"'));
  expect([...slow.body.matchAll(/"status":"s\d+"/g)].length).toBeLessThan(25);
});

test('a reader that takes nothing at all is cut off and comes back', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const carol = await ChatApiClient.signIn(world.url, 'carol');
  await using stuck = await RawEvents.open(world.port, '/sse/carol', { authorization: carol.authorization });
  await until(() => stuck.text.includes('retry:'));
  stuck.pause();
  let count = 0;
  await until(
    async () => {
      if (world.chatApi.figures().waitingBytes === 0) {
        await flood(alice, 'carol', 10, 25_000);
        count += 10;
      }
      return world.seen.includes('slow carol');
    },
    'cut off',
    PATIENCE_MS,
  );
  await until(() => world.chatApi.figures().eventStreams === 0);
  expect(world.chatApi.figures().waitingBytes).toBe(0);
  stuck.resume();
  await until(() => stuck.isClosed);
  // As clients do: what has no blank line behind it has not come.
  const whole = stuck.body.split('\n\n').slice(0, -1).join('\n\n');
  const had = seqsOf(whole);
  expect(had.length).toBeLessThan(count);
  const at = [...whole.matchAll(/^id: (\S+)$/gm)].at(-1)![1]!;
  await using again = await carol.events({ lastEventId: at });
  await until(() => again.of('chat').length + had.length >= count, 'the rest', PATIENCE_MS);
  expect([...had, ...again.of('chat').map(({ data }) => data.seq)]).toEqual(
    Array.from({ length: count }, (_, i) => i + 1),
  );
});

test('wrong passwords: 401, then 429 with a time to wait, for that account only', async () => {
  const wrong = new ChatApiClient(world.url, 'carol', { password: 'guess' });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await wrong.ask('GET', '/chat/contacts')).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  const refused = await fetch(`${world.url}/sse/carol`, { headers: { authorization: wrong.authorization } });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(10);
  expect((await new ChatApiClient(world.url, 'bob').ask('GET', '/chat/contacts')).status).toBe(200);
  const secret = new ChatApiClient(world.url, '', { authorization: 'no-secret' });
  const tries: number[] = [];
  for (let i = 0; i < 4; i++) tries.push((await secret.ask('GET', '/chat/users')).status);
  expect(tries).toEqual([401, 401, 401, 429]);

  // Forged tokens are counted too, and don't keep out who has a right one.
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  const byToken = (token: string): Promise<number> =>
    bob.ask('GET', '/chat/contacts', undefined, { authorization: `Bearer ${token}` }).then(({ status }) => status);
  const forged: number[] = [];
  for (let i = 0; i < 4; i++) forged.push(await byToken(`${bob.token}x`));
  expect(forged).toEqual([401, 401, 401, 429]);
  expect(await byToken(bob.token)).toBe(200);
});

test.each([
  ['password', 'POST', '/chat/alice/login', 'x'.repeat(1_025), {}, 413],
  ['small body', 'POST', '/chat/contacts/bob', ' '.repeat(8 * 1_024 + 1), {}, 413],
  ['message', 'POST', '/chat/messages/bob', 'x'.repeat(256 * 1_024 + 1), {}, 413],
  ['text', 'POST', '/chat/messages/bob', 'x'.repeat(30_001), {}, 413],
  ['nesting', 'POST', '/chat/messages/bob', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, {}, 400],
  ['key', 'POST', '/chat/messages/bob', 'hello', { 'idempotency-key': 'k'.repeat(201) }, 400],
  ['parameter', 'GET', `/chat/users?search=${'x'.repeat(513)}`, undefined, {}, 400],
  ['groups', 'POST', '/chat/contacts/bob', { groups: Array(51).fill('g') }, {}, 400],
  ['group', 'POST', '/chat/contacts/bob', { groups: ['g'.repeat(129)] }, {}, 400],
  ['nickname', 'POST', '/chat/contacts/bob', { nickname: 'n'.repeat(129) }, {}, 400],
] as const)('too much in one request: %s', async (_what, method, path, body, headers, status) => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const before = world.seen.length;
  expect((await alice.ask(method, path, body, headers)).status).toBe(status);
  expect(world.seen.slice(before).some((what) => /^limit .*too-large/.test(what))).toBe(status === 413);
});

test('calls that wait for a slow reader are bounded: it comes back for a snapshot', async () => {
  await using own = await ChatApiWorld.start({ limits: { pauseAtBytes: PAUSE_AT } });
  const alice = await ChatApiClient.signIn(own.url, 'alice');
  const bob = await ChatApiClient.signIn(own.url, 'bob');
  await using slow = await RawEvents.open(own.port, '/sse/bob', { authorization: bob.authorization });
  await until(() => slow.text.includes('retry:'));
  slow.pause();
  let calls = 0;
  await until(
    async () => {
      // What the system still takes lets the calls through as well.
      if (own.chatApi.figures().waitingBytes < PAUSE_AT) await flood(alice, 'bob', 10, 25_000);
      for (const last = calls + 50; calls < last; calls++)
        for (const state of ['ringing', 'ended'] as const)
          own.engine.report({ ref: `r${calls}`, number: '202', peer: '1', state });
      return own.seen.includes('slow bob');
    },
    'cut off',
    PATIENCE_MS,
  );
  expect(calls).toBeGreaterThan(MAX_WAITING_CALLS);
});
