import { randomFillSync } from 'node:crypto';

/** Where branches, tags and Call-IDs come from. Nobody outside may guess the next one. */
export interface Ids {
  /** A token of 20 characters (120 bits). */
  next(): string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.';
const LENGTH = 20;
/** Random bytes are fetched for this many ids at once: one call of the generator each costs more than the id. */
const BATCH = 256;

/** Ids from the system's generator. */
export function randomIds(): Ids {
  const pool = new Uint8Array(LENGTH * BATCH);
  let at = pool.length;
  return {
    next() {
      if (at >= pool.length) {
        randomFillSync(pool);
        at = 0;
      }
      let id = '';
      for (const end = at + LENGTH; at < end; at += 1) id += ALPHABET[(pool[at] ?? 0) & 63] ?? '';
      return id;
    },
  };
}
