import { callChat, openRegistered, openStomp, plain, signalText, sockJs, stompSend, subscribe } from './clients.ts';
import { occurrences, textFrame } from './frames.ts';
import {
  type Drive,
  type Load,
  type LoadSpec,
  type Outcome,
  sampleText,
  settled,
  type Surface,
  userName,
} from './load.ts';
import { eachOf } from './load.ts';
import { type CountTexts, WsLink } from './ws-link.ts';

type PairsSpec = Extract<LoadSpec, { kind: 'pairs' }>;

/** The largest window that frames are made for. */
const MAX_WINDOW = 64;
/** Nothing shorter carries the text. */
const TEXT_BYTES = 100;
const oneEach: CountTexts = (_bytes, start, end) => (end - start >= TEXT_BYTES ? 1 : 0);
const MESSAGE_IN_SOCKJS = Buffer.from('"MESSAGE\\n');

/** How two users talk on a surface. */
interface Dialect {
  open(port: number, name: string): Promise<WsLink>;
  /** Before the first text. */
  join(sender: WsLink, receiver: WsLink, to: string): Promise<void>;
  text(to: string, text: string, hasMarkup: boolean): string;
  readonly count: CountTexts;
}

function stompDialect(framing: typeof plain, count: CountTexts): Dialect {
  return {
    open: (port, name) => openStomp(port, framing, name),
    join: (_sender, receiver) => subscribe(receiver, framing, '/user/queue/messages'),
    text: (to, text, hasMarkup) =>
      framing(stompSend('/tapi/message', JSON.stringify(hasMarkup ? { to, html: text } : { to, body: text }))),
    count,
  };
}

const DIALECTS: Readonly<Record<Surface, Dialect>> = {
  bare: {
    open: (port, name) => WsLink.open(port, `/${name}`),
    join: async () => {},
    text: (to, text) => JSON.stringify({ to, text }),
    count: oneEach,
  },
  appws: {
    open: openRegistered,
    join: callChat,
    text(_to, data, hasMarkup) {
      const mime = hasMarkup ? 'text/html' : 'text/plain';
      return signalText(1, { type: 'facility', fty: [{ type: 'im_message', mime, data, attach: '' }] });
    },
    count: oneEach,
  },
  stomp: stompDialect(plain, oneEach),
  sockjs: stompDialect(sockJs, (bytes, start, end) => occurrences(MESSAGE_IN_SOCKJS, bytes, start, end)),
};

interface Pair {
  readonly sender: WsLink;
  readonly receiver: WsLink;
  /** The same text as often as the largest window. */
  readonly frames: Buffer;
  readonly frameBytes: number;
  underWay: number;
  /** When those under way were sent, oldest first; paced runs only. */
  readonly sentAt: number[];
}

/** One-to-one chat: each sender has so many texts under way, and sends the next when one has arrived; or at a fixed rate. */
export class Pairs implements Load {
  readonly #pairs: readonly Pair[];
  #isRunning = false;
  #isPaced = false;
  #count = 0;
  #underWay = 0;
  #latenciesMs: number[] = [];
  #pace: NodeJS.Timeout | undefined;

  private constructor(pairs: readonly Pair[]) {
    this.#pairs = pairs;
  }

  static async open({ surface, ports, pairs: count, users, hasMarkup }: PairsSpec): Promise<Pairs> {
    const dialect = DIALECTS[surface];
    const pairs: Pair[] = [];
    await eachOf(count, 20, async (n) => {
      const [from, to] = [userName(users, 2 * n), userName(users, 2 * n + 1)];
      const sender = await dialect.open(ports[0]!, from);
      const receiver = await dialect.open(ports.at(-1)!, to);
      await dialect.join(sender, receiver, to);
      const text = sampleText(hasMarkup);
      const frame = textFrame(dialect.text(to, text, hasMarkup));
      sender.write(frame);
      // The markup of a text may be escaped on its way; its words are not.
      await receiver.take((got) => got.includes('the figures') || got.includes('meeting'));
      const frames = Buffer.concat(Array.from({ length: MAX_WINDOW }, () => frame));
      pairs.push({ sender, receiver, frames, frameBytes: frame.length, underWay: 0, sentAt: [] });
    });
    const load = new Pairs(pairs);
    for (const pair of pairs) {
      pair.receiver.counting(dialect.count, (texts) => load.#arrived(pair, texts));
      pair.sender.counting(
        () => 0,
        () => undefined,
      );
    }
    return load;
  }

  start({ window, ratePerSecond }: Drive): void {
    this.#isRunning = true;
    this.#isPaced = ratePerSecond !== undefined;
    this.#count = 0;
    this.#latenciesMs = [];
    if (ratePerSecond === undefined) for (const pair of this.#pairs) this.#send(pair, window);
    else this.#startPace(ratePerSecond);
  }

  async stop(): Promise<Outcome> {
    this.#isRunning = false;
    clearInterval(this.#pace);
    await settled(() => this.#underWay);
    return { count: this.#count, latenciesMs: this.#latenciesMs };
  }

  grow(): Promise<void> {
    throw new Error('pairs are as many as were opened');
  }

  close(): void {
    for (const { sender, receiver } of this.#pairs) {
      sender.close();
      receiver.close();
    }
  }

  /** What is due is sent each millisecond, to pairs in turn. */
  #startPace(ratePerSecond: number): void {
    const begin = performance.now();
    let sent = 0;
    this.#pace = setInterval(() => {
      const due = Math.floor(((performance.now() - begin) * ratePerSecond) / 1_000);
      for (; sent < due; sent++) this.#send(this.#pairs[sent % this.#pairs.length]!, 1);
    }, 1);
  }

  #send(pair: Pair, texts: number): void {
    pair.underWay += texts;
    this.#underWay += texts;
    if (this.#isPaced) pair.sentAt.push(performance.now());
    pair.sender.write(pair.frames.subarray(0, texts * pair.frameBytes));
  }

  #arrived(pair: Pair, texts: number): void {
    if (texts > pair.underWay) throw new Error('more has arrived than was sent');
    pair.underWay -= texts;
    this.#underWay -= texts;
    this.#count += texts;
    if (this.#isPaced) {
      const now = performance.now();
      for (let i = 0; i < texts; i++) this.#latenciesMs.push(now - pair.sentAt.shift()!);
    } else if (this.#isRunning) this.#send(pair, texts);
  }
}
