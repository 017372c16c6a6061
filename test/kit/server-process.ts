import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './wait.ts';

const BINARY = fileURLToPath(new URL('../../packages/server/bin/tieline.js', import.meta.url));
const STARTS_WITHIN_MS = 90_000;

/** How a command has ended, and all that it said. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly output: string;
}

/** The demo world as people run it: `tieline serve`, a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string>>;
  readonly #data: string;
  #child: ChildProcess | null = null;
  #output = '';
  port = 0;

  private constructor(data: string, env: Readonly<Record<string, string>>) {
    this.#data = data;
    this.#env = env;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), 'tieline-process-')), env);
    await server.start();
    return server;
  }

  /** Runs `tieline serve` where it is expected to end by itself. */
  static async fail(env: Readonly<Record<string, string>>): Promise<CommandOutcome> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), 'tieline-process-')), env);
    try {
      return await server.command('serve');
    } finally {
      await server.close();
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  get output(): string {
    return this.#output;
  }

  /** The folder of its data. */
  get data(): string {
    return this.#data;
  }

  /** Runs another command of `tieline` with the same settings. */
  async command(...args: readonly string[]): Promise<CommandOutcome> {
    const child = spawn(process.execPath, [BINARY, ...args], {
      env: this.#settings(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = await once(child, 'close');
    return { code: typeof code === 'number' ? code : null, output };
  }

  async start(): Promise<void> {
    this.#output = '';
    const child = spawn(process.execPath, [BINARY, 'serve'], {
      env: this.#settings(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    const started = await until(
      () =>
        /is ready: http:\/\/[^:]+:(\d+)/.exec(this.#output) ?? (child.exitCode === null ? undefined : this.#failed()),
      'the server to start',
      STARTS_WITHIN_MS,
    );
    this.port = Number(started[1]);
  }

  /** Sends a signal and waits until the process has ended. @returns its exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#child = null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  }

  /** Resident memory, in bytes, as the server's own figures say. */
  async memory(): Promise<number> {
    return this.figure('tieline_process_resident_memory_bytes');
  }

  /** One figure of `/metrics`; with several labels their sum. */
  async figure(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (lines.length === 0) throw new Error(`no figure ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.#data, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #settings(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      TIELINE_DEMO: '1',
      TIELINE_DATA: this.#data,
      TIELINE_LOG_LEVEL: 'error',
      HOST: '127.0.0.1',
      PORT: String(this.port),
      SIP_PORT: '0',
      ...this.#env,
    };
  }

  #failed(): never {
    throw new Error(`the server ended: ${this.#output}`);
  }
}
