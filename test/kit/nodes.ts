import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBell, MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql } from '../../packages/server/src/adapters/store-sql/index.ts';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { type Server, startServer } from '../../packages/server/src/main.ts';

/** Several nodes of one demo world in this process: one SQLite store, one bell, one network of peers. */
export interface Nodes extends AsyncDisposable {
  readonly nodes: readonly Server[];
  /** One more. */
  start(): Promise<Server>;
  /** A node goes without a word to the others: its peers are cut off first, then what is left of it is put away. */
  kill(node: Server): Promise<void>;
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
  const running = new Map<Server, () => Promise<void>>();
  opening.defer(async () => void (await Promise.all([...running.values()].map((stop) => stop()))));

  async function start(): Promise<Server> {
    const peers = network.join();
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
      sql,
      bell,
      peers,
      bus: 'memory',
      isAlone: false,
      isBusConnected: true,
      close: () => peers.close(),
    };
    const server = await startServer(config, { backing });
    running.set(server, async () => {
      running.delete(server);
      await server.close();
      await peers.close();
    });
    return server;
  }

  for (let i = 0; i < count; i++) await start();
  const opened = opening.move();
  return {
    get nodes() {
      return [...running.keys()];
    },
    start,
    async kill(node) {
      await node.core.cluster.peers.close();
      await running.get(node)?.();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
