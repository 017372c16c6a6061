/** Two nodes on one PostgreSQL and one NATS: what they do together, against one of them alone. */
import { randomBytes } from 'node:crypto';
import type { BenchRow } from '../../scripts/bench.ts';
import { NatsServer } from '../kit/nats-server.ts';
import { PostgresServer } from '../kit/postgres.ts';
import { Agent } from './agent/agent.ts';
import { ratioRow, rotate, type Stretch } from './measure.ts';
import type { Subject } from './subject/subject.ts';
import { BenchWorld } from './subject/world.ts';

const PAIRS = 100;

export async function run(): Promise<readonly BenchRow[]> {
  await using postgres = await PostgresServer.start();
  await using nats = await NatsServer.start();
  await using world = await BenchWorld.make({
    TIELINE_DATABASE_URL: await postgres.createDatabase(),
    TIELINE_BUS_URL: nats.url,
    TIELINE_SECRET_KEY: randomBytes(32).toString('base64'),
  });
  await using one = await world.start('node 1');
  await using two = await world.start('node 2');
  await using agent = new Agent();
  const [alone] = await measure(agent, one, one);
  const [across] = await measure(agent, one, two);
  const name = 'stored, STOMP, senders and receivers on two nodes, window 8';
  return [ratioRow({ name, unit: 'messages', goal: null, floor: null }, alone!, across!)];
}

/** Senders on one node, receivers on the other. Each has a core of its own: what counts is the time of the busier one. */
async function measure(agent: Agent, from: Subject, to: Subject): Promise<readonly Stretch[]> {
  const load = await agent.open({
    kind: 'pairs',
    surface: 'stomp',
    ports: [from.port, to.port],
    pairs: PAIRS,
    users: 's',
    hasMarkup: false,
  });
  const [before, beforeTo] = [from.cpuSeconds(), to.cpuSeconds()];
  const cpuSeconds = (): number => Math.max(from.cpuSeconds() - before, to.cpuSeconds() - beforeTo);
  try {
    return await rotate([{ subject: from, load, cpuSeconds }], { window: 8 });
  } finally {
    await load.close();
  }
}
