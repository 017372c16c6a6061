import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { reasonToBuild } from './web-build.ts';

const BINARY = fileURLToPath(new URL('../../bin/tieline.js', import.meta.url));
const SIMULATOR = ['tapi-server-sim', '--port', '0'];

const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

function start(node: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(node, [BINARY, ...args], { env: { PATH: '/usr/bin:/bin', ...env }, stdio: 'pipe' });
  children.push(child);
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr.on('data', (part: Buffer) => (output += part.toString()));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  return { child, output: () => output, ended };
}

/** A Node of the system that is too old for us: the start file must find its own. */
function oldNode(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return folders
    .map((folder) => join(folder, 'node'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return Number(execFileSync(file, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24;
      } catch {
        return false;
      }
    });
}

const nodes = [
  { what: 'the Node that we build on', node: process.execPath },
  { what: 'a Node that is too old', node: oldNode() },
];

describe.each(nodes)('bin/tieline.js on $what', ({ node }) => {
  const run = test.skipIf(node === undefined);

  run('says its version, passing the exit status on', async () => {
    const version = start(node!, ['version']);
    expect(await version.ended).toEqual({ code: 0, signal: null });
    expect(version.output()).toBe('0.1.0\n');
    expect((await start(node!, ['serve'], { PORT: 'x' }).ended).code).toBe(2);
  });

  run('refuses to show the demo to others', async () => {
    const serve = start(node!, ['serve'], { HOST: '0.0.0.0' });
    expect((await serve.ended).code).toBe(2);
    expect(serve.output()).toContain('http.host: expected a loopback address');
  });

  run.each(['SIGTERM', 'SIGINT'] as const)('passes %s on and ends as the command ends', async (signal) => {
    const simulator = start(node!, SIMULATOR);
    await until(() => simulator.output().includes('listens on'));
    const port = Number(/:(\d+)\s/.exec(simulator.output())?.[1]);
    const socket = connect(port, '127.0.0.1').resume();
    await once(socket, 'connect');
    simulator.child.kill(signal);
    expect(await simulator.ended).toEqual({ code: 0, signal: null });
    socket.destroy();
  });

  run('leaves nothing behind when it is killed', async () => {
    const simulator = start(node!, SIMULATOR);
    await until(() => simulator.output().includes('listens on'));
    const port = Number(/:(\d+)\s/.exec(simulator.output())?.[1]);
    simulator.child.kill('SIGKILL');
    // The pipes close when the last process that holds them has ended.
    await simulator.ended;
    const socket = connect(port, '127.0.0.1');
    await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});

/** A command that ends by itself, with what is typed into it. */
async function command(args: readonly string[], env: Record<string, string>, input = ''): Promise<Outcome> {
  const running = start(process.execPath, args, env);
  running.child.stdin?.end(input);
  const { code } = await running.ended;
  return { code, output: running.output() };
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

test('from nothing to a server with a user who can sign in', async () => {
  const data = mkdtempSync(join(tmpdir(), 'tieline-cli-'));
  folders.push(data);
  const env = { TIELINE_DATA: data, TIELINE_DATABASE_URL: `sqlite:${data}/t.db`, PORT: '0', SIP_PORT: '0' };
  const init = await command(['init', '--admin', 'root'], env);
  expect(init.output).toMatch(/Administrator: root\nPassword of root: \S{16} /);
  const add = ['user', 'add', 'erin', '--number', '301', '--display-name', 'Erin Eck', '--password-stdin'];
  expect(await command(add, env, 'sesame\n')).toEqual({ code: 0, output: 'Added user erin (Erin Eck, 301).\n' });
  expect((await command(['device', 'add', 'desk-1', '--user', 'erin'], env)).code).toBe(0);
  expect((await command(['device', 'list', '--user', 'erin'], env)).output).toContain('desk-1');

  const server = start(process.execPath, ['serve'], env);
  const url = await until(() => /is ready: (\S+)/.exec(server.output())?.[1], 'the server', 30_000);
  expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: 'ok', tapi: expect.any(String) });
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('tieline_store_commits_total');
  const authorization = `Basic ${btoa('erin:sesame')}`;
  const login = await fetch(`${url}/restapi/v1/chat/erin/login`, { method: 'POST', headers: { authorization } });
  expect(login.status).toBe(200);
  const second = await command(['user', 'list'], env);
  expect(second.code).toBe(1);
  expect(second.output).toContain('Another process has this database open');
  server.child.kill('SIGTERM');
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(server.output()).not.toContain('sesame');
}, 60_000);

test('the web client is built where it is missing or older than its sources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tieline-web-'));
  folders.push(folder);
  expect(reasonToBuild(folder)).toBeNull();
  mkdirSync(join(folder, 'src/deep'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '');
  writeFileSync(join(folder, 'src/deep/app.tsx'), '');
  expect(reasonToBuild(folder)).toBe('it has not been built yet');
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/index.html'), '');
  const later = Date.now() / 1000 + 10;
  utimesSync(join(folder, 'dist/index.html'), later, later);
  expect(reasonToBuild(folder)).toBeNull();
  utimesSync(join(folder, 'src/deep/app.tsx'), later + 1, later + 1);
  expect(reasonToBuild(folder)).toBe('its sources are newer');
});
