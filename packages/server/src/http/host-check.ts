import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { addressTest, plainAddress, type ClientAddresses } from './client-address.ts';

export interface HostCheckOptions {
  /** Names under which clients reach this server; `*.example.com` covers its subdomains. Loopback always counts. */
  readonly names: readonly string[];
  readonly addresses: ClientAddresses;
}

/** Load balancers ask these by address. They tell nothing that depends on a name. */
const NAMELESS_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** Host without port and brackets, lower case; undefined where it is no host. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
  return name === undefined || name === '' ? undefined : name;
}

/**
 * Whether the request may be answered under the name that it asks for. Refusing unknown names is what stops DNS
 * rebinding: a page of another site that lets its own name point here.
 */
export function createHostCheck({ names, addresses }: HostCheckOptions): (req: IncomingMessage) => boolean {
  const exact = new Set(names.filter((n) => !n.startsWith('*.')).map((n) => hostName(n) ?? n.toLowerCase()));
  const suffixes = names.filter((n) => n.startsWith('*.')).map((n) => n.slice(1).toLowerCase());
  const isLoopback = addressTest(['loopback']);
  const isOneOfOurs = (host: string): boolean => {
    const name = hostName(host);
    if (name === undefined) return false;
    if (name === 'localhost' || exact.has(name)) return true;
    if (isIP(name) !== 0) return isLoopback(plainAddress(name));
    return suffixes.some((suffix) => name.endsWith(suffix));
  };
  /** Nearly all clients use the same. */
  let lastKnown = 'localhost';
  const isKnown = (host: string): boolean => {
    if (host === lastKnown) return true;
    const isOurs = isOneOfOurs(host);
    if (isOurs) lastKnown = host;
    return isOurs;
  };
  const isNamed = (req: IncomingMessage): boolean => {
    const host = req.headers.host;
    // HTTP/1.0 knows no Host; no browser speaks it.
    if (host === undefined) return req.httpVersion === '1.0';
    const forwarded = forwardedHost(req, addresses);
    return isKnown(host) && (forwarded === undefined || isKnown(forwarded));
  };
  return (req) => isNamed(req) || NAMELESS_PATHS.has(pathOf(req));
}

/** The name that a trusted proxy was asked for. */
function forwardedHost(req: IncomingMessage, addresses: ClientAddresses): string | undefined {
  const header = req.headers['x-forwarded-host'];
  if (typeof header !== 'string' || !addresses.isTrusted(plainAddress(req.socket.remoteAddress ?? '')))
    return undefined;
  return header.slice(header.lastIndexOf(',') + 1).trim();
}

/** The public name and port of this request: the trusted proxy's, else the Host header. */
export function publicHostOf(req: IncomingMessage, addresses: ClientAddresses): string | undefined {
  return forwardedHost(req, addresses) ?? req.headers.host;
}

/** Path of a request, without its query, as it was sent. */
export function pathOf(req: IncomingMessage): string {
  const url = req.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
