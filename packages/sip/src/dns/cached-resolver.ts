import { systemClock } from '../clock/index.ts';
import type { Clock } from '../clock/index.ts';
import type { Resolver } from './records.ts';

/**
 * Names that are remembered: trunks and the domains of callers.
 * @peer nothing to notice
 * @test dns: one question for many
 */
export const MAX_CACHED_NAMES = 1_000;
/** Node does not tell the lifetimes of SRV and NAPTR records; half a minute spares a busy trunk and follows a move. */
const LIFETIME_MS = 30_000;

export interface CachedResolverOptions {
  readonly clock?: Clock;
  readonly lifetimeMs?: number;
  readonly maxNames?: number;
}

interface Entry {
  readonly untilMs: number;
  readonly answer: Promise<unknown>;
}

/** Remembers answers, also those that there is nothing; who asks while a question is under way waits for that answer. Failures are forgotten. */
export function cachedResolver(
  resolver: Resolver,
  options: CachedResolverOptions = {},
): Resolver & { readonly size: number } {
  const { clock = systemClock, lifetimeMs = LIFETIME_MS, maxNames = MAX_CACHED_NAMES } = options;
  const entries = new Map<string, Entry>();
  const ask = <T>(key: string, question: () => Promise<T>): Promise<T> => {
    const known = entries.get(key);
    if (known !== undefined && known.untilMs > clock.now()) return known.answer as Promise<T>;
    entries.delete(key);
    if (entries.size >= maxNames) {
      const oldest = entries.keys().next().value;
      if (oldest !== undefined) entries.delete(oldest);
    }
    const answer = question();
    const entry = { untilMs: clock.now() + lifetimeMs, answer };
    entries.set(key, entry);
    answer.catch(() => {
      if (entries.get(key) === entry) entries.delete(key);
    });
    return answer;
  };
  return {
    get size() {
      return entries.size;
    },
    naptr: (name) => ask(`naptr ${name}`, () => resolver.naptr(name)),
    srv: (name) => ask(`srv ${name}`, () => resolver.srv(name)),
    addresses: (name, family) => ask(`${family} ${name}`, () => resolver.addresses(name, family)),
  };
}
