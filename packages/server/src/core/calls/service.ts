import type { BucketRate, Clock, Ids, Listeners, Stop } from '../../kit/index.ts';
import type { Cluster } from '../cluster/index.ts';
import type { Store, UserId } from '../journal/index.ts';
import { type Actor, demand } from '../permissions/index.ts';
import { CallIds } from './call-ids.ts';
import { type CallCommands, createCommands } from './commands.ts';
import { invalidNumber, noNumber } from './errors.ts';
import { Follower, type OnPhone } from './follow.ts';
import { type Dropped, Intake } from './intake.ts';
import { MAX_HISTORY } from './limits.ts';
import { LiveRows } from './live-rows.ts';
import { type CallLog, silentLog } from './log.ts';
import type { Call } from './model.ts';
import { Names } from './names.ts';
import { canonicalNumber } from './number.ts';
import { createOnce } from './once.ts';
import type { CallDirectory, CallEngine, CallQueries, CallUnits } from './ports.ts';
import { Records } from './records.ts';
import { type CallListener, Registry } from './registry.ts';
import { Sharing } from './sharing.ts';

export interface CallsParts {
  readonly store: Store<CallUnits, CallQueries>;
  readonly directory: CallDirectory;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly ids: Ids;
  /** All engines: their reports are followed from the start. */
  readonly engines: readonly CallEngine[];
  /** The engine a number belongs to, always the same one of `engines`; null = none. */
  engineFor(number: string): CallEngine | null;
  readonly log?: CallLog;
  /** How long a number is still listened to after its last listener (TM AP-31); 0 by default. */
  readonly graceMs?: number;
  readonly dialRate?: BucketRate;
}

/** Whose calls: of a number as somebody wrote it, or of a user's number. */
export type CallsOf = { readonly number: string } | { readonly user: UserId };

export interface ListenOptions {
  /** Aborted before the listening has begun: nothing begins (TM FM-7). Later it stops it. */
  readonly signal?: AbortSignal;
}

/**
 * Calls as applications see them, whatever telephone system makes them. Engines are made and closed by `main.ts`.
 *
 * Listeners get live calls as they stand; nothing is kept for those who come later but the snapshot.
 */
export interface Calls extends CallCommands {
  /** @throws invalid-number | forbidden | engine-unavailable (no engine has this number) | too-many-listeners | too-many-numbers */
  listen(actor: Actor, number: string, listener: CallListener, options?: ListenOptions): Promise<Stop>;
  /** The user's number as it is now; a change of number is not followed. @throws no-number, and as `listen` */
  listenUser(actor: Actor, user: UserId, listener: CallListener, options?: ListenOptions): Promise<Stop>;
  /** Oldest first. @throws invalid-number | no-number | forbidden */
  liveCalls(actor: Actor, of: CallsOf): Promise<readonly Call[]>;
  /** Ended calls, newest first. @throws forbidden */
  history(actor: Actor, ask: CallQueries['calls.history']['input']): Promise<readonly Call[]>;
  /** A user begins or stops to speak on the phone. */
  readonly onPhone: Pick<Listeners<OnPhone>, 'add'>;
  isOnPhone(user: UserId): boolean;
  /** What is held now, and what was dropped since the start. */
  figures(): {
    readonly live: number;
    readonly numbers: number;
    readonly unrecorded: number;
    readonly dropped: Dropped;
  };
  /** Stops listening to every number, ends what this node has live and writes down what has ended. Idempotent. */
  close(): Promise<void>;
}

