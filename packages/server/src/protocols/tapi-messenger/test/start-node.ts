import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBell, MemoryNetwork } from '../../../adapters/bus-memory/index.ts';
import { FakeEngine } from '../../../adapters/engine-fake/index.ts';
import { createTapiEngine } from '../../../adapters/engine-tapi/index.ts';
import { createStoreSql } from '../../../adapters/store-sql/index.ts';
import type { CallEngine } from '../../../core/calls/index.ts';
import { createVault } from '../../../core/directory/index.ts';
import { type Core, createCore, joinCluster } from '../../../core/index.ts';
import { type Delivery, keepCurrent, openDelivery } from '../../../delivery/index.ts';
import { Http, type HttpLimits } from '../../../http/index.ts';
import { type Clock, randomIds, systemClock, type Timer } from '../../../kit/index.ts';
import {
  type ApplicationSessions,
  mountTapiMessenger,
  type TapiMessenger,
  tapiMessengerDefaults,
  type TapiMessengerSettings,
} from '../index.ts';

type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? Partial<T[K]> : T[K] };

export interface NodeOptions {
  readonly settings?: DeepPartial<TapiMessengerSettings>;
  readonly limits?: Partial<HttpLimits>;
  readonly lookup?: ApplicationSessions;
  /** Port of a TapiServer; without it the engine is a fake. */
  readonly tapiServer?: number;
  readonly reconnectMs?: number;
}

/** One node with this surface alone, on real core services and a store of its own. */
export interface TestNode extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly core: Core;
  readonly delivery: Delivery;
  readonly surface: TapiMessenger;
  readonly engine: FakeEngine;
  readonly http: Http;
  /** What the surface has told its observer: `opened`, `login-failed mylogin` … */
  readonly told: string[];
  /** Timers of the surface that have neither fired nor been cancelled. */
  readonly timers: number;
  close(): Promise<void>;
}

/** Accounts as in the demo world (design §9); dora has no storage right. */
const ACCOUNTS = [
  ['alice', '201', true],
  ['bob', '202', true],
  ['carol', '203', true],
  ['dora', '204', false],
] as const;

export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-tapi-'));
  const clock = systemClock;
  const ids = randomIds;
  const bell = createMemoryBell();
  const sql = await createStoreSql({ file: join(folder, 'store.db'), bell, clock, ids });
  const peers = new MemoryNetwork(clock, ids).join();
  const delivery = await openDelivery({ journal: sql.journal, bell, peers, clock, onTrouble: (e) => console.error(e) });
  const membership = await joinCluster({
    store: sql.store,
    clock,
    self: peers.self,
    bus: null,
    isAlone: true,
    onTrouble: (e) => console.error(e),
  });
  const fake = new FakeEngine();
  const engine = options.tapiServer === undefined ? fake : tapiEngine(options.tapiServer, options.reconnectMs);
  const core = createCore({
    store: sql.store,
    cluster: { peers, membership },
    receivers: delivery.receivers,
    vault: createVault([randomBytes(32)]),
    clock,
    ids,
    // One test's sessions are gone when the next one begins.
    presenceLingerMs: 0,
    engines: () => ({ engines: [engine], engineFor: () => engine }),
  });
  keepCurrent(delivery, core);
  for (const [name, number, hasStorage] of ACCOUNTS) {
    const displayName = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const user = await core.directory.addUser({ name, displayName, number, password: 'demo', hasStorage });
    if (name === 'alice') await core.directory.setApplicationSession('1001', user.id);
    if (name === 'bob') await core.directory.setApplicationSession('1002', user.id);
  }
  const http = new Http({
    listen: [{ host: '127.0.0.1', port: 0 }],
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const told: string[] = [];
  const timers = new CountingClock();
  const surface = mountTapiMessenger({
    ...core,
    http,
    delivery,
    clock: timers,
    ids,
    domain: 'example.test',
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    settings: settingsOf(options.settings ?? {}),
    observer: {
      opened: () => void told.push('opened'),
      closed: () => void told.push('closed'),
      loggedIn: ({ name }) => void told.push(`logged-in ${name}`),
      loginFailed: (_address, account) => void told.push(`login-failed ${account}`),
      limitHit: (name) => void told.push(`limit ${name}`),
      slowReader: (user) => void told.push(`slow ${user}`),
      messageSent: () => void told.push('message'),
      trouble: (what, error) =>
        void told.push(`trouble ${what}: ${error instanceof Error ? error.message : String(error)}`),
    },
  });
  await http.listen();
  const url = http.urls[0]!;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await surface.close();
      await http.close();
      await core.close();
      await engine.close();
      delivery.close();
      await membership.close();
      await sql.close();
      await rm(folder, { recursive: true, force: true });
    })());
  return {
    url,
    port: Number(new URL(url).port),
    core,
    delivery,
    surface,
    engine: fake,
    http,
    told,
    get timers() {
      return timers.pending;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The system's clock, and how many of its timers are pending. */
class CountingClock implements Clock {
  pending = 0;

  now(): number {
    return systemClock.now();
  }

  after(ms: number, run: () => void): Timer {
    this.pending++;
    let isPending = true;
    const done = (): void => {
      if (isPending) this.pending--;
      isPending = false;
    };
    const timer = systemClock.after(ms, () => {
      done();
      run();
    });
    return {
      cancel: () => {
        done();
        timer.cancel();
      },
    };
  }
}

function tapiEngine(port: number, reconnectMs = 100): CallEngine {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  return createTapiEngine({ host: '127.0.0.1', port, clock: systemClock, log, reconnectMs });
}

function settingsOf(given: DeepPartial<TapiMessengerSettings>): TapiMessengerSettings {
  const all = tapiMessengerDefaults;
  return {
    sockjs: { ...all.sockjs, ...given.sockjs },
    stomp: { ...all.stomp, ...given.stomp },
    auth: { ...all.auth, ...given.auth },
    broker: { ...all.broker, ...given.broker },
    replies: { ...all.replies, ...given.replies },
    userQueue: { ...all.userQueue, ...given.userQueue },
    caller: { ...all.caller, ...given.caller },
    dial: { ...all.dial, ...given.dial },
    lookup: { ...all.lookup, ...given.lookup },
    compat: { ...all.compat, ...given.compat },
  };
}
