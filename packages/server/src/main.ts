import { createMemoryBell } from './adapters/bus-memory/index.ts';
import type { EngineLog } from './adapters/engine-tapi/index.ts';
import { createStoreSql } from './adapters/store-sql/index.ts';
import type { Config } from './config/index.ts';
import type { CallEngine } from './core/calls/index.ts';
import { createVault } from './core/directory/index.ts';
import { type Core, createCore } from './core/index.ts';
import { directoryStream } from './core/journal/index.ts';
import { type Delivery, openDelivery } from './delivery/index.ts';
import { createDemoWorld } from './demo-world.ts';
import { createEngine } from './engines.ts';
import { Http } from './http/index.ts';
import { randomIds, systemClock } from './kit/index.ts';
import { mountPages } from './pages.ts';
import { mountAppWs } from './protocols/appws/index.ts';
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

/**
 * Starts a node: store, delivery, core, surfaces, listeners, in this order; `close` ends them in the other.
 * @throws what a part says that can't start; nothing is left running then
 */
export async function startServer(config: Config): Promise<Server> {
  const started = new AsyncDisposableStack();
  try {
    return await start(config, started);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(config: Config, started: AsyncDisposableStack): Promise<Server> {
  const clock = systemClock;
  const ids = randomIds;
  const { domain } = config;
  const bell = createMemoryBell();
  const sql = await createStoreSql({
    ...storePlace(config.database),
    bell,
    clock,
    ids,
    retentionMs: config.journal.keepDays * 24 * 3_600_000,
  });
  started.defer(() => sql.close());
  const { store, journal } = sql;
  const delivery = await openDelivery({ journal, bell, clock, onTrouble: () => undefined });
  started.defer(() => delivery.close());

  let engine: CallEngine | null = null;
  const core = createCore({
    store,
    receivers: delivery.receivers,
    vault: createVault(secretKeys(config)),
    clock,
    ids,
    loginRates: config.login,
    listenGraceMs: config.tapi.registry.stopGraceMs,
    engines({ exchange, directory }) {
      const made = createEngine({ tapi: config.tapi, exchange, directory, clock, log: quiet });
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

  const http = new Http(httpOptions(config));
  started.defer(() => http.close({ drainMs: config.http.drainMs }));
  const parts = { http, ...core, delivery, clock, ids, domain };
  mountAppWs({ ...parts, observer: silent });
  mountPages(http);
  await http.listen();
  const [url] = http.urls;
  if (url === undefined) throw new Error('Nothing to listen on.');
  if (config.demo) await createDemoWorld(core.directory, config.http.publicUrl ?? url);

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

const quiet: EngineLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const silent = {
  opened: () => undefined,
  closed: () => undefined,
  loggedIn: () => undefined,
  loginFailed: () => undefined,
  limitHit: () => undefined,
  slowReader: () => undefined,
  trouble: (what: string, error: unknown) => console.error(what, error),
};
