/** Delays that double from `firstMs` to `maxMs`, each spread by ±`jitter` (0…1). */
export function backoffMs(
  attempt: number,
  options: {
    readonly firstMs: number;
    readonly maxMs: number;
    readonly jitter?: number;
    readonly random?: () => number;
  },
): number {
  const base = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt, 30));
  const spread = (options.jitter ?? 0.2) * (2 * (options.random ?? Math.random)() - 1);
  return Math.round(base * (1 + spread));
}
