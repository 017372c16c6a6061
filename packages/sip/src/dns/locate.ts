import { isHost, isIpv4, isIpv6, isSipUri } from '../messages/index.ts';
import type { SipUri, Uri, Via } from '../messages/index.ts';
import type { Protocol, Target } from '../transport/port.ts';
import { defaultPort } from '../transport/via.ts';
import { orderNaptr, orderSrv, srvName } from './order.ts';
import { DnsFailure } from './records.ts';
import type { Resolver } from './records.ts';

/**
 * At most this many places are tried for one request: with 32 s each nobody waits longer.
 * @peer not tried
 * @test dns: targets are bounded
 */
export const MAX_TARGETS = 16;

export interface LocateOptions {
  readonly resolver: Resolver;
  /** What we can send by, best first: the order in which a domain without NAPTR records is asked. */
  readonly protocols: readonly Protocol[];
  /** Best first. By default IPv4, then IPv6. */
  readonly families?: readonly (4 | 6)[];
  /** For weights: numbers in [0, 1). */
  readonly random?: () => number;
}

/** Where a host name's servers are: a port where it is known, a service name where SRV records exist. */
interface Lead {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
}

/**
 * The places to send a request to, in the order in which they are to be tried (RFC 3263 4). Throws `DnsFailure` where there is none.
 *
 * @example
 * for (const target of await locate(nextHop, options)) … // until one answers: see `tryEach`
 */
export async function locate(uri: Uri, options: LocateOptions): Promise<readonly Target[]> {
  if (!isSipUri(uri)) throw new DnsFailure('unsupported', `scheme ${uri.scheme}`);
  const usable = usableProtocols(uri, options.protocols);
  const host = uri.params.get('maddr')?.toLowerCase() ?? uri.host;
  if (!isHost(host)) throw new DnsFailure('not-found', `maddr ${JSON.stringify(host)} is no host`);
  const leads = await leadsTo(uri, host, usable, options);
  const serverName = literal(uri.host) ?? uri.host;
  return resolveLeads(leads, serverName, options);
}

/** The places for a response whose connection is gone (RFC 3263 5): the Via's sent-by, by its own protocol. */
export async function locateReply(via: Via, options: LocateOptions): Promise<readonly Target[]> {
  const protocol = options.protocols.find((own) => own === via.transport.toLowerCase());
  if (protocol === undefined) throw new DnsFailure('unsupported', `transport ${via.transport}`);
  const leads =
    via.port === undefined && literal(via.host) === undefined
      ? await srvLeads([{ protocol, name: srvName(protocol, via.host) }], options)
      : [];
  const port = via.port ?? defaultPort(protocol);
  return resolveLeads(leads.length > 0 ? leads : [{ protocol, host: via.host, port }], via.host, options);
}

/**
 * Tries one place after the other (RFC 3263 4.3) until `attempt` resolves. Goes on after errors for which `isNext` is true (a failed
 * transport, a timeout, a 503), and throws the last one.
 */
export async function tryEach<T>(
  targets: readonly Target[],
  attempt: (target: Target) => Promise<T>,
  isNext: (error: unknown) => boolean,
): Promise<T> {
  let last: unknown = new DnsFailure('not-found', 'nowhere to send to');
  for (const target of targets)
    try {
      return await attempt(target);
    } catch (error) {
      if (!isNext(error)) throw error;
      last = error;
    }
  throw last;
}

/** Protocols that this URI allows (RFC 3263 4.1, RFC 3261 26.2.2, RFC 7118 5.3). */
function usableProtocols(uri: SipUri, own: readonly Protocol[]): readonly Protocol[] {
  const isSecure = uri.scheme === 'sips';
  const named = uri.transport;
  const wanted: readonly Protocol[] =
    named === undefined
      ? isSecure
        ? ['tls', 'wss']
        : own
      : named === 'tcp' && isSecure
        ? ['tls']
        : named === 'ws' && isSecure
          ? ['wss']
          : own.filter((protocol) => protocol === named && !(isSecure && protocol === 'udp'));
  const usable = own.filter((protocol) => wanted.includes(protocol));
  if (usable.length === 0) throw new DnsFailure('unsupported', `transport ${named ?? 'tls'} of ${uri.scheme}`);
  return usable;
}

async function leadsTo(
  uri: SipUri,
  host: string,
  usable: readonly Protocol[],
  options: LocateOptions,
): Promise<readonly Lead[]> {
  // RFC 3263 4.1: without a word about the transport it is UDP, for sips TLS; who lacks that takes his first.
  const usual: Protocol = uri.scheme === 'sips' ? 'tls' : 'udp';
  const first = usable.includes(usual) ? usual : usable[0];
  if (first === undefined) return [];
  if (literal(host) !== undefined || uri.port !== undefined)
    return [{ protocol: first, host, port: uri.port ?? defaultPort(first) }];
  const named = uri.transport !== undefined;
  const services = named ? [] : orderNaptr(await options.resolver.naptr(host), usable);
  const asked =
    services.length > 0 ? services : usable.map((protocol) => ({ protocol, name: srvName(protocol, host) }));
  const leads = await srvLeads(asked, options);
  return leads.length > 0 ? leads : [{ protocol: first, host, port: defaultPort(first) }];
}

async function srvLeads(
  services: readonly { readonly protocol: Protocol; readonly name: string }[],
  options: LocateOptions,
): Promise<Lead[]> {
  const leads: Lead[] = [];
  for (const { protocol, name } of services) {
    const records = await options.resolver.srv(name);
    for (const record of orderSrv(records, options.random ?? Math.random))
      // RFC 2782: a root name says that the service is not offered.
      if (record.name !== '' && record.name !== '.') leads.push({ protocol, host: record.name, port: record.port });
    if (leads.length >= MAX_TARGETS) break;
  }
  return leads;
}

async function resolveLeads(
  leads: readonly Lead[],
  serverName: string,
  options: LocateOptions,
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  let failure: DnsFailure | undefined;
  for (const { protocol, host, port } of leads) {
    if (targets.length >= MAX_TARGETS) break;
    try {
      for (const address of await addressesOf(host, options))
        targets.push({ protocol, address, port, ...nameFor(protocol, serverName) });
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      // Another server of the domain may be found.
      failure = error;
    }
  }
  if (targets.length > 0) return targets.slice(0, MAX_TARGETS);
  throw failure ?? new DnsFailure('not-found', `${leads[0]?.host ?? 'nothing'} has no address`);
}

const nameFor = (protocol: Protocol, serverName: string): { serverName?: string } =>
  protocol === 'tls' || protocol === 'wss' ? { serverName } : {};

async function addressesOf(host: string, options: LocateOptions): Promise<readonly string[]> {
  const own = literal(host);
  if (own !== undefined) return [own];
  const out: string[] = [];
  for (const family of options.families ?? ([4, 6] as const))
    out.push(...(await options.resolver.addresses(host, family)));
  return out;
}

/** The address where the host is one, without brackets. */
function literal(host: string): string | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIpv4(bare) || isIpv6(bare) ? bare : undefined;
}
