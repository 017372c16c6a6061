import type { Protocol } from '../transport/port.ts';
import type { NaptrRecord, SrvRecord } from './records.ts';

/** RFC 3263 4.1, RFC 7118 8 (WebSocket). */
const SERVICES: ReadonlyMap<string, Protocol> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);

/** The names under which a domain publishes its servers of a protocol (RFC 3263 4.1, RFC 7118 8). */
export function srvName(protocol: Protocol, domain: string): string {
  switch (protocol) {
    case 'udp':
      return `_sip._udp.${domain}`;
    case 'tcp':
      return `_sip._tcp.${domain}`;
    case 'tls':
      return `_sips._tcp.${domain}`;
    case 'ws':
      return `_sip._ws.${domain}`;
    case 'wss':
      return `_sips._ws.${domain}`;
  }
}

export interface Service {
  readonly protocol: Protocol;
  /** The name whose SRV records count. */
  readonly name: string;
}

/** The services of a domain that we can use, in its own order (RFC 3263 4.1). */
export function orderNaptr(records: readonly NaptrRecord[], protocols: readonly Protocol[]): Service[] {
  return records
    .filter((record) => record.flags.toLowerCase() === 's' && record.replacement !== '')
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap((record) => {
      const protocol = SERVICES.get(record.service.toUpperCase());
      return protocol !== undefined && protocols.includes(protocol) ? [{ protocol, name: record.replacement }] : [];
    });
}

/** RFC 2782: by priority, and within one by weight and chance. `random` gives numbers in [0, 1). */
export function orderSrv(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const out: SrvRecord[] = [];
  const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    // Zero weights first, so that they have their small chance.
    const left = records.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, record) => sum + record.weight, 0);
      let drawn = Math.floor(random() * (total + 1));
      const at = left.findIndex((record) => (drawn -= record.weight) <= 0);
      out.push(...left.splice(Math.max(0, at), 1));
    }
  }
  return out;
}
