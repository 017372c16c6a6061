import { createMemoryBell } from './adapters/bus-memory/index.ts';
import { createStoreSql } from './adapters/store-sql/index.ts';
import type { Config } from './config/index.ts';
import type { CallEngine } from './core/calls/index.ts';
import { createVault } from './core/directory/index.ts';
import { type Core, createCore } from './core/index.ts';
import { directoryStream } from './core/journal/index.ts';
import { type Delivery, openDelivery } from './delivery/index.ts';
import { createDemoWorld } from './demo-world.ts';
import { createEngine } from './engines.ts';
import { addressTest, Http } from './http/index.ts';
import { randomIds, reasonOf, systemClock } from './kit/index.ts';
import {
  createLog,
  createMetrics,
  listenerObserver,
  type Log,
  registerHealth,
  surfaceObserver,
} from './observe/index.ts';
import { mountPages } from './pages.ts';
import { mountAppWs } from './protocols/appws/index.ts';
import { mountChatApi } from './protocols/chat-api/index.ts';
import { secretKeys } from './secret-keys.ts';

/** One running node. */
export interface Server extends AsyncDisposable {
  /** Base URLs in the order of the configured listeners. */
  readonly urls: readonly string[];
  /** The first of them, and its port. */
  readonly url: string;
  readonly port: number;
  readonly core: Core;
  readonly delivery: Delivery;
  /** Drains and stops; repeated calls wait for the first. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** In place of the configured one. */
  readonly log?: Log;
}

/**
 * Starts a node: store, delivery, core, surfaces, listeners, in this order; `close` ends them in the other.
 * @throws what a part says that can't start; nothing is left running then
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<Server> {
  const started = new AsyncDisposableStack();
  try {
    return await start(config, options, started);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(config: Config, options: StartOptions, started: AsyncDisposableStack): Promise<Server> {
  const clock = systemClock;
  const ids = randomIds;
  const { domain } = config;
  const { log = createLog(config.log) } = options;
  const metrics = createMetrics();
  const observed = { log, metrics, clock };
  started.defer(() => metrics.close());
  const bell = createMemoryBell();
  const sql = await createStoreSql({
    ...storePlace(config.database),
    bell,
    clock,
    ids,
    log: log.part('store'),
    retentionMs: config.journal.keepDays * 24 * 3_600_000,
  });
  started.defer(() => sql.close());
  const { store, journal } = sql;
  const delivery = await openDelivery({
    journal,
    bell,
    clock,
    onTrouble: (error) => log.warn('delivery.trouble', { reason: reasonOf(error) }),
  });
  started.defer(() => delivery.close());

  let engine: CallEngine | null = null;
  let isReady = false;
  const vault = createVault(secretKeys(config));
  const core = createCore({
    store,
    receivers: delivery.receivers,
    vault,
    clock,
    ids,
    loginRates: config.login,
    log: log.part('calls'),
    listenGraceMs: config.tapi.registry.stopGraceMs,
    engines({ exchange, directory }) {
      const made = createEngine({ tapi: config.tapi, exchange, directory, clock, log: log.part('engine') });
      engine = made;
      return { engines: [made], engineFor: () => made };
    },
  });
  started.defer(async () => engine?.close());
  started.defer(() => core.close());
  started.defer(
    delivery.follow(directoryStream, ({ event }) => {
      if (event.kind === 'directory') core.directory.changed(event);
    }),
  );

  const http = new Http({ ...httpOptions(config), observer: listenerObserver(observed) });
  const parts = { http, ...core, delivery, clock, ids, domain };
  const chatApi = mountChatApi({
    ...parts,
    settings: { secret: config.chatApi.secret, tokenKey: vault.derive('chat-api tokens') },
    observer: surfaceObserver(observed, 'chat-api'),
  });
  started.defer(() => chatApi.close());
  started.defer(() => http.close({ drainMs: config.http.drainMs }));
  mountAppWs({ ...parts, observer: surfaceObserver(observed, 'appws') });
  registerHealth({
    app: http.app,
    log,
    metrics,
    telephony: () => ({
      tapi: engine?.isConnected === true ? 'connected' : 'disconnected',
      sessions: 0,
      phones: core.calls.figures().numbers,
    }),
    isDraining: () => http.isDraining || !isReady,
    checks: {
      store: async () => {
        await store.read('directory.is-empty', null);
        return true;
      },
    },
    mayReadMetrics: (
      (mayRead) => (req) =>
        mayRead(http.addresses.addressOf(req))
    )(addressTest(config.metrics.allow)),
    metricsToken: config.metrics.token,
  });
  metrics.watchStore(() => sql.figures());
  metrics.watchDelivery(() => delivery.size);
  metrics.watchCalls(() => core.calls.figures().live);
  mountPages(http);
  await http.listen();
  const [url] = http.urls;
  if (url === undefined) throw new Error('Nothing to listen on.');
  if (config.demo) await createDemoWorld(core.directory, config.http.publicUrl ?? url);
  isReady = true;
  log.info('server.started', { urls: http.urls, domain, demo: config.demo });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= started.disposeAsync());
  return {
    urls: http.urls,
    url,
    port: Number(new URL(url).port),
    core,
    delivery,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function storePlace(database: Config['database']): { file: string } | { url: string } {
  return database.kind === 'sqlite' ? { file: database.file } : { url: database.url };
}

function httpOptions(config: Config): ConstructorParameters<typeof Http>[0] {
  const { listen, names, allowedOrigins, trustProxy, limits } = config.http;
  return { listen, names, allowedOrigins, trustProxy, limits };
}
