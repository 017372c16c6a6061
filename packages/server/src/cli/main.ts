// The command line: what bin/tieline.js runs.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/index.ts';
import { DEMO_USERS } from '../demo-world.ts';
import { parseJsonObject } from '../kit/index.ts';
import { processConsole } from './console.ts';
import { runCli } from './run.ts';
import { buildWeb } from './web-build.ts';

/** Status of a process that lost the one which started it. */
const ORPHANED = 1;
const STRAGGLERS_MS = 1_000;

// bin/tieline.js holds the other end where it could not become this process; when it is killed, this process must not stay.
if (process.channel !== undefined && process.channel !== null) {
  process.on('disconnect', () => process.exit(ORPHANED));
  process.channel.unref();
}

// Collect when a heap has grown by a fifth, not by half and more: under full load the process stays within 64 MiB of its size at
// rest, for some 3 % of the rate. For every thread; a V8 without the flag goes on without.
setFlagsFromString('--heap-growing-percent=20');
// The threads of the store, which are started later, have half the young generation of this one (bin/tieline.js): they make less.
setFlagsFromString('--max-semi-space-size=8');

const console = processConsole();
const context = {
  version: versionHere(),
  env: console.env,
  console,
  // Loaded when needed: most commands need no server, and should answer at once.
  startServer: async (config: Config) => (await import('../main.ts')).startServer(config),
  openAdministration: async (config: Config) => (await import('../administration.ts')).openAdministration(config),
  buildWeb,
  exit: (status: number) => process.exit(status),
  onSignal(heard: (signal: string) => void): () => void {
    process.on('SIGTERM', heard).on('SIGINT', heard);
    return () => void process.off('SIGTERM', heard).off('SIGINT', heard);
  },
};
process.exitCode = await runCli(process.argv.slice(2), context, DEMO_USERS);
// Everything is closed by now; what holds the process for longer is a defect that must not keep it from ending.
setTimeout(() => process.exit(), STRAGGLERS_MS).unref();

function versionHere(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const version = parseJsonObject(text)?.['version'];
  return typeof version === 'string' ? version : 'of unknown version';
}
