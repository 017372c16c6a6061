import type { IncomingMessage } from 'node:http';
import type { ClientAddresses } from './client-address.ts';
import { publicHostOf } from './host-check.ts';

/**
 * What a request's `Origin` is to us. `none`: no such header (no browser, or a plain navigation); `own`: this very
 * server; `listed`: configured; `any`: covered only by `*`; `foreign`: none of these.
 */
export type OriginKind = 'none' | 'own' | 'listed' | 'any' | 'foreign';

export interface Origins {
  kindOf(req: IncomingMessage): OriginKind;
}

/** Scheme and host in lower case, without default port; undefined where it is no http(s) origin. */
function normalOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : undefined;
}

/** @param allowed `*`, or origins like `https://app.example.com`. The own origin need not be listed. */
export function createOrigins(allowed: readonly string[], addresses: ClientAddresses): Origins {
  const isAnyAllowed = allowed.includes('*');
  const listed = new Set(allowed.map((o) => normalOrigin(o)).filter((o) => o !== undefined));
  return {
    kindOf(req) {
      const header = req.headers.origin;
      if (header === undefined) return 'none';
      const origin = normalOrigin(header);
      if (origin !== undefined) {
        const own = `${addresses.isSecure(req) ? 'https' : 'http'}://${publicHostOf(req, addresses) ?? ''}`;
        if (origin === normalOrigin(own)) return 'own';
        if (listed.has(origin)) return 'listed';
      }
      return isAnyAllowed ? 'any' : 'foreign';
    },
  };
}
