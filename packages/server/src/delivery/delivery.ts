import type { Entry, Peers, TielineBell, TielineJournal } from '../core/index.ts';
import type { ChatStateChange, Message, Receivers } from '../core/conversations/index.ts';
import { type Position, type StreamId, type UserId, userStream } from '../core/journal/index.ts';
import { type Clock, Problem, type Stop } from '../kit/index.ts';
import { type Near, openFarSessions } from './far-sessions.ts';
import { type Sink, Subscription } from './subscription.ts';
import { openTail } from './tail.ts';

/**
 * Live sessions of one user on one node: tabs, devices, forgotten scripts.
 * @peer 429 `too-many-sessions`; `err` in RegisterResult
 * @test delivery: sessions of one user
 */
export const MAX_SESSIONS_PER_USER = 100;

/** What a live session takes besides the journal's entries. */
export interface LiveSink {
  /** It shows texts at once. False: a device that must accept a chat call first. */
  readonly isAttended: boolean;
  /** A volatile message. Resolves true when the peer has taken it. Kept in order by the caller's calls. */
  volatile(message: Message): boolean | Promise<boolean>;
  /** A volatile message of the user's own, sent from another session. */
  echo(message: Message): void;
  chatState(change: ChatStateChange): void;
  /** Texts of `from` would be taken: at once (true), never (false), or when a device accepts. */
  reach(from: UserId): boolean | Promise<boolean>;
}

/** One live session of a user that takes chat. */
export interface ChatSession extends Pick<Subscription, 'resume' | 'pump' | 'close'> {
  readonly user: UserId;
}

export interface Delivery {
  /** Live sessions, wherever they are. */
  readonly receivers: Receivers;
  /** The last position that this node has told. */
  readonly applied: Position;
  /** @throws too-many-sessions */
  open(session: {
    readonly user: UserId;
    readonly from: { readonly resume: string } | { readonly position: Position } | 'now';
    readonly sink: Sink & LiveSink;
    readonly streams?: readonly StreamId[];
  }): ChatSession;
  /** Entries of one stream as this node applies them, from now: for caches and policies. */
  follow(stream: StreamId, listener: (entry: Entry) => void): Stop;
  /** A live session of this user, on any node, shows texts at once. */
  isAttended(user: UserId): boolean;
  /** Live sessions on this node. */
  readonly size: number;
  close(): void;
}

export interface DeliveryParts {
  readonly journal: TielineJournal;
  readonly bell: Pick<TielineBell, 'batches'>;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
  readonly maxSessionsPerUser?: number;
}

type Watcher = Pick<Subscription, 'offer'>;

const NOBODY: readonly LiveSink[] = [];

