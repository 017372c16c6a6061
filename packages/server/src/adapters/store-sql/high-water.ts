import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { Position } from '../../core/journal/index.ts';

/** Every record is as long as this, so that one write replaces the last one whole. */
const RECORD_BYTES = 96;

/**
 * How far the journal had come, in a file beside the database. A restored older copy of the database is behind it, and a copy
 * of the database alone comes without it: both are another store, and need another epoch.
 *
 * Written after each commit and not synced: it may lag behind the database after a power failure, never run ahead of it.
 */
export class HighWater {
  readonly #fd: number;
  readonly #record = Buffer.alloc(RECORD_BYTES, ' ');

  constructor(file: string) {
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** True where a journal of this epoch that stands at `head` can be the one that was here last. */
  continues(epoch: string, head: Position): boolean {
    const buffer = Buffer.alloc(RECORD_BYTES);
    const length = readSync(this.#fd, buffer, 0, RECORD_BYTES, 0);
    const match = /^([0-9a-z]+) ([0-9]+)\s*$/.exec(buffer.toString('latin1', 0, length));
    return match !== null && match[1] === epoch && Number(match[2]) <= head;
  }

  write(epoch: string, head: Position): void {
    this.#record.fill(' ');
    this.#record.write(`${epoch} ${head}`, 'latin1');
    this.#record.write('\n', RECORD_BYTES - 1, 'latin1');
    writeSync(this.#fd, this.#record, 0, RECORD_BYTES, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
