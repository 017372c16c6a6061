/** Sizes of the long suites: short in `verify`, long in `soak` (`TIELINE_SOAK=1`). */
export const isSoak = process.env['TIELINE_SOAK'] === '1';

export function scaled(sizes: { readonly verify: number; readonly soak: number }): number {
  return isSoak ? sizes.soak : sizes.verify;
}

/** The seed of this run; printed, and set by `TIELINE_SEED` to repeat one. */
export function seedOf(name: string): number {
  const seed = Number(process.env['TIELINE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed of ${name}: TIELINE_SEED=${seed}`);
  return seed;
}

/** A small, fast pseudo-random generator (mulberry32): numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
