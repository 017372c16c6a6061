import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./store-child.ts', import.meta.url));

/** A message that the store has acknowledged to a process of its own. */
export interface Acknowledged {
  readonly id: string;
  readonly conversation: string;
  readonly seq: number;
}

/** What the process printed, as it came. */
export interface StoreWriter {
  readonly process: ChildProcess;
  readonly acknowledged: readonly Acknowledged[];
  /** The other lines: `open`, `done`, `refused`, `failed`. */
  readonly said: readonly string[];
  /** Resolves with the exit code, null after a signal, when everything it printed was read. */
  readonly ended: Promise<number | null>;
}

/** Starts store-child.ts, under `wrapper` (a program and its arguments) where one is given. */
export function startWriter(
  ask: { readonly file: string; readonly senders: number; readonly window: number; readonly messages: number },
  wrapper: readonly string[] = [],
): StoreWriter {
  const own = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning', CHILD];
  const [program = '', ...args] = [...wrapper, ...own, ask.file, ask.senders, ask.window, ask.messages].map(String);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: Acknowledged[] = [];
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const match = /^ack (\S+) (\S+) ([0-9]+)$/.exec(line);
    if (match === null) said.push(line);
    else acknowledged.push({ id: match[1]!, conversation: match[2]!, seq: Number(match[3]) });
  });
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code]]) => code as number | null);
  return { process: child, acknowledged, said, ended };
}
