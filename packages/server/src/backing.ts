import { createMemoryBell, MemoryNetwork } from './adapters/bus-memory/index.ts';
import { connectBus } from './adapters/bus-nats/index.ts';
import { createStoreSql, type SqlStore } from './adapters/store-sql/index.ts';
import type { Config } from './config/index.ts';
import type { Peers, TielineBell } from './core/index.ts';
import type { Clock, Ids } from './kit/index.ts';
import type { Log } from './observe/index.ts';
import { storePlace } from './store-place.ts';

const DAY_MS = 24 * 3_600_000;

/** What a node stands on: the store, and the way to the other nodes. */
export interface Backing {
  readonly sql: Pick<SqlStore, 'store' | 'journal' | 'figures'>;
  readonly bell: TielineBell;
  readonly peers: Peers;
  /** Name of the bus, the same on all nodes; null: none. */
  readonly bus: string | null;
  /** The store has one owner, which this process is. */
  readonly isAlone: boolean;
  /** False while the other nodes can't be reached. */
  readonly isBusConnected: boolean;
  close(): Promise<void>;
}

/** @throws what the database or the bus say that can't be reached; nothing is left open then */
export async function openBacking(
  config: Config,
  parts: { readonly clock: Clock; readonly ids: Ids; readonly log: Log },
): Promise<Backing> {
  const { clock, ids, log } = parts;
  await using opening = new AsyncDisposableStack();
  const bus = await openBus(config, parts);
  opening.defer(() => bus.close());
  const sql = await createStoreSql({
    ...storePlace(config.database),
    bell: bus.bell,
    clock,
    ids,
    log: log.part('store'),
    retentionMs: config.journal.keepDays * DAY_MS,
  });
  opening.defer(() => sql.close());
  const opened = opening.move();
  return {
    sql,
    bell: bus.bell,
    peers: bus.peers,
    bus: config.bus.kind === 'nats' ? config.cluster.name : null,
    isAlone: config.database.kind === 'sqlite',
    get isBusConnected() {
      return bus.isConnected;
    },
    close: () => opened.disposeAsync(),
  };
}

interface Bus {
  readonly bell: TielineBell;
  readonly peers: Peers;
  readonly isConnected: boolean;
  close(): Promise<void>;
}

function openBus(
  { bus, cluster }: Config,
  { clock, ids, log }: { readonly clock: Clock; readonly ids: Ids; readonly log: Log },
): Promise<Bus> {
  if (bus.kind === 'nats') return connectBus({ url: bus.url, tls: bus.tls, cluster: cluster.name, clock, ids, log });
  const peers = new MemoryNetwork(clock, ids).join();
  return Promise.resolve({ bell: createMemoryBell(), peers, isConnected: true, close: () => peers.close() });
}
