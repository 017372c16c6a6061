/** What the benchmarks of the goal table have in common: rotations, ratios per second of the server's processor time, rows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRow } from '../../scripts/bench.ts';
import type { AgentLoad } from './agent/agent.ts';
import { MAX_AGENT_SHARE, median } from './agent/figures.ts';
import type { Drive } from './agent/load.ts';
import type { Subject } from './subject/subject.ts';

/** Processor time that one stretch of load takes from its server, and how many of them. */
const STRETCH_SECONDS = 0.7;
/** Before them: until the engine has compiled what is hot, the more the more code there is, on the server's one core. */
const WARM_UP_SECONDS = 4;
const ROTATIONS = 3;
/** By the clock, where other programs take the core, or the server waits for its disk. */
const STRETCH_MAX_MS = 8_000;
const LOOK_EVERY_MS = 20;

/** A load on its server. */
export interface Contender {
  readonly subject: Subject;
  readonly load: AgentLoad;
  /** What of the server's time counts; all of it where nothing is said. */
  readonly cpuSeconds?: () => number;
}

export interface Stretch {
  /** Done for each second of the server's processor time. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly agentShare: number;
  readonly latenciesMs: readonly number[];
}

/** Drives the load until its server has spent so much time, or so much has passed by the clock. */
export async function stretch(
  { subject, load, ...own }: Contender,
  drive: Drive,
  seconds: number,
  maxMs = STRETCH_MAX_MS,
): Promise<Stretch> {
  const cpu = own.cpuSeconds ?? ((): number => subject.cpuSeconds());
  const [before, atMs] = [cpu(), performance.now()];
  await load.start(drive);
  while (cpu() - before < seconds && performance.now() - atMs < maxMs)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  const { count, agentShare, latenciesMs, seconds: lasted } = await load.stop();
  return { perCpuSecond: count / (cpu() - before), perSecond: count / lasted, agentShare, latenciesMs };
}

/** The medians of several stretches, of all contenders in turn, so that whatever else the machine does hits all of them. */
export async function rotate(contenders: readonly Contender[], drive: Drive): Promise<readonly Stretch[]> {
  const all: Stretch[][] = contenders.map(() => []);
  for (let round = 0; round <= ROTATIONS; round++)
    for (const [index, contender] of contenders.entries()) {
      const result = await stretch(contender, drive, round === 0 ? WARM_UP_SECONDS : STRETCH_SECONDS);
      if (round > 0) all[index]!.push(result);
    }
  return all.map((stretches) => ({
    perCpuSecond: median(stretches.map(({ perCpuSecond }) => perCpuSecond)),
    perSecond: median(stretches.map(({ perSecond }) => perSecond)),
    agentShare: median(stretches.map(({ agentShare }) => agentShare)),
    latenciesMs: stretches.flatMap(({ latenciesMs }) => latenciesMs),
  }));
}

export interface Mark {
  readonly name: string;
  readonly unit: string;
  readonly goal: number | null;
  readonly floor: number | null;
}

/** One line of the goal table: how much is done for a second of the server's core, and how that compares. */
export function ratioRow({ name, unit, goal, floor }: Mark, base: Stretch, own: Stretch): BenchRow {
  const ratio = own.perCpuSecond / base.perCpuSecond;
  const isVoid = own.agentShare > MAX_AGENT_SHARE;
  return { name, value: own.perCpuSecond, unit, ratio, goal, floor, agentShare: own.agentShare, isVoid };
}

/** With BENCH_PROFILE=folder: what the server spends its time on while `work` runs, as a profile for Chrome's tools. */
export async function profiled<T>(subject: Subject, name: string, work: () => Promise<T>): Promise<T> {
  const folder = process.env['BENCH_PROFILE'];
  if (folder === undefined || folder === '') return work();
  const stop = await subject.inspector.profile();
  try {
    return await work();
  } finally {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name.replaceAll(/\W+/g, '-')}.cpuprofile`), await stop());
  }
}
