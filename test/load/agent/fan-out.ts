import { chatLogin, eventsOf, openRegistered, openStomp, plain, setUp, subscribe } from './clients.ts';
import { FanOutCount } from './figures.ts';
import { EventLink } from './http-link.ts';
import {
  type Drive,
  eachOf,
  type FanOutSurface,
  type Load,
  type LoadSpec,
  type Outcome,
  settled,
  userName,
} from './load.ts';
import {
  AUDIENCE,
  bareMessagePublisher,
  barePublisher,
  messagePublisher,
  presencePublisher,
  type Publisher,
  TOPIC,
  topicPublisher,
  WATCHED,
} from './publisher.ts';
import { WsLink } from './ws-link.ts';

type FanOutSpec = Extract<LoadSpec, { kind: 'fan-out' }>;

/** Events that may be under way at once. */
const MAX_WINDOW = 64;
/** The shortest message that carries a text. */
const TEXT_BYTES = 100;

interface Receiver {
  close(): void;
}

type Got = (events: number) => void;

interface Dialect {
  publisher(port: number): Promise<Publisher>;
  /** Before the receivers, once. */
  prepare?(port: number): Promise<Readonly<Record<string, string>>>;
  receiver(port: number, n: number, got: Got, headers: Readonly<Record<string, string>>): Promise<Receiver>;
}

function counted(link: WsLink, got: Got): Receiver {
  link.counting((_bytes, start, end) => (end - start >= TEXT_BYTES ? 1 : 0), got);
  return link;
}

const DIALECTS: Readonly<Record<FanOutSurface, Dialect>> = {
  bare: {
    publisher: barePublisher,
    receiver: async (port, n, got) => counted(await WsLink.open(port, `/receiver-${n}`), got),
  },
  /** Everybody watches the same users' presence, each by a call of the signalling API. */
  'appws-presence': {
    publisher: presencePublisher,
    async receiver(port, n, got) {
      const link = await openRegistered(port, userName('u', n));
      for (const [index, name] of WATCHED.entries()) setUp(link, index + 1, name, { type: 'presence_subscribe' });
      for (let told = 0; told < WATCHED.length; told++) await link.take((text) => text.includes('presence_notify'));
      return counted(link, got);
    },
  },
  'stomp-topic': {
    publisher: topicPublisher,
    async receiver(port, _n, got) {
      const link = await openStomp(port, plain, null);
      await subscribe(link, plain, TOPIC);
      return counted(link, got);
    },
  },
  'bare-events': {
    publisher: bareMessagePublisher,
    receiver: (port, _n, got) =>
      EventLink.open(port, eventsOf(AUDIENCE, {}), { ready: ': hello', mark: 'data: {', got }),
  },
  /** All receivers are event streams of one user. */
  'chat-api': {
    publisher: messagePublisher,
    prepare: (port) => chatLogin(port, AUDIENCE),
    receiver: (port, _n, got, headers) =>
      EventLink.open(port, eventsOf(AUDIENCE, headers), { ready: 'chatapi.ready', mark: 'event: chatapi.chat', got }),
  },
};

/** One publisher to many receivers: the next event goes out when all have one. */
export class FanOut implements Load {
  readonly #publisher: Publisher;
  readonly #receivers: readonly Receiver[];
  readonly #count: FanOutCount;
  #isRunning = false;
  #published = 0;
  #deliveriesBefore = 0;

  private constructor(publisher: Publisher, receivers: readonly Receiver[], count: FanOutCount) {
    this.#publisher = publisher;
    this.#receivers = receivers;
    this.#count = count;
  }

  static async open({ surface, port, receivers: size }: FanOutSpec): Promise<FanOut> {
    const dialect = DIALECTS[surface];
    const count = new FanOutCount(size, MAX_WINDOW);
    const receivers: Receiver[] = [];
    const publisher = await dialect.publisher(port);
    const headers = (await dialect.prepare?.(port)) ?? {};
    const load = new FanOut(publisher, receivers, count);
    await eachOf(size, 20, async (n) => {
      receivers.push(await dialect.receiver(port, n, (events) => load.#got(n, events), headers));
    });
    return load;
  }

  start({ window }: Drive): void {
    this.#isRunning = true;
    this.#deliveriesBefore = this.#count.deliveries;
    for (let i = 0; i < window; i++) this.#publish();
  }

  async stop(): Promise<Outcome> {
    this.#isRunning = false;
    await settled(() => this.#published - this.#count.complete);
    return { count: this.#count.deliveries - this.#deliveriesBefore, latenciesMs: [] };
  }

  grow(): Promise<void> {
    throw new Error('receivers are as many as were opened');
  }

  close(): void {
    this.#publisher.close();
    for (const receiver of this.#receivers) receiver.close();
  }

  #publish(): void {
    this.#published++;
    this.#publisher.publish();
  }

  #got(receiver: number, events: number): void {
    const complete = this.#count.got(receiver, events);
    if (this.#isRunning) for (let i = 0; i < complete; i++) this.#publish();
  }
}
