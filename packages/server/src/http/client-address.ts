import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Tells who a client is: the socket's peer, or, behind a trusted proxy, the address that the proxy vouches for. */
export interface ClientAddresses {
  /** Never empty; IPv4 addresses in their short form. */
  addressOf(req: IncomingMessage): string;
  isTrusted(address: string): boolean;
  /** Whether the client came by TLS, to us or to a trusted proxy. */
  isSecure(req: IncomingMessage): boolean;
}

/** Entries that name more than one address. */
const NAMED_RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
};

/**
 * A proxy chain is a handful of hops; what stands further left was written by the client.
 * @peer not looked at
 * @test client-address: a long chain is walked no further
 */
const MAX_HOPS = 16;

/** `::ffff:127.0.0.1` → `127.0.0.1`; zones (`%eth0`) go. */
export function plainAddress(address: string): string {
  if (/^[\d.]+$/.test(address)) return address;
  const bare = address.split('%')[0] ?? '';
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice(7) : bare;
}

/** A test for addresses: single ones, `a.b.c.d/n`, `…::/n`, and `loopback`. @throws RangeError on anything else. */
export function addressTest(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries.flatMap((e) => NAMED_RANGES[e] ?? [e])) addEntry(list, entry);
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function addEntry(list: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
  const isPrefix = /^\d+$/.test(prefix ?? '0') && bits <= (family === 6 ? 128 : 32);
  if (family === 0 || !isPrefix) throw new RangeError(`not an address or range: ${entry}`);
  list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
}

/** The last value of a list header that a trusted proxy appends to. */
function lastOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header;
  return text === undefined ? undefined : text.slice(text.lastIndexOf(',') + 1).trim();
}

export function createClientAddresses(trustProxy: readonly string[]): ClientAddresses {
  const isTrusted = trustProxy.length === 0 ? (): boolean => false : addressTest(trustProxy);
  const peerOf = (req: IncomingMessage): string => plainAddress(req.socket.remoteAddress ?? 'unknown');
  return {
    isTrusted,
    addressOf(req) {
      const peer = peerOf(req);
      if (!isTrusted(peer)) return peer;
      return forwardedAddress(req, peer, isTrusted);
    },
    isSecure(req) {
      if ('encrypted' in req.socket && req.socket.encrypted === true) return true;
      return isTrusted(peerOf(req)) && lastOf(req.headers['x-forwarded-proto'])?.toLowerCase() === 'https';
    },
  };
}

/** Walks `X-Forwarded-For` from the right; the first address that is no trusted proxy is the client. */
function forwardedAddress(req: IncomingMessage, peer: string, isTrusted: (address: string) => boolean): string {
  const header = req.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').slice(-MAX_HOPS).reverse();
  let client = peer;
  for (const hop of hops) {
    const address = plainAddress(hop.trim().replace(/^\[(.*)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1$2'));
    if (isIP(address) === 0) return client;
    client = address;
    if (!isTrusted(address)) return client;
  }
  return client;
}
