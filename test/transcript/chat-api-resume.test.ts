import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ChatApiClient, type EventLog } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { CuttingProxy } from '../kit/cutting-proxy.ts';
import { scaled } from '../kit/scale.ts';
import { until } from '../kit/wait.ts';

const MESSAGES = scaled({ verify: 2_000, soak: 20_000 });
/** Requests of the sender under way at a time. */
const WINDOW = 16;
vi.setConfig({ testTimeout: scaled({ verify: 90_000, soak: 600_000 }) });

let world: ChatApiWorld;
beforeAll(async () => {
  world = await ChatApiWorld.start({ limits: { retryMs: 10 } });
});
afterAll(async () => {
  expect(world.troubles).toEqual([]);
  await world[Symbol.asyncDispose]();
});

/** Sends numbered messages, each until it is acknowledged; `each` sees how many were. */
async function sendAll(from: ChatApiClient, to: string, label: string, each: (done: number) => void): Promise<void> {
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < MESSAGES) {
      const number = next++;
      await until(() => sent(from, to, `${label} ${number}`), 'acknowledgement');
      each(++done);
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
}

async function sent(from: ChatApiClient, to: string, text: string): Promise<boolean> {
  try {
    const answer = await from.ask('POST', `/chat/messages/${to}`, text, { 'idempotency-key': text });
    return answer.status === 200;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Everything was told, in the conversation's order; what was told twice had the same id. */
function expectWhole(log: EventLog, label: string, earlier: readonly EventLog[] = []): void {
  const all = [...earlier, log].flatMap((part) => part.of('chat')).map(({ data }) => data);
  const own = all.filter(({ body }) => body.startsWith(`${label} `));
  const seen = new Set<string>();
  const fresh = own.filter(({ id }) => !seen.has(id) && seen.add(id));
  expect(new Set(fresh.map(({ body }) => body)).size).toBe(MESSAGES);
  expect(fresh).toHaveLength(MESSAGES);
  const seqs = fresh.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(seqs.at(-1) - seqs[0]).toBe(MESSAGES - 1);
}

const last = (log: EventLog): number => log.of('chat').length;

test(`a stream of ${MESSAGES} messages is cut again and again: nothing is lost`, async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using proxy = await CuttingProxy.to(world.port);
  await using bobSees = await new ChatApiClient(proxy.url, 'bob').events();
  await sendAll(alice, 'bob', 'cut', (done) => {
    if (done % 97 === 0) proxy.cut();
  });
  await until(() => new Set(bobSees.bodies).size >= MESSAGES, 'everything told', 30_000);
  expectWhole(bobSees, 'cut');
  expect(bobSees.opened).toBeGreaterThan(3);
  expect(bobSees.of('reset')).toEqual([]);
  await bob.ask('POST', '/chat/logoff');
});

test('the server is restarted in the middle: the stream goes on by itself', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  const stream = bob.stream;
  await using bobSees = await bob.events();
  const restarts: Promise<void>[] = [];
  await sendAll(alice, 'bob', 'restart', (done) => {
    if (done === Math.floor(MESSAGES / 2)) restarts.push(world.restart());
  });
  await Promise.all(restarts);
  await until(() => last(bobSees) >= MESSAGES, 'everything told', 30_000);
  expectWhole(bobSees, 'restart');
  expect(bobSees.of('reset', 'end')).toEqual([]);
  // The chat stream is the same, and so is the token.
  expect((await bob.ask('POST', '/chat/bob/login')).text).toBe(stream);
  const page = new ChatApiClient(world.url, 'bob', { authorization: `Bearer ${bob.token}` });
  expect((await page.ask('GET', '/chat/presence')).json).toMatchObject({ show: 'available' });
});

test('a stream that is cut before anything was told loses nothing', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const dave = await ChatApiClient.signIn(world.url, 'admin');
  await using proxy = await CuttingProxy.to(world.port);
  await using log = await new ChatApiClient(proxy.url, 'admin').events();
  await until(() => log.of('ready').length === 1);
  // The network takes what the client never gets: for the server it is told.
  proxy.swallow();
  await alice.say('admin', 'into the void');
  await until(async () => (await dave.history('/chat/messages?keywords=void')).length === 1);
  proxy.cut();
  await until(() => log.bodies.includes('into the void'), 'told again');
});

test('a client that comes back without its position is told what nobody was told', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const carol = await ChatApiClient.signIn(world.url, 'carol');
  {
    await using first = await carol.events();
    await alice.say('carol', 'one');
    await until(() => first.bodies.includes('one'));
  }
  await until(() => world.chatApi.figures().eventStreams === 0, 'the stream is gone');
  await alice.say('carol', 'two');
  await world.restart();
  await using again = await carol.events();
  await until(() => again.bodies.includes('two'));
  expect(again.bodies).toEqual(['two']);
});

test('a position can be carried to another connection, by header and by query', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using whole = await bob.events();
  for (const text of ['p1', 'p2', 'p3', 'p4']) await alice.say('bob', text);
  await until(() => whole.bodies.includes('p4'));
  const at = whole.all.find(({ data }) => data.body === 'p2')!.id;
  await using byHeader = await bob.events({ lastEventId: at });
  await using byQuery = await bob.events({ path: `/sse/bob?lastEventId=${at}` });
  for (const log of [byHeader, byQuery]) {
    await until(() => log.bodies.includes('p4'));
    expect(log.bodies).toEqual(['p3', 'p4']);
  }
});

test('a position that proves nothing: reset, then on from now', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  for (const [id, cause] of [
    ['nonsense', 'unknown'],
    ['otherepoch0000000.3', 'epoch'],
    ['x'.repeat(300), 'unknown'],
  ] as const) {
    await using log = await bob.events({ lastEventId: id });
    const reset = await log.take(({ event }) => event === 'reset');
    expect(reset.data).toEqual({ type: 'reset', reason: 'gap', cause });
    expect(reset.id).toMatch(/^[0-9a-z]+\.\d+$/);
    await alice.say('bob', `after ${cause}`);
    await until(() => log.bodies.includes(`after ${cause}`));
    expect(log.bodies).toEqual([`after ${cause}`]);
  }
});
