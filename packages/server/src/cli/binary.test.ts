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
    expect((await start(node!, ['fly']).ended).code).toBe(1);
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
