import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Endpoint } from './port.ts';

export const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

/** Whether something can be sent there. Peers name ports and addresses in Via and Contact, and may name 0 or nonsense; Node throws then. */
export function isPlace({ address, port }: Endpoint): boolean {
  return port > 0 && port < 65_536 && isIP(address) !== 0;
}

/** What a listener calls itself towards `remote`: its advertised or bound address; for a wildcard an address of the best interface. */
export function localFor(bound: Endpoint, advertised: Endpoint | undefined, remote: string): Endpoint {
  if (advertised !== undefined) return advertised;
  if (!isWildcard(bound.address)) return bound;
  return { address: interfaceAddress(remote), port: bound.port };
}

function interfaceAddress(remote: string): string {
  const isV6 = remote.includes(':');
  if (remote === '::1' || remote.startsWith('127.')) return isV6 ? '::1' : '127.0.0.1';
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && (entry.family === 'IPv6') === isV6 && !entry.address.startsWith('fe80:'));
  const near = own.find((entry) => !isV6 && inSubnet(entry.address, entry.netmask, remote));
  return (near ?? own[0])?.address ?? (isV6 ? '::1' : '127.0.0.1');
}

function inSubnet(own: string, mask: string, remote: string): boolean {
  const [a, m, b] = [own, mask, remote].map((text) => text.split('.').map(Number));
  return a !== undefined && a.every((octet, i) => (octet & (m?.[i] ?? 0)) === ((b?.[i] ?? 0) & (m?.[i] ?? 0)));
}
