import { availableParallelism } from 'node:os';

/** Cores, where the system can pin processes: the servers' and the load agent's. */
export const CORES = { server: 0, agent: 1 } as const;
export const canPin = process.platform === 'linux' && availableParallelism() >= 2;

/** The command that runs this one on its core; as it is where that can't be had. */
export function pinned(
  role: keyof typeof CORES,
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return canPin ? ['taskset', '-c', String(CORES[role]), ...command] : command;
}