export function createCalls(parts: CallsParts): Calls {
  const { store, clock, directory, cluster } = parts;
  const { self } = cluster.peers;
  const log = parts.log ?? silentLog;
  const engineFor = (number: string): CallEngine | null => parts.engineFor(number);
  const dropped: Dropped = { stray: 0, pending: 0, full: 0, 'unknown-call': 0 };
  const registry = new Registry({
    engineFor,
    clock,
    graceMs: parts.graceMs ?? 0,
    failed: (error) =>
      log.warn('a listener of calls failed', { reason: error instanceof Error ? error.message : 'unknown' }),
  });
  const records = new Records({ store, clock, log });
  const rows = new LiveRows({ store, owner: self, clock, log });
  const ids = new CallIds(clock, parts.ids);
  const follower = new Follower({
    clock,
    ids,
    engineFor,
    announce: (call) => registry.emit(call.number, call),
    record: (call) => records.keep(call),
    owned(live) {
      rows.changed(live.call);
      sharing.tell(live);
    },
    dropped: (why) => {
      dropped[why]++;
    },
  });
  const sharing = new Sharing({ ...cluster, clock, follower, log });
  const names = new Names({ directory, clock, log });
  const intake = new Intake({ follower, names, dropped, log, engineFor });
  const stops = parts.engines.map((engine) => engine.onEvent((event) => intake.take(engine, event)));

  /** Only a user's permission hangs on whose the number is: others are served while the directory is away. */
  async function userOf(actor: Actor, number: string): Promise<UserId | null> {
    if (actor.kind === 'user') return (await directory.ownerOf(number))?.user ?? null;
    return (await names.of(number))?.user ?? null;
  }

  async function permitted(actor: Actor, of: CallsOf): Promise<string> {
    if ('user' in of) {
      const number = await directory.numberOf(of.user);
      demand(actor, { do: 'listen-calls', of: of.user, number: number ?? '' });
      if (number === null) throw noNumber();
      return number;
    }
    const number = canonicalNumber(of.number);
    if (number === undefined) throw invalidNumber(of.number);
    demand(actor, { do: 'listen-calls', of: await userOf(actor, number), number });
    return number;
  }

  async function listen(actor: Actor, of: CallsOf, listener: CallListener, options: ListenOptions = {}): Promise<Stop> {
    const number = await permitted(actor, of);
    if (options.signal?.aborted === true) return () => undefined;
    const leave = registry.add(number, listener);
    const stop = (): void => {
      options.signal?.removeEventListener('abort', stop);
      leave();
    };
    options.signal?.addEventListener('abort', stop);
    try {
      for (const { call } of follower.live.ofNumber(number)) listener(call, 'snapshot');
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  const commands = createCommands({
    clock,
    live: follower.live,
    registry,
    ids,
    once: createOnce({ store, node: self, clock, log }),
    ...(parts.dialRate === undefined ? {} : { dialRate: parts.dialRate }),
    engineFor,
    userOf,
  });

  return {
    ...commands,
    listen: (actor, number, listener, options) => listen(actor, { number }, listener, options),
    listenUser: (actor, user, listener, options) => listen(actor, { user }, listener, options),
    async liveCalls(actor, of) {
      const number = await permitted(actor, of);
      return follower.live.ofNumber(number).map(({ call }) => call);
    },
    async history(actor, { user, before, limit }) {
      demand(actor, { do: 'listen-calls', of: user, number: (await directory.numberOf(user)) ?? '' });
      return store.read('calls.history', { user, before, limit: Math.min(Math.max(1, limit), MAX_HISTORY) });
    },
    onPhone: follower.onPhone,
    isOnPhone: (user) => follower.live.isOnPhone(user),
    figures: () => ({
      live: follower.live.size,
      numbers: registry.size,
      unrecorded: records.waiting,
      dropped: { ...dropped },
    }),
    async close() {
      for (const stop of stops.splice(0)) stop();
      intake.close();
      follower.endOwn();
      sharing.close();
      registry.close();
      follower.live.clear();
      rows.close();
      await records.close();
    },
  };
}

/** The directory as calls need it, over the directory's own lookup of users. */
export function callDirectory(directory: {
  user(
    key: { readonly by: 'number'; readonly value: string } | { readonly by: 'id'; readonly value: UserId },
  ): Promise<{ readonly id: UserId; readonly displayName: string; readonly number: string | null } | null>;
}): CallDirectory {
  return {
    async ownerOf(number) {
      const user = await directory.user({ by: 'number', value: number });
      return user === null ? null : { user: user.id, displayName: user.displayName };
    },
    async numberOf(id: UserId) {
      const user = await directory.user({ by: 'id', value: id });
      const number = user?.number ?? null;
      return number === null ? null : (canonicalNumber(number) ?? null);
    },
  };
}
