import { randomBytes, randomFillSync } from 'node:crypto';

/** A string that is known to be an id of one kind. Made only where it is read from outside or minted. */
export type Brand<T extends string> = string & { readonly __brand: T };

/** Minting of ids; replaced in tests that need to foresee them. */
export interface Ids {
  /** 32 lower-case hex digits. */
  guid(): string;
  /** 26 characters, each greater than the one before, and sorted by time between processes: message and call ids. */
  sortable(now: number): string;
  /** `length` characters of `[0-9a-z]`, for resources and session labels. */
  label(length: number): string;
  /** URL-safe text of at least `bits` random bits. */
  secret(bits: number): string;
}

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

/** Random octets are fetched this many at once: each fetch costs as much as a hash. */
const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
let drawn = POOL_BYTES;

/** Octets for ids, no two draws the same ones; the next draws may overwrite them. For secrets there is `randomBytes`. */
function draw(length: number): Buffer {
  if (length > POOL_BYTES) return randomBytes(length);
  if (drawn + length > POOL_BYTES) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += length;
  return pool.subarray(drawn - length, drawn);
}

function base32Time(now: number): string {
  let text = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) text = BASE32.charAt(rest % 32) + text;
  return text;
}

function base32Random(length: number): string {
  let text = '';
  for (const byte of draw(length)) text += BASE32.charAt(byte & 31);
  return text;
}

/** The text that follows `text` among those of its length. */
function successor(text: string): string {
  const last = BASE32.indexOf(text.slice(-1));
  if (text === '') return '';
  if (last < 31) return text.slice(0, -1) + BASE32.charAt(last + 1);
  return successor(text.slice(0, -1)) + BASE32.charAt(0);
}

export function createRandomIds(): Ids {
  let lastTime = -1;
  /** The last id, but for its last character: most ids differ in that alone. */
  let head = '';
  let last = 0;
  return {
    guid: () => draw(16).toString('hex'),
    sortable(now) {
      // Within one millisecond, and while the clock stands or goes back, ids go on from the last one.
      if (now > lastTime) {
        lastTime = now;
        head = base32Time(now) + base32Random(15);
        last = draw(1).readUInt8() & 31;
      } else if (last < 31) last++;
      else [head, last] = [head.slice(0, 10) + successor(head.slice(10)), 0];
      return head + BASE32.charAt(last);
    },
    label: (length) => base32Random(length),
    secret: (bits) => randomBytes(Math.ceil(bits / 8)).toString('base64url'),
  };
}

export const randomIds: Ids = createRandomIds();
