/**
 * Stored one-to-one chat over AppWebsocket, against the bare relay and against the same without storing. The marks stand against
 * the relay, as the products of two: of storing against not storing, and of one-to-one against the relay. Whatever makes the way of a
 * text faster would else count against storing it.
 */
import type { BenchRow } from '../../scripts/bench.ts';
import { Agent } from './agent/agent.ts';
import type { Surface, UserKind } from './agent/load.ts';
import { type Contender, profiled, ratioRow, rotate } from './measure.ts';
import { pinThread, threadSeconds } from './subject/cpu.ts';
import { CORES } from './subject/pinned.ts';
import type { Subject } from './subject/subject.ts';
import { BenchWorld, startBare } from './subject/world.ts';

const PAIRS = 200;
const UNIT = 'messages';

interface Part {
  readonly name: string;
  readonly hasOwnCore: boolean;
  readonly windows: readonly { readonly window: number; readonly goal: number; readonly floor: number }[];
}

/** The marks of one-to-one chat that is not stored. */
const UNSTORED: Readonly<Record<number, { readonly goal: number; readonly floor: number }>> = {
  1: { goal: 1.0, floor: 0.7 },
  8: { goal: 1.2, floor: 0.8 },
};

const PARTS: readonly Part[] = [
  {
    name: 'stored, worker on the same core',
    hasOwnCore: false,
    windows: [
      { window: 1, goal: 0.45, floor: 0.3 },
      { window: 8, goal: 0.4, floor: 0.25 },
    ],
  },
  {
    name: 'stored, worker on a core of its own',
    hasOwnCore: true,
    windows: [
      { window: 1, goal: 0.75, floor: 0.5 },
      { window: 8, goal: 0.6, floor: 0.35 },
    ],
  },
];

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using relay = await startBare('relay');
  await using tieline = await world.start();
  await using agent = new Agent();
  const open = async (subject: Subject, surface: Surface, users: UserKind): Promise<Contender> => ({
    subject,
    load: await agent.open({ kind: 'pairs', surface, ports: [subject.port], pairs: PAIRS, users, hasMarkup: false }),
  });
  const bare = await open(relay, 'bare', 'u');
  const [unstored, stored] = [await open(tieline, 'appws', 'u'), await open(tieline, 'appws', 's')];
  const rows: BenchRow[] = [];
  for (const { name: part, hasOwnCore, windows } of PARTS) {
    const own = hasOwnCore ? { ...stored, cpuSeconds: await giveCore(stored) } : stored;
    for (const { window, goal, floor } of windows) {
      const name = `${part}, window ${window}`;
      const [base, volatile, result] = await profiled(tieline, name, () => rotate([bare, unstored, own], { window }));
      const of = UNSTORED[window]!;
      rows.push(
        ratioRow({ name, unit: UNIT, goal: product(goal, of.goal), floor: product(floor, of.floor) }, base!, result!),
        ratioRow({ name: `${name}, against not storing`, unit: UNIT, goal, floor: null }, volatile!, result!),
      );
    }
  }
  return rows;
}

/**
 * Moves the thread that writes to a core of its own. Both cores work at the same time then, so what counts is the time of the
 * busier one.
 */
async function giveCore({ subject, load }: Contender): Promise<() => number> {
  const before = threadSeconds(subject.pid);
  await load.start({ window: 8 });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await load.stop();
  const spent = [...threadSeconds(subject.pid)].map(
    ([tid, seconds]) => [tid, seconds - (before.get(tid) ?? 0)] as const,
  );
  const [writer] = spent.filter(([tid]) => tid !== subject.pid).sort((a, b) => b[1] - a[1])[0]!;
  pinThread(writer, CORES.agent);
  return () => busierCore(subject, writer);
}

function busierCore(subject: Subject, writer: number): number {
  const writing = threadSeconds(subject.pid).get(writer) ?? 0;
  return Math.max(writing, subject.cpuSeconds() - writing);
}

/** Of two marks, as one. */
function product(a: number, b: number): number {
  return Math.round(a * b * 100) / 100;
}
