import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBell, MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { FakeEngine } from '../../packages/server/src/adapters/engine-fake/index.ts';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { createVault, type LoginRates } from '../../packages/server/src/core/directory/index.ts';
import { type Core, createCore, joinCluster } from '../../packages/server/src/core/index.ts';
import type { UserId } from '../../packages/server/src/core/journal/index.ts';
import { createDemoWorld } from '../../packages/server/src/demo-world.ts';
import { type Delivery, keepCurrent, openDelivery } from '../../packages/server/src/delivery/index.ts';
import { Http, type HttpLimits } from '../../packages/server/src/http/index.ts';
import { type Clock, randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { type ChatApi, type ChatApiLimits, mountChatApi } from '../../packages/server/src/protocols/chat-api/index.ts';

export interface ChatApiWorldOptions {
  readonly limits?: Partial<ChatApiLimits>;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly loginRates?: LoginRates;
  readonly allowedOrigins?: readonly string[];
}

/** The Chat API alone over the real core and SQLite, with a telephone system that the test plays and short times. */
export class ChatApiWorld implements AsyncDisposable {
  readonly engine = new FakeEngine();
  /** What went wrong on our side. */
  readonly troubles: string[] = [];
  readonly seen: string[] = [];
  core!: Core;
  delivery!: Delivery;
  chatApi!: ChatApi;
  http!: Http;
  port = 0;
  /** Timers that have neither fired nor been cancelled. */
  timers = 0;
  readonly #options: ChatApiWorldOptions;
  readonly #clock: Clock = {
    now: () => systemClock.now(),
    after: (ms, run) => {
      let isPending = true;
      const settle = (): void => {
        if (isPending) this.timers--;
        isPending = false;
      };
      this.timers++;
      const timer = systemClock.after(ms, () => {
        settle();
        run();
      });
      return {
        cancel() {
          settle();
          timer.cancel();
        },
      };
    },
  };
  readonly #folder: string;
  #started = new AsyncDisposableStack();

  private constructor(options: ChatApiWorldOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  static async start(options: ChatApiWorldOptions = {}): Promise<ChatApiWorld> {
    const world = new ChatApiWorld(options, await mkdtemp(join(tmpdir(), 'tieline-chat-api-')));
    await world.#start();
    await createDemoWorld(world.core.directory, world.url);
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async idOf(name: string): Promise<UserId> {
    return (await this.core.directory.requireUser({ by: 'name', value: name })).id;
  }

  /** Stops the node and starts it again on the same data and port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.#started.disposeAsync();
    this.#started = new AsyncDisposableStack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [clock, ids, bell] = [this.#clock, randomIds, createMemoryBell()];
    const file = join(this.#folder, 'tieline.db');
    const sql = await createStoreSql({ file, bell, clock, ids });
    this.#started.defer(() => sql.close());
    const onTrouble = (error: unknown): void => void this.troubles.push(String(error));
    const peers = new MemoryNetwork(clock, ids).join();
    this.delivery = await openDelivery({ journal: sql.journal, bell, peers, clock, onTrouble });
    this.#started.defer(() => this.delivery.close());
    const { store } = sql;
    const membership = await joinCluster({ store, clock, self: peers.self, bus: null, isAlone: true, onTrouble });
    this.#started.defer(() => membership.close());
    const vault = createVault([Buffer.alloc(32, 7)]);
    this.engine.isConnected = true;
    this.core = createCore({
      store,
      cluster: { peers, membership },
      receivers: this.delivery.receivers,
      vault,
      clock,
      ids,
      ...(this.#options.loginRates === undefined ? {} : { loginRates: this.#options.loginRates }),
      engines: () => ({ engines: [this.engine], engineFor: () => this.engine }),
    });
    this.#started.defer(() => this.core.close());
    this.#started.defer(keepCurrent(this.delivery, this.core));
    const { httpLimits, allowedOrigins = [] } = this.#options;
    const listen = [{ host: '127.0.0.1', port: this.port }];
    this.http = new Http({
      listen,
      clock,
      allowedOrigins,
      ...(httpLimits === undefined ? {} : { limits: httpLimits }),
    });
    this.chatApi = mountChatApi({
      ...this.core,
      http: this.http,
      delivery: this.delivery,
      clock,
      ids,
      domain: 'example.test',
      settings: { secret: 'demo-secret', tokenKey: vault.derive('tokens'), limits: this.#options.limits ?? {} },
      observer: this.#observer(),
    });
    this.#started.defer(() => this.chatApi.close());
    this.#started.defer(() => this.http.close({ drainMs: 500 }));
    await this.http.listen();
    this.port = Number(new URL(this.http.urls[0]!).port);
  }

  #observer() {
    const note = (what: string) => () => void this.seen.push(what);
    return {
      opened: note('opened'),
      messageSent: () => undefined,
      closed: note('closed'),
      loggedIn: (user: string) => void this.seen.push(`logged in ${user}`),
      loginFailed: (_address: string, account: string) => void this.seen.push(`login failed ${account}`),
      limitHit: (name: string) => void this.seen.push(`limit ${name}`),
      slowReader: (user: string) => void this.seen.push(`slow ${user}`),
      trouble: (what: string, error: unknown) => void this.troubles.push(`${what}: ${String(error)}`),
    };
  }
}
