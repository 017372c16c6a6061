import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The web client's folder in a checkout. */
export const WEB_FOLDER = fileURLToPath(new URL('../../../web', import.meta.url));

const INPUTS = ['src', 'public', 'index.html', 'package.json', 'vite.config.ts'];

/** Why the build is not current, or null where it is, or where there is nothing to build it from. */
export function reasonToBuild(folder: string): string | null {
  const sources = INPUTS.map((name) => join(folder, name)).filter((path) => existsSync(path));
  if (!existsSync(join(folder, 'index.html'))) return null;
  const page = join(folder, 'dist/index.html');
  if (!existsSync(page)) return 'it has not been built yet';
  const newest = Math.max(...sources.map(newestIn));
  return newest > statSync(page).mtimeMs ? 'its sources are newer' : null;
}

function newestIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

/**
 * Builds the web client where a checkout has none or an old one. The new one takes the old one's place as a whole, so that
 * several may build at once. @throws where the build fails
 */
export async function buildWeb(say: (line: string) => void, folder = WEB_FOLDER): Promise<void> {
  const reason = reasonToBuild(folder);
  if (reason === null) return;
  const vite = viteOf(folder);
  if (vite === null) return say(`The web client can't be built (${reason}): Vite is not installed.`);
  say(`Building the web client: ${reason}.`);
  const fresh = join(folder, `dist/../.dist-${process.pid}`);
  await run([vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'], folder);
  const old = join(folder, `.dist-old-${process.pid}`);
  if (existsSync(join(folder, 'dist'))) await rename(join(folder, 'dist'), old);
  await rename(fresh, join(folder, 'dist'));
  await rm(old, { recursive: true, force: true });
}

function viteOf(folder: string): string | null {
  try {
    const resolve = createRequire(join(folder, 'package.json'));
    return join(dirname(resolve.resolve('vite/package.json')), 'bin/vite.js');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

function run(args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`The build of the web client failed (${signal ?? code ?? ''}).`)),
    );
  });
}
