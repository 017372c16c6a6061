import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBell, MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import type { TielineStore } from '../../packages/server/src/core/index.ts';
import { Problem, randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { type Server, startServer } from '../../packages/server/src/main.ts';

/** Several nodes of one demo world in this process: one SQLite store, one bell, one network of peers. */
export interface Nodes extends AsyncDisposable {
  readonly nodes: readonly Server[];
  /** The store that all of them share. */
  readonly store: TielineStore;
  /** One more. */
  start(): Promise<Server>;
  /**
   * A node goes without a word: it reaches neither the others nor the store any more, and its lease is over. What is left of it is
   * put away.
   */
  kill(node: Server): Promise<void>;
}

interface Running {
  readonly stop: () => Promise<void>;
  readonly die: () => Promise<void>;
}

const away = (): Problem => new Problem('store-unavailable', 'This node is dead.', { retry: true });

/** A dead node's last words to the store are not heard. */
function ignoreAway(error: unknown): void {
  if (error instanceof SuppressedError) {
    ignoreAway(error.error);
    ignoreAway(error.suppressed);
  } else if (!(error instanceof Problem) || error.code !== 'store-unavailable') throw error;
}

/** `env`: settings as the server reads them. */
export async function startNodes(count: number, env: Readonly<Record<string, string>> = {}): Promise<Nodes> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tieline-nodes-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const [clock, ids, bell] = [systemClock, randomIds, createMemoryBell()];
  const sql = await createStoreSql({ file: join(folder, 'tieline.db'), bell, clock, ids });
  opening.defer(() => sql.close());
  const network = new MemoryNetwork(clock, ids);
  const running = new Map<Server, Running>();
  opening.defer(async () => void (await Promise.all([...running.values()].map(({ stop }) => stop()))));

  async function start(): Promise<Server> {
    const peers = network.join();
    let isCut = false;
    const store: TielineStore = {
      write: (kind, input) => (isCut ? Promise.reject(away()) : sql.store.write(kind, input)),
      read: (kind, input) => (isCut ? Promise.reject(away()) : sql.store.read(kind, input)),
    };
    const config = loadConfig({
      env: {
        TIELINE_DEMO: '1',
        TIELINE_DATA: folder,
        TIELINE_LOG_LEVEL: 'error',
        TIELINE_HTTP_DRAIN_MS: '200',
        HOST: '127.0.0.1',
        PORT: '0',
        SIP_PORT: '0',
        ...env,
      },
    });
    const backing = {
      sql: { ...sql, store },
      bell,
      peers,
      bus: 'memory',
      isAlone: false,
      isBusConnected: true,
      close: () => peers.close(),
    };
    const server = await startServer(config, { backing });
    async function stop(): Promise<void> {
      running.delete(server);
      await server.close();
      await peers.close();
    }
    async function die(): Promise<void> {
      isCut = true;
      await peers.close();
      // What the others would find after its ten seconds.
      const { self: node } = peers;
      await sql.store.write('cluster.renew', { node, bus: 'memory', leaseMs: -1, roles: [], isAlone: false });
      await stop().catch(ignoreAway);
    }
    running.set(server, { stop, die });
    return server;
  }

  for (let i = 0; i < count; i++) await start();
  const opened = opening.move();
  return {
    get nodes() {
      return [...running.keys()];
    },
    store: sql.store,
    start,
    async kill(node) {
      await running.get(node)?.die();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
