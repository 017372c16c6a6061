import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpuSeconds } from './cpu.ts';
import { Inspector } from './inspector.ts';
import { pinned } from './pinned.ts';

const STARTS_WITHIN_MS = 60_000;

/** A server that is measured: a process on the servers' core, and the port it says it listens on. */
export class Subject implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly inspector: Inspector;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, port: number, inspector: Inspector) {
    this.name = name;
    this.#child = child;
    this.port = port;
    this.inspector = inspector;
  }

  /**
   * @param ready finds the port in what the program prints
   * @throws with what it printed, where it ends or says nothing
   */
  static async start(
    name: string,
    command: readonly [string, ...string[]],
    { ready, env = {} }: { readonly ready: RegExp; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Subject> {
    const [program, ...args] = pinned('server', command);
    // Asked for by a signal only where the memory is measured or a profile is wanted.
    const options = `--inspect-port=127.0.0.1:0`;
    const child = spawn(program, args, {
      env: { ...process.env, NODE_OPTIONS: options, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const inspector = new Inspector(child);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-10_000);
        const port = ready.exec(output)?.[1];
        if (port !== undefined) resolve(Number(port));
        inspector.heard(text);
      });
    const late = setTimeout(() => reject(new Error(`${name} does not start: ${output}`)), STARTS_WITHIN_MS);
    child.once('exit', () => reject(new Error(`${name} ended: ${output}`)));
    try {
      return new Subject(name, child, await promise, inspector);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.inspector.close();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
