/** What an idle session holds: resident memory for each, from one count of sessions to another, garbage cleared away at both. */
import type { BenchRow } from '../../scripts/bench.ts';
import { isSoak } from '../kit/scale.ts';
import { Agent } from './agent/agent.ts';
import { slope } from './agent/figures.ts';
import type { IdleSurface } from './agent/load.ts';
import { residentBytes } from './subject/cpu.ts';
import type { Subject } from './subject/subject.ts';
import { BenchWorld, startBare } from './subject/world.ts';

/** The table's counts take minutes; TIELINE_SOAK asks for them. */
const [FROM, TO] = isSoak ? [2_000, 8_000] : [500, 2_000];

const KB = 1_024;

interface Part {
  readonly name: string;
  readonly surface: IdleSurface;
  readonly goalKb?: number;
  readonly floorKb?: number;
}

const PARTS: readonly Part[] = [
  { name: 'bare', surface: 'bare' },
  { name: 'AppWebsocket', surface: 'appws', goalKb: 10, floorKb: 16 },
  { name: 'AppWebsocket with a registration', surface: 'appws-registered', goalKb: 16 },
  { name: 'STOMP, listening to messages', surface: 'stomp', goalKb: 10, floorKb: 16 },
  { name: 'Chat API, event stream', surface: 'chat-api', goalKb: 10, floorKb: 16 },
];

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using agent = new Agent();
  const rows: BenchRow[] = [];
  for (const { name, surface, goalKb, floorKb } of PARTS) {
    // Each on a server of its own: what one surface has freed would be room for the next.
    await using subject = surface === 'bare' ? await startBare('relay') : await world.start();
    const value = (await bytesOfEach(agent, subject, surface)) / KB;
    rows.push({
      name: `idle session, ${name}, ${FROM} to ${TO}`,
      value,
      unit: 'KB',
      ...(goalKb === undefined ? {} : { goal: goalKb }),
      ...(floorKb === undefined ? {} : { ceiling: floorKb }),
    });
  }
  return rows;
}

async function bytesOfEach(agent: Agent, subject: Subject, surface: IdleSurface): Promise<number> {
  const load = await agent.open({ kind: 'idle', surface, port: subject.port });
  const at = async (count: number): Promise<readonly [number, number]> => {
    await load.grow(count);
    await subject.inspector.collectGarbage();
    return [count, residentBytes(subject.pid)];
  };
  const from = await at(FROM);
  const to = await at(TO);
  await load.close();
  return slope(from, to);
}
