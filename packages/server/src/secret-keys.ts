import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  mkdirSync(dirname(file), { recursive: true });
  try {
    // `wx`: of two processes that start at once one makes the key and the other reads it.
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  chmodSync(file, 0o600);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== KEY_BYTES) throw new Error(`${file} holds no key of ${KEY_BYTES} bytes in base64.`);
  return key;
}
