import { chatLogin, eventsOf, messageTo, openAppWs, openRegistered, openStomp, plain, subscribe } from './clients.ts';
import { EventLink, HttpLink } from './http-link.ts';
import {
  eachOf,
  type IdleSurface,
  type Load,
  type LoadSpec,
  type Outcome,
  sampleText,
  settled,
  userName,
  USERS,
} from './load.ts';
import { bareMessage } from './publisher.ts';
import { WsLink } from './ws-link.ts';

interface Closable {
  close(): void;
}

/** Requests under way, and connections that log in, at once. */
const LANES = 64;

const cannotGrow = (): Promise<void> => {
  throw new Error('this load does not grow');
};

/** Each lane posts to a subscriber of its own; the next request goes out when the last is answered and its event is there. */
export async function openPosts({ surface, port }: Extract<LoadSpec, { kind: 'posts' }>): Promise<Load> {
  const isBare = surface === 'bare-events';
  const open: Closable[] = [];
  let isRunning = false;
  let underWay = 0;
  let count = 0;
  const starts: (() => void)[] = [];
  await eachOf(LANES, 16, async (n) => {
    const [from, to] = [userName('u', 2 * n), userName('u', 2 * n + 1)];
    const request = isBare ? bareMessage(to) : messageTo(to, await chatLogin(port, from), sampleText(false));
    const poster = await HttpLink.open(port);
    let missing = 0;
    const post = (): void => {
      underWay++;
      missing = 2;
      poster.ask(request, ({ status, head, body }) => {
        if (status !== 200) throw new Error(`${head}\n${body}`);
        half();
      });
    };
    const half = (): void => {
      if (--missing > 0) return;
      underWay--;
      count++;
      if (isRunning) post();
    };
    const events = isBare ? eventsOf(to, {}) : eventsOf(to, await chatLogin(port, to));
    const marks = isBare
      ? { ready: ': hello', mark: 'data: {' }
      : { ready: 'chatapi.ready', mark: 'event: chatapi.chat' };
    open.push(poster, await EventLink.open(port, events, { ...marks, got: half }));
    starts.push(post);
  });
  return {
    start() {
      isRunning = true;
      count = 0;
      for (const start of starts) start();
    },
    async stop(): Promise<Outcome> {
      isRunning = false;
      await settled(() => underWay);
      return { count, latenciesMs: [] };
    },
    grow: cannotGrow,
    close() {
      for (const one of open) one.close();
    },
  };
}

/** Connects, logs in where there is a login, and goes. */
export async function openLogins({ surface, port }: Extract<LoadSpec, { kind: 'logins' }>): Promise<Load> {
  let isRunning = false;
  let lanes = 0;
  let count = 0;
  const lane = async (): Promise<void> => {
    lanes++;
    while (isRunning) {
      const n = count++;
      const link = surface === 'bare' ? await WsLink.open(port, `/u${n}`) : await openAppWs(port, userName('u', n));
      link.close();
    }
    lanes--;
  };
  return {
    start() {
      isRunning = true;
      count = 0;
      for (let i = 0; i < LANES; i++) void lane();
    },
    async stop(): Promise<Outcome> {
      isRunning = false;
      await settled(() => lanes);
      return { count, latenciesMs: [] };
    },
    grow: cannotGrow,
    close: () => {},
  };
}

const IDLE: Readonly<Record<IdleSurface, (port: number, n: number, headersOf: HeadersOf) => Promise<Closable>>> = {
  bare: (port, n) => WsLink.open(port, `/idle-${n}`),
  appws: (port, n) => openAppWs(port, userName('u', n)),
  'appws-registered': (port, n) => openRegistered(port, userName('u', n)),
  async stomp(port, n) {
    const link = await openStomp(port, plain, userName('u', n));
    await subscribe(link, plain, '/user/queue/messages');
    return link;
  },
  async 'chat-api'(port, n, headersOf) {
    const name = userName('u', n);
    const events = eventsOf(name, await headersOf(name));
    return EventLink.open(port, events, { ready: 'chatapi.ready', mark: 'event: chatapi.chat', got: () => {} });
  },
};

type HeadersOf = (name: string) => Promise<Readonly<Record<string, string>>>;

/** Connections that stand. */
export function openIdle({ surface, port }: Extract<LoadSpec, { kind: 'idle' }>): Load {
  const open: Closable[] = [];
  const tokens = new Map<string, Promise<Readonly<Record<string, string>>>>();
  const headersOf: HeadersOf = (name) => {
    const known = tokens.get(name) ?? chatLogin(port, name);
    tokens.set(name, known);
    return known;
  };
  return {
    start() {
      throw new Error('idle connections do nothing');
    },
    stop: () => Promise.resolve({ count: open.length, latenciesMs: [] }),
    async grow(count) {
      const before = open.length;
      await eachOf(count - before, 16, async (n) => void open.push(await IDLE[surface](port, before + n, headersOf)));
    },
    close() {
      for (const one of open) one.close();
    },
  };
}

/** Logins of a surface need so many accounts. */
export const ACCOUNTS = USERS;
