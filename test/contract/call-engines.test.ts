import { createExchangeEngine } from '../../packages/server/src/adapters/engine-exchange/index.ts';
import { FakeEngine } from '../../packages/server/src/adapters/engine-fake/index.ts';
import { createTapiEngine } from '../../packages/server/src/adapters/engine-tapi/index.ts';
import type { User } from '../../packages/server/src/core/directory/index.ts';
import { createExchange } from '../../packages/server/src/core/exchange/index.ts';
import type { UserId } from '../../packages/server/src/core/journal/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
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
  const exchange = createExchange({ conversations, clock: systemClock, ids: randomIds });
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

callEngineContract('the played engine', async () => {
  const engine = new FakeEngine();
  let next = 1;
  return {
    engine,
    ring: (from, to) => engine.report({ ref: `r${next++}`, number: to, peer: from }),
    close: () => engine.close(),
  };
});
