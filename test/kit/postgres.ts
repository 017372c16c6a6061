import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { findProgram } from './peer.ts';
import { until } from './wait.ts';

/** Programs that a suite with PostgreSQL needs. */
export const POSTGRES_PROGRAMS = ['initdb', 'postgres'] as const;

/** PostgreSQL does not run as root: there its own account is used. */
function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** A real PostgreSQL in a folder of its own, on a port of its own; nothing is synced to the disk. One a test file is enough. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: { readonly uid?: number; readonly gid?: number; readonly cwd: string };
  #child: ChildProcess | null = null;
  #databases = 0;

  private constructor(folder: string, port: number, who: { readonly uid?: number; readonly gid?: number }) {
    this.#folder = folder;
    this.port = port;
    this.#options = { ...who, cwd: folder };
  }

  static async start(): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tieline-pg-'));
    const who = account();
    if (who.uid !== undefined && who.gid !== undefined) await chown(folder, who.uid, who.gid);
    const server = new PostgresServer(folder, await freePort(), who);
    const flags = ['-D', server.#data, '-A', 'trust', '-U', 'tieline', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(findProgram('initdb') ?? 'initdb', flags, { ...server.#options, stdio: 'ignore' });
    await server.start();
    return server;
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Of a database; by default the one that is always there. */
  url(database = 'postgres'): string {
    return `postgres://tieline@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes a fresh database and returns its URL. */
  async createDatabase(name = `test_${++this.#databases}`): Promise<string> {
    await this.run(`create database ${name}`);
    return this.url(name);
  }

  /** One statement on a connection of its own; the last rows. */
  async run(text: string, url = this.url()): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async start(): Promise<void> {
    const flags = ['-D', this.#data, '-p', String(this.port), '-h', '127.0.0.1', '-k', this.#folder, '-F'];
    const program = findProgram('postgres') ?? 'postgres';
    this.#child = spawn(program, [...flags, '-c', 'max_connections=200'], { ...this.#options, stdio: 'ignore' });
    await until(() => this.#answers(), 'PostgreSQL', 60_000);
  }

  /** Stops at once and in order: connections are ended, what was committed is written. */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  /** Kills the postmaster and all its processes, as a power failure would. */
  async kill(): Promise<void> {
    const { pid } = this.#child ?? {};
    const children = pid === undefined ? [] : childrenOf(pid);
    await this.#end('SIGKILL');
    for (const child of children) killNow(child);
    await until(() => children.every((child) => !isThere(child)), 'the processes of PostgreSQL to end', 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async #answers(): Promise<boolean> {
    if (this.#child?.exitCode !== null) throw new Error('PostgreSQL did not start');
    try {
      await this.run('select 1');
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }
}

/** Processes whose parent is `pid`, as Linux lists them. */
function childrenOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return all.map(Number).filter((one) => parentOf(one) === pid);
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    // It has ended meanwhile.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
