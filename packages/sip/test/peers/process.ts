import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** At most this much of a program's output is kept. */
const MAX_OUTPUT = 1024 * 1024;

export interface PeerProcess {
  readonly child: ChildProcess;
  /** What it wrote so far, both streams. */
  output(): string;
  /** Its exit code; null after a signal. */
  readonly exited: Promise<number | null>;
  /** Ends it: politely, and after half a second for good. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether lines will be written to it. */
  readonly hasInput?: boolean;
}

export function startProcess(program: string, args: readonly string[], options: StartOptions = {}): PeerProcess {
  const { hasInput = false, ...rest } = options;
  const child = spawn(program, [...args], { ...rest, stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString('latin1')).slice(-MAX_OUTPUT));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    child,
    output: () => output,
    exited,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 500);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** A folder of its own, removed by `remove`. */
export function scratchFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `tieline-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const handedOut = new Set<number>();

/** The first of `count` neighbouring ports that nobody uses, by TCP and UDP. */
export async function freePorts(count = 1, address = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 6_000);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    if (ports.some((port) => handedOut.has(port))) continue;
    const free = await Promise.all(ports.map((port) => isFree(port, address)));
    if (!free.every(Boolean)) continue;
    for (const port of ports) handedOut.add(port);
    return first;
  }
  throw new Error(`no ${count} free ports`);
}

async function isFree(port: number, address: string): Promise<boolean> {
  const server = createServer();
  const socket = createSocket('udp4');
  try {
    await Promise.all([
      new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve)),
      new Promise<void>((resolve, reject) => socket.once('error', reject).bind(port, address, resolve)),
    ]);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  } finally {
    server.close();
    socket.close();
  }
}
