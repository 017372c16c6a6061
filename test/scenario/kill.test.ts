import { expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

/** Messages in flight of each sender. */
const WINDOW = 8;

test('kill -9: whatever was acknowledged on any surface is in the history, once', { timeout: 120_000 }, async () => {
  await using server = await ServerProcess.start();
  const acknowledged = new Map<string, string>();
  let isOver = false;

  /** Keeps a window of messages going until the server is gone; `send` resolves with the id of the acknowledged message. */
  function keepSending(name: string, send: (text: string) => Promise<string>): Promise<unknown> {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (!isOver) {
        const text = `${name} ${next++}`;
        const id = await send(text).catch(() => null);
        if (id === null) return;
        acknowledged.set(id, text);
      }
    };
    return Promise.all(Array.from({ length: WINDOW }, lane));
  }

  const alice = await ChatApiClient.signIn(server.url, 'alice');
  const rest = keepSending('rest', (text) => alice.say('bob', text));
  const page = await StompApp.signIn(server.port, 'alice');
  const stomp = keepSending('stomp', async (text) => {
    const { id } = await page.send('/tapi/message', { to: 'bob', body: text });
    return id ?? '';
  });
  const app = await PbxApp.signIn(server.port, { sip: 'alice' });
  await app.register({ hw: 'chat-alice' });
  await app.callChat(1, 'bob');
  const results = new Map<string, (id: string) => void>();
  app.socket.on('message', (data) => {
    const result = /"idem":"([^"]+)","id":"([^"]+)"/.exec(Buffer.isBuffer(data) ? data.toString() : '');
    if (result !== null) results.get(result[1] ?? '')?.(result[2] ?? '');
  });
  const pbx = keepSending('pbx', (text) => {
    app.say(1, text, { idem: text });
    return new Promise((resolve, reject) => {
      results.set(text, resolve);
      app.socket.once('close', reject);
    });
  });
  app.socket.setMaxListeners(0);

  const enough = (name: string): boolean => [...acknowledged.values()].filter((t) => t.startsWith(name)).length >= 200;
  await until(() => ['rest', 'stomp', 'pbx'].every(enough), '200 messages of each', 60_000);
  await server.stop('SIGKILL');
  isOver = true;
  page.drop();
  await Promise.race([Promise.all([rest, pbx]), stomp]);
  const before = new Map(acknowledged);

  await server.start();
  const again = await ChatApiClient.signIn(server.url, 'alice');
  const stored = new Map<string, string>();
  let copies = 0;
  for (let end = ''; ;) {
    const page = await again.history(`/chat/messages?to=bob&max=500${end === '' ? '' : `&before=${end}`}`);
    for (const message of page) {
      copies += stored.has(message.messageID ?? message.id) ? 1 : 0;
      stored.set(message.messageID ?? message.id, message.body);
    }
    const [oldest] = page;
    const id: string = oldest?.messageID ?? oldest?.id ?? '';
    if (page.length < 500 || id === end) break;
    end = id;
  }
  const lost = [...before].filter(([id, text]) => stored.get(id) !== text);
  expect(lost).toEqual([]);
  expect(copies).toBe(0);
  expect(before.size).toBeGreaterThanOrEqual(600);
});

test('kill -9: a call that was live is recorded as lost at the next start', { timeout: 60_000 }, async () => {
  await using server = await ServerProcess.start();
  const alice = await ChatApiClient.signIn(server.url, 'alice');
  const bob = await ChatApiClient.signIn(server.url, 'bob');
  await using hers = await alice.events();
  await using his = await bob.events();
  await until(async () => (await (await fetch(`${server.url}/healthz`)).json()).phones === 2, 'both to listen');
  await alice.ask('POST', '/chat/calls', { to: '202' });
  const { data } = await his.take(({ event }) => event === 'call');
  await bob.ask('POST', `/chat/calls/${data['call_id']}/answer`);
  await hers.take(({ data: { state } }) => state === 'ACTIVE');
  // Stored after what the call has left there.
  await alice.say('bob', 'still there?');
  await server.stop('SIGKILL');
  await server.start();
  for (const name of ['alice', 'bob']) {
    const again = await ChatApiClient.signIn(server.url, name);
    const { json } = await again.ask('GET', '/chat/calls/history');
    expect(json['call']).toMatchObject([{ reason: 'lost' }]);
    expect((await again.ask('GET', '/chat/calls')).json['call']).toEqual([]);
  }
});
