import { type Backing, openBacking } from './backing.ts';
import { countPeers, reportCluster } from './cluster-reports.ts';
import type { Config } from './config/index.ts';
import { createVault } from './core/directory/index.ts';
import { type Core, createCore, handOver, joinCluster, watchPeers } from './core/index.ts';
import { type Delivery, keepCurrent, openDelivery } from './delivery/index.ts';
import { createDemoWorld } from './demo-world.ts';
import { createEngine } from './engines.ts';
import { addressTest, createHops, Http, type HttpOptions } from './http/index.ts';
import { Problem, randomIds, reasonOf, systemClock } from './kit/index.ts';
import {
  createLog,
  createMetrics,
  type HealthParts,
  listenerObserver,
  type Log,
  registerHealth,
} from './observe/index.ts';
import { openOtherNodes } from './other-nodes.ts';
import { mountPages } from './pages.ts';
import { secretKeys } from './secret-keys.ts';
import { mountSurfaces } from './surfaces.ts';

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
  /** In place of what the settings name: several nodes of one process on one store. Whoever has opened it closes it. */
  readonly backing?: Backing;
}

/**
 * Starts a node: store and bus, delivery, core, surfaces, listeners, in this order; `close` ends them in the other.
 * @throws what a part says that can't start; nothing is left running then
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<Server> {
  const started = new AsyncDisposableStack();
  const { log = createLog(config.log), backing } = options;
  try {
    return await start(config, { log, backing }, started);
  } catch (error) {
    const code = error instanceof Problem ? error.code : undefined;
    log.error('server.start-failed', { code, reason: reasonOf(error) });
    await started.disposeAsync();
    throw error;
  }
}

async function start(
  config: Config,
  options: { readonly log: Log; readonly backing: Backing | undefined },
  started: AsyncDisposableStack,
): Promise<Server> {
  const clock = systemClock;
  const ids = randomIds;
  const { log } = options;
  const metrics = started.adopt(createMetrics(), (m) => m.close());
  const backing = options.backing ?? (await openBacking(config, { clock, ids, log }));
  if (options.backing === undefined) started.defer(() => backing.close());
  const { bell } = backing;
  const peers = countPeers(backing.peers);
  const { store, journal } = backing.sql;
  const delivery = await openDelivery({
    journal,
    bell,
    peers,
    clock,
    maxSessionsPerUser: config.delivery.sessionsPerUser,
    onTrouble: (error) => log.warn('delivery.trouble', { reason: reasonOf(error) }),
  });
  started.defer(() => delivery.close());

  const membership = await joinCluster({
    store,
    clock,
    self: peers.self,
    bus: backing.bus,
    isAlone: backing.isAlone,
    onTrouble: (error) => log.warn('cluster.trouble', { reason: reasonOf(error) }),
    log,
  });
  started.defer(() => membership.close());
  const cluster = { peers, membership };
  started.defer(watchPeers(cluster));

  const vault = createVault(secretKeys(config));
  const core = createCore({
    store,
    cluster,
    receivers: delivery.receivers,
    vault,
    clock,
    ids,
    loginRates: config.login,
    log: log.part('calls'),
    presenceLingerMs: config.presence.lingerMs,
    listenGraceMs: config.tapi.registry.stopGraceMs,
    engines({ exchange, directory }) {
      const engine = createEngine({
        tapi: config.tapi,
        exchange,
        directory,
        cluster,
        isAlone: backing.isAlone,
        clock,
        ids,
        log: log.part('engine'),
      });
      return { engines: [engine], engineFor: () => engine };
    },
  });
  for (const engine of core.engines) started.defer(() => engine.close());
  started.defer(() => core.close());
  started.defer(keepCurrent(delivery, core));

  const observer = listenerObserver({ log, metrics, clock });
  const hops = createHops({ keys: vault.deriveAll('node-hops'), self: peers.self, clock });
  const http = new Http({ ...httpOptions(config), observer, hops });
  const otherNodes = openOtherNodes({ config, peers, http, hops, observer, clock });
  started.defer(() => otherNodes.close());
  const surfaces = mountSurfaces({ config, http, core, otherNodes, delivery, vault, clock, ids, log, metrics });
  started.defer(() => surfaces.close());
  started.defer(() => http.close({ drainMs: config.http.drainMs }));
  let isReady = false;
  registerHealth({
    app: http.app,
    log,
    metrics,
    telephony: () => ({
      tapi: core.engines.every((engine) => engine.isConnected) ? 'connected' : 'disconnected',
      sessions: surfaces.tapiSessions,
      phones: core.calls.figures().numbers,
    }),
    isDraining: () => http.isDraining || !isReady,
    checks: {
      store: async () => {
        await store.read('directory.is-empty', null);
        return backing.sql.figures().isAvailable;
      },
      bus: () => backing.isBusConnected,
      lease: () => membership.isLive,
    },
    ...metricsReaders(config, http),
  });
  started.defer(reportCluster({ cluster: { peers, membership }, backing, delivery, log, metrics }));
  metrics.watchStore(() => backing.sql.figures());
  metrics.watchDelivery(() => delivery.size);
  metrics.watchCalls(() => core.calls.figures().live);
  if (!mountPages(http)) log.warn('pages.missing', { hint: 'npm run build' });

  // Before anybody can connect, so that nobody finds his account missing; a port that the system picks is known only later.
  const known = knownUrl(config);
  if (config.demo && known !== null) await createDemoWorld(core.directory, known);
  await http.listen();
  otherNodes.listens();
  // The first thing at the end: what this node alone has goes to others while it still answers.
  started.defer(async () => {
    otherNodes.leaves();
    await handOver(cluster);
  });
  const [url = ''] = http.urls;
  if (config.demo && known === null) await createDemoWorld(core.directory, url);
  isReady = true;
  log.info('server.started', { urls: http.urls, domain: config.domain, demo: config.demo });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= started.disposeAsync());
  const port = Number(new URL(url).port);
  return { urls: http.urls, url, port, core, delivery, close, [Symbol.asyncDispose]: close };
}

/** Where clients reach this server, as far as that is known before it listens. */
function knownUrl({ http: { publicUrl, listen } }: Config): string | null {
  const [{ port, tls }] = listen;
  if (publicUrl !== null) return publicUrl;
  return port === 0 ? null : `${tls === undefined ? 'http' : 'https'}://localhost:${port}`;
}

function httpOptions(config: Config): HttpOptions {
  const { listen, names, allowedOrigins, trustProxy, limits } = config.http;
  return { listen, names, allowedOrigins, trustProxy, limits };
}

function metricsReaders(config: Config, http: Http): Pick<HealthParts, 'mayReadMetrics' | 'metricsToken'> {
  const mayRead = addressTest(config.metrics.allow);
  return {
    mayReadMetrics: (request) => mayRead(http.addresses.addressOf(request)),
    metricsToken: config.metrics.token,
  };
}
