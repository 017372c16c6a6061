import { MemoryNetwork } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createElectedEngine } from '../../packages/server/src/adapters/engine-elected/index.ts';
import { createExchangeEngine } from '../../packages/server/src/adapters/engine-exchange/index.ts';
import { FakeEngine } from '../../packages/server/src/adapters/engine-fake/index.ts';
import { createTapiEngine } from '../../packages/server/src/adapters/engine-tapi/index.ts';
import type { CallEngine, EngineEvent } from '../../packages/server/src/core/calls/index.ts';
import type { User } from '../../packages/server/src/core/directory/index.ts';
import { createExchange } from '../../packages/server/src/core/exchange/index.ts';
import type { UserId } from '../../packages/server/src/core/journal/index.ts';
import type { Cluster, Membership } from '../../packages/server/src/core/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { loneCluster } from '../kit/lone-cluster.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';
import { callEngineContract } from './call-engine.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

callEngineContract('TapiServer', async () => {
  const simulator = new TapiServerSimulator();
  await simulator.open();
  const engine = createTapiEngine({ host: '127.0.0.1', port: simulator.port, clock: systemClock, log });
  return {
    engine,
    ring: async (from, to) => {
      await until(() => simulator.ring(from, to), 'the number is registered');
    },
    async close() {
      await engine.close();
      await simulator.close();
    },
  };
});

const user = (number: string): User => ({
  id: number.padStart(32, '0') as UserId,
  name: `u${number}`,
  displayName: `User ${number}`,
  cn: `User ${number}`,
  number,
  email: null,
  isAdmin: false,
  hasStorage: true,
  isLocked: false,
  apps: [],
});

callEngineContract('the built-in exchange', async () => {
  const users = [user('201'), user('202'), user('203')];
  const conversations = { send: () => Promise.reject(new Error('no chat here')), typing: () => undefined };
  const [clock, ids] = [systemClock, randomIds];
  const peers = new MemoryNetwork(clock, ids).join();
  const onTrouble = (error: unknown): never => {
    throw error;
  };
  const exchange = createExchange({ conversations, peers, clock, ids, onTrouble });
  const directory = {
    user: (key: { by: string; value: string }) => Promise.resolve(users.find((u) => u.number === key.value) ?? null),
  };
  const engine = createExchangeEngine({ exchange, directory, clock: systemClock });
  return {
    engine,
    ring: async (from, to) => {
      await engine.dial({ from, to });
    },
    close: () => engine.close(),
  };
});

/** Two nodes of which the first one holds the engine. */
async function elect(open: () => CallEngine): Promise<readonly [CallEngine, CallEngine]> {
  const network = new MemoryNetwork(systemClock, randomIds);
  const first = await loneCluster(systemClock, network.join());
  const second = await loneCluster(systemClock, network.join());
  const { self: holder } = first.peers;
  const seek: Membership['seek'] = (_role, changed) => {
    void changed(holder);
    return () => undefined;
  };
  const of = ({ peers, membership }: Cluster): CallEngine =>
    createElectedEngine({
      name: 'x',
      open,
      peers,
      membership: { ...membership, seek },
      clock: systemClock,
      ids: randomIds,
      log,
    });
  return [of(first), of(second)];
}

callEngineContract('an elected TapiServer, on the node that holds it', async () => {
  const simulator = new TapiServerSimulator();
  await simulator.open();
  const open = (): CallEngine => createTapiEngine({ host: '127.0.0.1', port: simulator.port, clock: systemClock, log });
  const [engine, other] = await elect(open);
  return {
    engine,
    ring: async (from, to) => {
      await until(() => simulator.ring(from, to), 'the number is registered');
    },
    async close() {
      await other.close();
      await engine.close();
      await simulator.close();
    },
  };
});

callEngineContract('an elected engine, on the other node', async () => {
  const played = new FakeEngine('fake', { hold: false });
  const [holder, engine] = await elect(() => played);
  let next = 1;
  return {
    // The holder reports for all: its reports are told by the calls themselves.
    engine: Object.assign(engine, { onEvent: (listener: (event: EngineEvent) => void) => holder.onEvent(listener) }),
    ring: (from, to) => played.report({ ref: `r${next++}`, number: to, peer: from }),
    async close() {
      await engine.close();
      await holder.close();
    },
  };
});

callEngineContract('the played engine', async () => {
  const engine = new FakeEngine();
  let next = 1;
  return {
    engine,
    ring: (from, to) => engine.report({ ref: `r${next++}`, number: to, peer: from }),
    close: () => engine.close(),
  };
});
