import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { canPin } from './pinned.ts';

const TICKS_PER_SECOND = 100;

function ticksOf(stat: string): number {
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Processor time of a process so far, all its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  return ticksOf(`/proc/${pid}/stat`) / TICKS_PER_SECOND;
}

/** The same for each of its threads. */
export function threadSeconds(pid: number): ReadonlyMap<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return new Map(threads.map((tid) => [tid, ticksOf(`/proc/${pid}/task/${tid}/stat`) / TICKS_PER_SECOND]));
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Gives one thread a core of its own. */
export function pinThread(tid: number, core: number): void {
  if (canPin) execFileSync('taskset', ['-p', '-c', String(core), String(tid)], { stdio: 'ignore' });
}
