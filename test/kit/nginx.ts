import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './peer.ts';
import { until } from './wait.ts';

/** A real nginx in the foreground, with what stands inside `http { … }` of its configuration. */
export class Nginx implements AsyncDisposable {
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #said = '';
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** `configure` makes the configuration for the port that nginx listens on. */
  static async start(configure: (port: number) => string): Promise<Nginx> {
    const nginx = new Nginx(await mkdtemp(join(tmpdir(), 'tieline-nginx-')), await freePort());
    await writeFile(join(nginx.#folder, 'nginx.conf'), wrapped(nginx.#folder, configure(nginx.port)));
    await nginx.start();
    return nginx;
  }

  /** What it has complained about. */
  get said(): string {
    return this.#said;
  }

  async start(): Promise<void> {
    const program = findProgram('nginx');
    if (program === undefined) throw new Error('nginx is not installed');
    const child = spawn(program, ['-e', 'stderr', '-p', this.#folder, '-c', join(this.#folder, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${this.#said}`);
      return isOpen(this.port);
    }, 'nginx');
  }

  /** Ends it at once; clients see their connections cut. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true });
  }
}

/** What Debian's own nginx.conf has around the files of `conf.d`, with all files in one folder. */
function wrapped(folder: string, configuration: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    'daemon off;',
    // Its worker must get at the temporary files in a folder of ours.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes 1;',
    `pid ${folder}/pid;`,
    'error_log stderr warn;',
    'events { worker_connections 1024; }',
    'http {',
    'access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
    configuration,
    '}',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
