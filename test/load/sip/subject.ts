import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Endpoint } from '@tieline/sip';
import type { Usage } from './subject-process.ts';

/** The server that is measured, pinned to a core of its own. */
export interface Subject {
  readonly local: Endpoint;
  /** What it used; `collect` clears garbage away first. */
  usage(question?: 'usage' | 'collect'): Promise<Usage>;
  stop(): Promise<void>;
}

/** Cores: the subject's and the load agent's. */
export const SUBJECT_CORE = ['taskset', '-c', '0'];
export const AGENT_CORE = ['taskset', '-c', '1'];

export async function startSubject(mode: 'plain' | 'digest' | 'registrar', target?: Endpoint): Promise<Subject> {
  const file = new URL('./subject-process.ts', import.meta.url).pathname;
  const flags = ['--expose-gc', '--conditions=source', '--disable-warning=ExperimentalWarning'];
  const place = target === undefined ? '' : `${target.address}:${target.port}`;
  const [taskset = '', ...cores] = SUBJECT_CORE;
  const child = spawn(taskset, [...cores, process.execPath, ...flags, file, mode, place], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  const [{ port }] = (await Promise.race([once(child, 'message'), died])) as [{ port: number }];
  died.catch(() => undefined);
  return {
    local: { address: '127.0.0.1', port },
    async usage(question = 'usage') {
      child.send(question);
      const [usage] = (await once(child, 'message')) as [Usage];
      return usage;
    },
    async stop() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

const TICKS_PER_SECOND = 100;

/** Processor time of a process and those it started, in seconds. */
export function cpuSecondsOf(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return children.reduce((sum, child) => sum + cpuSecondsOf(Number(child)), own);
  } catch (error) {
    // It has ended.
    if (error instanceof Error && 'code' in error) return 0;
    throw error;
  }
}
