import { lookup } from 'node:dns/promises';
import { Resolver as DnsResolver } from 'node:dns/promises';
import { DnsFailure } from './records.ts';
import type { Resolver } from './records.ts';

export interface NodeResolverOptions {
  /** `address` or `address:port`; the system's, with its hosts file, where missing. */
  readonly servers?: readonly string[];
  /** For one try. */
  readonly timeoutMs?: number;
  readonly tries?: number;
}

/** What says that there is no such name or record. */
const ABSENT: readonly string[] = ['ENOTFOUND', 'ENODATA', 'ENONAME'];

/** The resolver of Node. */
export function nodeResolver(options: NodeResolverOptions = {}): Resolver {
  const dns = new DnsResolver({ timeout: options.timeoutMs ?? 2_000, tries: options.tries ?? 2 });
  if (options.servers !== undefined) dns.setServers([...options.servers]);
  const isSystem = options.servers === undefined;
  return {
    naptr: (name) => orNone(name, dns.resolveNaptr(name)),
    srv: (name) => orNone(name, dns.resolveSrv(name)),
    async addresses(name, family) {
      // The system's way knows the hosts file too.
      if (!isSystem) return orNone(name, family === 4 ? dns.resolve4(name) : dns.resolve6(name));
      const found = await orNone(name, lookup(name, { family, all: true }));
      return found.map((one) => one.address);
    },
  };
}

async function orNone<T>(name: string, asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (ABSENT.includes(code)) return [];
    throw new DnsFailure('no-answer', `${name}: ${code}`, error);
  }
}
