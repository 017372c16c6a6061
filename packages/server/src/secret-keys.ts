import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from './config/index.ts';

const KEY_BYTES = 32;

/**
 * The keys that seal stored secrets: the configured ones, else the key file's, which is made where it is missing, readable by
 * its owner alone. @throws where the file holds no key
 */
export function secretKeys(config: Pick<Config, 'secretKeys' | 'secretKeyFile'>): [Uint8Array, ...Uint8Array[]] {
  const [first, ...rest] = config.secretKeys;
  if (first !== undefined) return [first, ...rest];
  return [keyOfFile(config.secretKeyFile)];
}

function keyOfFile(file: string): Uint8Array {
  if (!existsSync(file)) makeKey(file);
  chmodSync(file, 0o600);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== KEY_BYTES) throw new Error(`${file} holds no key of ${KEY_BYTES} bytes in base64.`);
  return key;
}

/** Of two processes that start at once one makes the key, and the other never sees half of it. */
function makeKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(own, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(own);
  }
}
