import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { CuttingProxy } from '../kit/cutting-proxy.ts';
import { scaled } from '../kit/scale.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

const USERS = 50;
const SESSIONS = scaled({ verify: 500, soak: 5_000 });
const PATIENCE_MS = 180_000;

let world: World;
beforeAll(async () => {
  world = await startWorld();
  for (let i = 0; i < USERS; i++)
    await world.server.core.directory.addUser({
      name: `user${i}`,
      displayName: `User ${i}`,
      number: null,
      password: 'demo',
      hasStorage: true,
    });
}, PATIENCE_MS);
afterAll(async () => {
  await world.close();
});

/** A page with STOMP over a plain WebSocket, as small as it can be: there are thousands. */
class Page {
  readonly user: string;
  /** Bodies in the order of their coming, over all connections. */
  readonly bodies: string[] = [];
  isSubscribed = false;
  #socket: WebSocket | null = null;
  #position = '';

  constructor(user: string) {
    this.user = user;
  }

  connect(port: number): void {
    this.isSubscribed = false;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/tapi-messenger/websocket`);
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('open', () =>
      socket.send(`CONNECT\naccept-version:1.2\nhost:h\nheart-beat:0,0\nlogin:${this.user}\npasscode:demo\n\n\0`),
    );
    socket.on('message', (data) => this.#take(socket, Buffer.isBuffer(data) ? data.toString() : ''));
  }

  close(): void {
    this.#socket?.terminate();
  }

  #take(socket: WebSocket, text: string): void {
    for (const frame of text.split('\0')) {
      const position = /\nposition:(\S+)/.exec(frame)?.[1];
      if (position !== undefined) this.#position = position;
      if (frame.trimStart().startsWith('CONNECTED')) {
        const resume = this.#position === '' ? '' : `resume:${this.#position}\n`;
        socket.send(`SUBSCRIBE\nid:1\ndestination:/user/queue/messages\nreceipt:1\n${resume}\n\0`);
      }
      if (frame.trimStart().startsWith('RECEIPT')) this.isSubscribed = true;
      if (frame.trimStart().startsWith('MESSAGE'))
        this.bodies.push((JSON.parse(frame.slice(frame.indexOf('\n\n') + 2)) as { body: string }).body);
    }
  }
}

test(
  `${SESSIONS} sockets cut at once come back, are caught up, and running chats go on meanwhile`,
  { timeout: 2 * PATIENCE_MS },
  async () => {
    await using proxy = await CuttingProxy.to(world.port);
    const pages = Array.from({ length: SESSIONS }, (_, i) => new Page(`user${i % USERS}`));
    for (const page of pages) page.connect(proxy.port);
    await until(() => pages.every(({ isSubscribed }) => isSubscribed), 'all to be there', PATIENCE_MS);
    const alice = await ChatApiClient.signIn(world.url, 'alice');
    const tellAll = async (text: string): Promise<void> => {
      for (let i = 0; i < USERS; i++) await alice.say(`user${i}`, text);
    };
    await tellAll('before');
    const have = (count: number): number => pages.filter(({ bodies }) => bodies.length >= count).length;
    await until(() => have(1) === SESSIONS, 'the first message everywhere', PATIENCE_MS);

    proxy.cut();
    await tellAll('meanwhile');
    for (const page of pages) page.connect(proxy.port);

    // A chat beside: how many sessions came back between two of its acknowledgements?
    const backAt = [0];
    while (have(2) < SESSIONS && backAt.length < 100_000) {
      await alice.say('bob', `beside ${backAt.length}`);
      backAt.push(have(2));
    }
    await until(() => have(2) === SESSIONS, 'everybody to be caught up', PATIENCE_MS);
    await tellAll('after');
    await until(() => have(3) === SESSIONS, 'everybody to hear on', PATIENCE_MS);
    expect(new Set(pages.map(({ bodies }) => bodies.join(' ')))).toEqual(new Set(['before meanwhile after']));
    const steps = backAt.slice(1).map((back, i) => back - (backAt[i] ?? 0));
    console.log(`${backAt.length - 1} messages beside ${SESSIONS} returns, at most ${Math.max(...steps)} between two`);
    expect(Math.max(...steps)).toBeLessThan(SESSIONS / 2);
    for (const page of pages) page.close();
  },
);
