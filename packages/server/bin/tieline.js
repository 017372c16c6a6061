#!/usr/bin/env node
// Starts Tieline on a Node that is new enough: this one, or the one that the npm package `node` brings.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FLOOR = [24, 7];

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(folder, 'src/cli/main.ts');
const isCheckout = existsSync(source);
const args = process.argv.slice(2);
const flags = [
  '--disable-warning=ExperimentalWarning',
  // What waits for a commit must not grow old while it waits: that made the collector a third of a stored message. Larger ones than
  // this would grow the process by more than 64 MB under load.
  '--max-semi-space-size=16',
  ...(isCheckout ? ['--conditions=source'] : []),
  ...(args[0] === 'serve' && args.includes('--watch') ? ['--watch', '--watch-preserve-output'] : []),
];
const command = [...flags, isCheckout ? source : join(folder, 'dist/cli/main.js'), ...args];

// glibc gives every thread arenas of its own, which keep what was freed: two are enough, and 60 MB less at rest.
const env = { MALLOC_ARENA_MAX: '2', ...process.env };

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) become(process.execPath);
else become(bundledNode());

/** The program of the npm package `node`. */
function bundledNode() {
  const file = packagedNode();
  if (file !== undefined && existsSync(file)) return file;
  process.stderr.write(
    `Node ${process.versions.node} is too old for Tieline: ${FLOOR.join('.')} or newer is needed.\n` +
      'Install it, or the npm package `node` beside Tieline.\n',
  );
  process.exit(1);
}

function packagedNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Goes on as that program: in this very process where the system lets us, else as its parent. */
function become(program) {
  if (typeof process.execve === 'function' && process.platform !== 'win32')
    process.execve(program, [program, ...command], env);
  else supervise(program);
}

/** Passes signals on and ends as the child ends. The channel tells the child when this process is gone for good. */
function supervise(program) {
  const child = spawn(program, command, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'])
    // A terminal gives Ctrl-C to the child too; passed on, it would be the second one.
    process.on(signal, () => (hasTerminal && signal === 'SIGINT' ? undefined : child.kill(signal)));
  child.on('error', (error) => {
    process.stderr.write(`${program} does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
