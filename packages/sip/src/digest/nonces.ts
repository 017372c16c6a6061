import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock/index.ts';

/**
 * Nonces whose counts are remembered: one for each peer that proved itself within a nonce's life. About 150 bytes each.
 * @peer the oldest are stale
 * @test digest: remembered nonces are bounded
 */
export const MAX_NONCES = 50_000;
/** Requests on one nonce may overtake each other by this many. */
const WINDOW = 32;
const STAMP_BYTES = 6;
const RANDOM_BYTES = 12;
const SIGNATURE_BYTES = 12;
const NONCE_BYTES = STAMP_BYTES + RANDOM_BYTES + SIGNATURE_BYTES;

interface Count {
  readonly issuedMs: number;
  highest: number;
  /** Bit n: `highest - n` was used. */
  seen: number;
}

export interface NonceOptions {
  readonly clock: Clock;
  readonly lifetimeMs: number;
  readonly maxNonces?: number | undefined;
}

/**
 * Nonces that carry their time of issue under a signature. Only what a peer has used with the right password is remembered, so that
 * challenges cost no memory, and a count (`nc`) is good once.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #max: number;
  readonly #key = randomBytes(32);
  readonly #originMs: number;
  /** In the order of first use, which is nearly that of issue. */
  readonly #counts = new Map<string, Count>();
  /** Counts of nonces issued up to here have been forgotten: such a nonce is stale. */
  #forgottenMs = -1;

  constructor(options: NonceOptions) {
    this.#clock = options.clock;
    this.#lifetimeMs = options.lifetimeMs;
    this.#max = options.maxNonces ?? MAX_NONCES;
    this.#originMs = options.clock.now();
  }

  /** Nonces whose counts are held. */
  get size(): number {
    return this.#counts.size;
  }

  issue(): string {
    const bytes = Buffer.alloc(NONCE_BYTES);
    bytes.writeUIntBE(this.#nowMs(), 0, STAMP_BYTES);
    randomBytes(RANDOM_BYTES).copy(bytes, STAMP_BYTES);
    this.#sign(bytes).copy(bytes, STAMP_BYTES + RANDOM_BYTES);
    return bytes.toString('base64url');
  }

  /** Whether more than half of its life is over: time to hand out the next one. */
  isAging(nonce: string): boolean {
    const issuedMs = this.#issuedAt(nonce);
    return issuedMs === undefined || this.#nowMs() - issuedMs > this.#lifetimeMs / 2;
  }

  /**
   * Takes one use of a nonce; false: it is not ours, too old, or this count was used before. Call it only for a peer that has proved
   * itself.
   */
  use(nonce: string, count: number): boolean {
    const issuedMs = this.#issuedAt(nonce);
    const nowMs = this.#nowMs();
    if (issuedMs === undefined || nowMs - issuedMs > this.#lifetimeMs || count < 1) return false;
    const known = this.#counts.get(nonce);
    if (known !== undefined) return countOn(known, count);
    if (issuedMs <= this.#forgottenMs) return false;
    this.#makeRoom(nowMs);
    this.#counts.set(nonce, { issuedMs, highest: count, seen: 1 });
    return true;
  }

  #makeRoom(nowMs: number): void {
    for (const [nonce, count] of this.#counts) {
      const isOld = nowMs - count.issuedMs > this.#lifetimeMs;
      if (!isOld && this.#counts.size < this.#max) return;
      if (!isOld) this.#forgottenMs = Math.max(this.#forgottenMs, count.issuedMs);
      this.#counts.delete(nonce);
    }
  }

  #issuedAt(nonce: string): number | undefined {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== NONCE_BYTES || bytes.toString('base64url') !== nonce) return undefined;
    const signature = bytes.subarray(STAMP_BYTES + RANDOM_BYTES);
    return timingSafeEqual(signature, this.#sign(bytes)) ? bytes.readUIntBE(0, STAMP_BYTES) : undefined;
  }

  #sign(bytes: Buffer): Buffer {
    const signed = bytes.subarray(0, STAMP_BYTES + RANDOM_BYTES);
    return createHmac('sha256', this.#key).update(signed).digest().subarray(0, SIGNATURE_BYTES);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.now() - this.#originMs);
  }
}

/** A sliding window: newer counts move it, older ones are good once. */
function countOn(known: Count, count: number): boolean {
  const ahead = count - known.highest;
  if (ahead > 0) {
    known.seen = ahead >= WINDOW ? 1 : ((known.seen << ahead) | 1) >>> 0;
    known.highest = count;
    return true;
  }
  const bit = -ahead;
  if (bit >= WINDOW || (known.seen & (1 << bit)) !== 0) return false;
  known.seen = (known.seen | (1 << bit)) >>> 0;
  return true;
}
