import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from './config/index.ts';

const KEY_BYTES = 32;

/**
 * The keys that seal stored secrets: the configured ones, else the key file's, which is made where it is missing, readable by
 * its owner alone. The first seals, all open. @throws where the file holds no key
 */
export function secretKeys(config: Pick<Config, 'secretKeys' | 'secretKeyFile'>): [Uint8Array, ...Uint8Array[]] {
  const [first, ...rest] = config.secretKeys;
  if (first !== undefined) return [first, ...rest];
  return keysOfFile(config.secretKeyFile);
}

/** The same after a new key was put before those of the key file. Configured keys are as whoever configured them wants them. */
export function rotatedKeys(config: Pick<Config, 'secretKeys' | 'secretKeyFile'>): [Uint8Array, ...Uint8Array[]] {
  if (config.secretKeys.length === 0) addKey(config.secretKeyFile);
  return secretKeys(config);
}

/** One key a line. */
function keysOfFile(file: string): [Uint8Array, ...Uint8Array[]] {
  if (!existsSync(file)) makeKey(file);
  chmodSync(file, 0o600);
  const lines = readFileSync(file, 'utf8').split('\n');
  const [first, ...rest] = lines.filter((line) => line.trim() !== '').map((line) => keyOf(line, file));
  if (first === undefined) throw noKey(file);
  return [first, ...rest];
}

function keyOf(line: string, file: string): Uint8Array {
  const key = Buffer.from(line.trim(), 'base64');
  if (key.length !== KEY_BYTES) throw noKey(file);
  return key;
}

function noKey(file: string): Error {
  return new Error(`${file} holds no key of ${KEY_BYTES} bytes in base64.`);
}

/** The file is the old one or the new one at every moment. */
function addKey(file: string): void {
  const former = readFileSync(file, 'utf8');
  const { uid, gid } = statSync(file);
  const own = writeOwn(file, `${newKey()}${former}`);
  // Whoever runs this, the server must be able to read it.
  chownSync(own, uid, gid);
  renameSync(own, file);
}

/** Of two processes that start at once one makes the key, and the other never sees half of it. */
function makeKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const own = writeOwn(file, newKey());
  try {
    linkSync(own, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(own);
  }
}

function newKey(): string {
  return `${randomBytes(KEY_BYTES).toString('base64')}\n`;
}

/** A file of this process beside the key file. */
function writeOwn(file: string, text: string): string {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, text, { mode: 0o600, flush: true });
  return own;
}
