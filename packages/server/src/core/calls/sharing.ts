import type { Cluster, NodeId } from '../cluster/index.ts';
import { type Clock, every, type Json, Problem, type Stop, type Timer } from '../../kit/index.ts';
import type { CallId } from '../journal/index.ts';
import type { Follower } from './follow.ts';
import { CALLS_BEAT_MS, CALLS_PER_PAGE, MAX_EARLY_NEWS, SNAPSHOT_MS } from './limits.ts';
import type { LiveCall } from './live-calls.ts';
import type { CallLog } from './log.ts';
import { decodeNews, decodePage, encodeNews, encodePage, type News, type Page } from './told.ts';

/** News of calls: one that changed, or none, as a sign of how many there were. */
const NEWS = 'calls.news';
/** Every call of the node that is asked, page by page. */
const SNAPSHOT = 'calls.snapshot';

/** How far another node has been heard. */
interface Heard {
  /** The last news that was taken; null: nothing is known of it. */
  seq: number | null;
  /** What came while a snapshot was under way; null: none is. */
  early: News[] | null;
}

export interface SharingParts extends Cluster {
  readonly clock: Clock;
  readonly follower: Follower;
  readonly log: CallLog;
}

/**
 * Live calls between nodes. Each node follows its own calls and tells the others every change, numbered without gaps; whoever comes,
 * or finds a gap, asks for all of them. What a node had told ends when the store says that the node is gone.
 */
export class Sharing {
  readonly #parts: SharingParts;
  readonly #heard = new Map<NodeId, Heard>();
  readonly #stops: readonly Stop[];
  readonly #beat: Timer;
  #seq = 0;

  constructor(parts: SharingParts) {
    this.#parts = parts;
    const { peers, membership, clock } = parts;
    this.#stops = [
      peers.answer(SNAPSHOT, (after) => Promise.resolve(encodePage(this.#page(after)))),
      peers.hear(NEWS, (news, from) => this.#hear(decodeNews(news), from)),
      peers.up.add((node) => void this.#load(node)),
      peers.down.add((node) => {
        this.#heard.delete(node);
        // The store has given it up before, and says so once; it has told of calls since.
        if (!membership.living.has(node)) parts.follower.gone(node, 'lost');
      }),
      membership.gone.add((node) => parts.follower.gone(node, 'lost')),
    ];
    this.#beat = every(clock, CALLS_BEAT_MS, () => this.#say(null));
    for (const node of peers.others) void this.#load(node);
  }

  /** A call of this node has changed. */
  tell(live: LiveCall): void {
    this.#seq++;
    this.#say(live);
  }

  close(): void {
    this.#beat.cancel();
    for (const stop of this.#stops) stop();
  }

  #say(told: LiveCall | null): void {
    const { peers } = this.#parts;
    if (peers.others.size > 0) peers.tell(NEWS, encodeNews({ seq: this.#seq, told }));
  }

  #page(after: Json): Page {
    const from = typeof after === 'string' ? after : '';
    const rest = this.#parts.follower.live.ownedBy(null).filter(({ call }) => call.id > from);
    rest.sort((a, b) => (a.call.id < b.call.id ? -1 : 1));
    return { seq: this.#seq, told: rest.slice(0, CALLS_PER_PAGE), isLast: rest.length <= CALLS_PER_PAGE };
  }

  #hear(news: News | undefined, from: NodeId): void {
    // Where it was one of ours, the next finds the gap.
    if (news === undefined) return;
    const heard = this.#heard.get(from);
    if (heard === undefined) return void this.#load(from);
    if (heard.early !== null) {
      if (heard.early.length < MAX_EARLY_NEWS) heard.early.push(news);
      return;
    }
    if (!this.#take(heard, news, from)) void this.#load(from, [news]);
  }

  /** False: something is missing before it. */
  #take(heard: Heard, { seq, told }: News, from: NodeId): boolean {
    if (heard.seq === null || seq > heard.seq + (told === null ? 0 : 1)) return false;
    if (seq <= heard.seq || told === null) return true;
    heard.seq = seq;
    this.#parts.follower.told(from, told);
    return true;
  }

  /** Takes all calls of a node as they stand; what it tells meanwhile comes after them. */
  async #load(from: NodeId, early: readonly News[] = []): Promise<void> {
    const heard: Heard = { seq: null, early: [...early] };
    this.#heard.set(from, heard);
    const pages = await this.#ask(from);
    const isCurrent = this.#heard.get(from) === heard;
    // Without an answer its next beat, or its coming back, leads here again.
    if (pages === null && isCurrent) this.#heard.delete(from);
    if (pages === null || !isCurrent) return;
    // An end is final, and says more than that the call is not there any more.
    for (const { told } of heard.early ?? []) if (told?.call.state === 'ended') this.#parts.follower.told(from, told);
    const told = pages.flatMap((page) => page.told);
    this.#parts.follower.gone(from, 'unknown', new Set(told.map(({ call }) => call.id)));
    for (const one of told) this.#parts.follower.told(from, one);
    heard.seq = pages[0]?.seq ?? null;
    const news = heard.early ?? [];
    heard.early = null;
    for (const [i, one] of news.entries()) if (!this.#take(heard, one, from)) return this.#load(from, news.slice(i));
  }

  async #ask(node: NodeId): Promise<readonly Page[] | null> {
    const pages: Page[] = [];
    try {
      for (let after: CallId | null = null; ;) {
        const page = decodePage(await this.#parts.peers.ask(node, SNAPSHOT, after, SNAPSHOT_MS));
        if (page === undefined) throw new Problem('peer-unknown-request', 'This is no page of calls.');
        pages.push(page);
        const last: CallId | undefined = page.told.at(-1)?.call.id;
        if (page.isLast || last === undefined || (after !== null && last <= after)) return pages;
        after = last;
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#parts.log.debug('the calls of another node are not known', { node, reason: error.code });
      return null;
    }
  }
}
