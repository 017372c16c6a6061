import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** `verify` demands every peer; plain `npm test` skips a missing one by name. */
const demanded = process.env['TIELINE_VERIFY'] === '1';

/** Path of an installed program (searched in PATH and in the folders Debian uses), or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/lib/postgresql/15/bin'];
  for (const folder of folders) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return undefined;
}

/**
 * A suite that needs installed programs. Where one is missing the suite is skipped with its name in the title;
 * under `verify` it fails instead.
 */
export function describeWithPeers(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((p) => findProgram(p) === undefined);
  if (missing.length === 0 || demanded) describe(title, body);
  else describe.skip(`${title} [SKIPPED, not installed: ${missing.join(', ')}]`, body);
}
