import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Stop } from '../kit/index.ts';

/** Owns the raw response. What it throws or rejects with becomes a 500. */
export type RawHandler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Owns the raw socket: accepts it as a WebSocket or refuses it. */
export type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => void | Promise<void>;

/**
 * Which paths an upgrade mount owns: everything at and below a prefix; every path that ends so (behind a proxy the
 * path may be prefixed, AW §7.1); or what a test says. Tried in this order; the longest prefix, then the longest suffix wins.
 */
export type PathRule =
  { readonly prefix: string } | { readonly suffix: string } | { readonly matches: (path: string) => boolean };

interface Entry<T> {
  readonly rule: PathRule;
  readonly target: T;
}

/** Where a path belongs. Paths are compared as they were sent, without the query and without decoding. */
export class MountTable<T> {
  #entries: readonly Entry<T>[] = [];

  /** @throws Error where the same prefix or suffix is mounted twice */
  add(rule: PathRule, target: T): Stop {
    const text = textOf(rule);
    if (text !== undefined && !text.startsWith('/')) throw new Error(`a mount begins with a slash: ${text}`);
    if (text !== undefined && this.#entries.some((e) => sameRule(e.rule, rule)))
      throw new Error(`mounted twice: ${text}`);
    const entry = { rule, target };
    this.#entries = [...this.#entries, entry].sort((a, b) => rank(b.rule) - rank(a.rule));
    return () => {
      this.#entries = this.#entries.filter((e) => e !== entry);
    };
  }

  find(path: string): T | undefined {
    return this.#entries.find((e) => owns(e.rule, path))?.target;
  }
}

/** Longer than any path that fits into the header bound, so that every prefix ranks before every suffix. */
const PREFIX_RANK = 1_000_000;

function rank(rule: PathRule): number {
  if ('prefix' in rule) return PREFIX_RANK + rule.prefix.length;
  return 'suffix' in rule ? rule.suffix.length : 0;
}

function textOf(rule: PathRule): string | undefined {
  if ('prefix' in rule) return rule.prefix;
  return 'suffix' in rule ? rule.suffix : undefined;
}

function sameRule(a: PathRule, b: PathRule): boolean {
  return 'prefix' in a === 'prefix' in b && textOf(a) === textOf(b);
}

function owns(rule: PathRule, path: string): boolean {
  if ('matches' in rule) return rule.matches(path);
  if ('suffix' in rule) return path.endsWith(rule.suffix);
  if (!path.startsWith(rule.prefix)) return false;
  return rule.prefix.endsWith('/') || path.length === rule.prefix.length || path[rule.prefix.length] === '/';
}
