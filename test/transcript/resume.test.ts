import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

const COUNT = 2_000;
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.close();
});

interface Seen {
  readonly id: string;
  readonly body: string;
}

/** Writes 2,000 messages from alice to bob, some at a time; `sent` tells how many are stored. */
function talk(sender: ChatApiClient, name: string): { readonly sent: () => number; readonly done: Promise<void> } {
  let sent = 0;
  const run = async (): Promise<void> => {
    for (let i = 0; i < COUNT; i += 8) {
      await Promise.all(
        Array.from({ length: Math.min(8, COUNT - i) }, (_, k) =>
          sender.say('bob', `${name} ${String(i + k).padStart(4, '0')}`),
        ),
      );
      sent += 8;
    }
  };
  return { sent: () => sent, done: run() };
}

/** What the history says: every message of this talk, in its order. */
async function truth(name: string): Promise<readonly Seen[]> {
  const bob = await world.server.core.directory.requireUser({ by: 'name', value: 'bob' });
  const all: Seen[] = [];
  for (let before: Seen['id'] | undefined; ;) {
    const page = await world.server.core.conversations.history(
      { kind: 'server' },
      { user: bob.id, limit: 500, ...(before === undefined ? {} : { before: before as never }) },
    );
    all.push(...page);
    before = page.at(-1)?.id;
    if (page.length < 500) break;
  }
  return all
    .toReversed()
    .filter(({ body }) => body.startsWith(`${name} `))
    .map(({ id, body }) => ({ id, body }));
}

/** Nothing lost, nothing out of order; a repeat is known by its id. */
function expectWhole(seen: readonly Seen[], expected: readonly Seen[]): void {
  const known = new Set<string>();
  const firsts = seen.filter(({ id }) => !known.has(id) && known.add(id));
  expect(firsts.length).toBe(COUNT);
  expect(firsts).toEqual(expected);
}

async function pbxDevice(resume: string): Promise<PbxApp> {
  const app = await PbxApp.signIn(world.port, { sip: 'bob' });
  app.acceptChats();
  expect((await app.register({ hw: 'chat-bob', resume }))['err']).toBeUndefined();
  return app;
}
const pbxSeen = (app: PbxApp): readonly Seen[] =>
  app.texts.filter((t) => t['direction'] !== 'out').map((t) => ({ id: String(t['id']), body: String(t['data']) }));
const pbxPlace = (app: PbxApp): string => {
  const place = app.texts.at(-1)?.['pos'];
  return typeof place === 'string' ? place : '';
};

async function stompPage(resume: string | null): Promise<StompApp> {
  const page = await StompApp.signIn(world.port, 'bob');
  page.subscribe('/user/queue/messages', resume === null ? {} : { resume });
  await page.send('/tapi/stop', '');
  return page;
}
const stompSeen = (page: StompApp): readonly Seen[] =>
  page.messages.map((frame) => ({ id: String(frame.json?.['id']), body: String(frame.json?.['body']) }));
const stompPlace = (page: StompApp): string => page.messages.at(-1)?.headers['position'] ?? '';

test('AppWebsocket: dropped and resumed in the middle', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  let app = await pbxDevice('');
  const { done } = talk(alice, 'pbx');
  const seen: Seen[] = [];
  for (const upTo of [300, 900, 1_400]) {
    await until(() => seen.length + pbxSeen(app).length >= upTo, `${upTo} texts`, 30_000);
    app.socket.terminate();
    const place = pbxPlace(app);
    seen.push(...pbxSeen(app));
    app = await pbxDevice(place);
  }
  await done;
  await until(() => new Set([...seen, ...pbxSeen(app)].map(({ id }) => id)).size >= COUNT, 'all texts', 30_000);
  expectWhole([...seen, ...pbxSeen(app)], await truth('pbx'));
  app.socket.terminate();
});

test('STOMP: dropped and resumed in the middle', async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  let page = await stompPage(null);
  const { done } = talk(alice, 'stomp');
  const seen: Seen[] = [];
  for (const upTo of [300, 900, 1_400]) {
    await until(() => seen.length + stompSeen(page).length >= upTo, `${upTo} messages`, 30_000);
    page.drop();
    seen.push(...stompSeen(page));
    page = await stompPage(stompPlace(page));
  }
  await done;
  await until(() => new Set([...seen, ...stompSeen(page)].map(({ id }) => id)).size >= COUNT, 'all messages', 30_000);
  expectWhole([...seen, ...stompSeen(page)], await truth('stomp'));
  await page.close();
});

test('begun on SSE, gone on with on STOMP, then on AppWebsocket, then on SSE again', { timeout: 90_000 }, async () => {
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  const seen: Seen[] = [];
  const bodies = (log: Awaited<ReturnType<ChatApiClient['events']>>): Seen[] =>
    log
      .of('chat')
      // What earlier plays have left for bob comes too.
      .filter(({ data }) => String(data.body).startsWith('all '))
      .map(({ data }) => ({ id: String(data.id), body: String(data.body) }));

  const first = await bob.events();
  const { done } = talk(alice, 'all');
  await until(() => bodies(first).length >= 500, '500 on SSE', 30_000);
  first.close();
  seen.push(...bodies(first));

  const page = await stompPage(first.lastId);
  await until(() => stompSeen(page).length >= 500, '500 on STOMP', 30_000);
  page.drop();
  seen.push(...stompSeen(page));

  const app = await pbxDevice(stompPlace(page));
  await until(() => pbxSeen(app).length >= 300, '300 on AppWebsocket', 30_000);
  app.socket.terminate();
  seen.push(...pbxSeen(app));

  const last = await bob.events({ lastEventId: pbxPlace(app) });
  await done;
  await until(() => new Set([...seen, ...bodies(last)].map(({ id }) => id)).size >= COUNT, 'all', 30_000);
  last.close();
  expectWhole([...seen, ...bodies(last)], await truth('all'));
});

test('a place of another store is answered with a resync on every surface', async () => {
  await using app = await PbxApp.signIn(world.port, { sip: 'bob' });
  await app.register({ hw: 'chat-bob', resume: 'elsewhere.7' });
  expect(await app.take((m) => m['mt'] === 'Resync')).toMatchObject({ api: 'PbxSignal' });
  await using page = await StompApp.signIn(world.port, 'bob');
  page.subscribe('/user/queue/errors');
  page.subscribe('/user/queue/messages', { resume: 'elsewhere.7' });
  const error = await page.take((frame) => frame.destination === '/user/queue/errors');
  expect(error.json).toMatchObject({ code: 'resync' });
  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using events = await bob.events({ lastEventId: 'elsewhere.7' });
  await events.take(({ event }) => event === 'reset');
});