export async function openDelivery(parts: DeliveryParts): Promise<Delivery> {
  const watchers = new Map<StreamId, readonly Watcher[]>();
  const live = new Map<UserId, readonly LiveSink[]>();
  const { maxSessionsPerUser = MAX_SESSIONS_PER_USER } = parts;
  const tail = await openTail(parts);
  const reading = { journal: parts.journal, tail };
  tail.onEntry((entry) => {
    const interested = watchers.get(entry.stream);
    if (interested !== undefined) for (const watcher of interested) watcher.offer(entry);
  });
  let size = 0;

  function watch(streams: readonly StreamId[], watcher: Watcher): Stop {
    for (const stream of streams) addTo(watchers, stream, watcher);
    return () => {
      for (const stream of streams) removeFrom(watchers, stream, watcher);
    };
  }

  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      parts.onTrouble(error);
    }
  }

  /** The answer of any of the user's sessions; most users have one. */
  function ask(user: UserId, question: (sink: LiveSink) => boolean | Promise<boolean>): boolean | Promise<boolean> {
    const sinks = live.get(user);
    if (sinks === undefined) return false;
    const [first, second] = sinks;
    if (first !== undefined && second === undefined) return taken(question(first));
    return anyTrue(sinks.map((sink) => taken(question(sink))));
  }

  const sinksOf = (user: UserId): readonly LiveSink[] => live.get(user) ?? NOBODY;

  /** A session that can't tell has not taken it. */
  function taken(answer: boolean | Promise<boolean>): boolean | Promise<boolean> {
    if (typeof answer === 'boolean') return answer;
    return answer.catch((error: unknown) => {
      parts.onTrouble(error);
      return false;
    });
  }

  const near: Near = {
    reach: (user, from) => ask(user, (sink) => sink.reach(from)),
    hand: (user, message) => ask(user, (sink) => sink.volatile(message)),
    echo(user, message) {
      for (const sink of sinksOf(user)) sink.echo(message);
    },
    state(user, change) {
      for (const sink of sinksOf(user)) sink.chatState(change);
    },
    isAttended: (user) => (live.has(user) ? sinksOf(user).some((sink) => sink.isAttended) : null),
    users: () => live.keys(),
  };
  const far = openFarSessions({ ...parts, near });

  /** Opens or closes a session; the other nodes are told where that makes a difference. */
  function enter(user: UserId, change: () => void): void {
    const before = near.isAttended(user);
    change();
    if (near.isAttended(user) !== before) far.changed(user);
  }

  return {
    receivers: {
      reach(user, from) {
        const here = near.reach(user, from);
        return here === true ? here : anyOf(here, far.reach(user, from));
      },
      hand: (user, message) => anyOf(near.hand(user, message), far.hand(user, message)),
      echo(user, message) {
        near.echo(user, message);
        far.echo(user, message);
      },
      state(user, change) {
        near.state(user, change);
        far.state(user, change);
      },
    },
    get applied() {
      return tail.applied;
    },
    get size() {
      return size;
    },
    open({ user, from, sink, streams = [userStream(user)] }) {
      if (sinksOf(user).length >= maxSessionsPerUser)
        throw new Problem('too-many-sessions', 'This user has too many live sessions.', { retry: true });
      enter(user, () => addTo(live, user, sink));
      size++;
      const subscription = new Subscription(reading, { streams, sink, from });
      const unwatch = watch(streams, subscription);
      return new OpenSession(user, subscription, () => {
        size--;
        enter(user, () => removeFrom(live, user, sink));
        unwatch();
      });
    },
    isAttended: (user) => near.isAttended(user) === true || far.isAttended(user),
    follow: (stream, listener) => watch([stream], { offer: (entry) => guarded(() => listener(entry)) }),
    close() {
      far.close();
      tail.close();
    },
  };
}

/** The same of this node's answer and those of others. */
function anyOf(here: boolean | Promise<boolean>, there: readonly Promise<boolean>[]): boolean | Promise<boolean> {
  return there.length === 0 ? here : anyTrue([here, ...there]);
}

/** True as soon as one is true; false when all are false. */
function anyTrue(answers: readonly (boolean | Promise<boolean>)[]): boolean | Promise<boolean> {
  if (answers.includes(true)) return true;
  const pending = answers.filter((answer) => typeof answer !== 'boolean');
  if (pending.length === 0) return false;
  return Promise.any(pending.map(async (answer) => (await answer) || Promise.reject(new Error('not taken')))).then(
    () => true,
    () => false,
  );
}

class OpenSession implements ChatSession {
  readonly user: UserId;
  readonly #subscription: Subscription;
  #leave: Stop | null;

  constructor(user: UserId, subscription: Subscription, leave: Stop) {
    this.user = user;
    this.#subscription = subscription;
    this.#leave = leave;
  }

  get resume(): string {
    return this.#subscription.resume;
  }

  pump(): void {
    this.#subscription.pump();
  }

  close(): void {
    this.#leave?.();
    this.#leave = null;
    this.#subscription.close();
  }
}

/** Lists are replaced, not changed: whoever goes through one is not disturbed, and most have a single member. */
function addTo<K, V>(map: Map<K, readonly V[]>, key: K, value: V): void {
  const list = map.get(key);
  map.set(key, list === undefined ? [value] : [...list, value]);
}

function removeFrom<K, V>(map: Map<K, readonly V[]>, key: K, value: V): void {
  const rest = map.get(key)?.filter((one) => one !== value) ?? [];
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
