import { Via, Params } from '../messages/index.ts';
import type { Headers } from '../messages/index.ts';
import type { Flow, Protocol } from './port.ts';

const NAMES: Readonly<Record<Protocol, string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS', ws: 'WS', wss: 'WSS' };

export const isSecureProtocol = (protocol: Protocol): boolean => protocol === 'tls' || protocol === 'wss';

/** The default port of RFC 3261 19.1.2 and RFC 7118 5.2. */
export function defaultPort(protocol: Protocol): number {
  switch (protocol) {
    case 'udp':
    case 'tcp':
      return 5060;
    case 'tls':
      return 5061;
    case 'ws':
      return 80;
    case 'wss':
      return 443;
  }
}

/** Our Via for a request that leaves by this flow, with `rport` on UDP (RFC 3581 3). `branch` is a token. */
export function viaFor(flow: Flow, branch: string): Via {
  const params = new Params(flow.protocol === 'udp' ? ['branch', branch, 'rport', undefined] : ['branch', branch]);
  return new Via(NAMES[flow.protocol], bracketed(flow.local.address), flow.local.port, params);
}

/** RFC 3261 18.2.1 and RFC 3581 4: the topmost Via tells where the request really came from. */
export function stampVia(headers: Headers, flow: Flow): void {
  const via = headers.via;
  if (via === undefined) return;
  let params = via.params;
  const rport = params.get('rport');
  const address = flow.remote.address;
  if (rport !== undefined) params = params.with('rport', flow.remote.port).with('received', address);
  else if (via.host !== bracketed(address)) params = params.with('received', address);
  else if (params.has('received')) params = params.without('received');
  if (params !== via.params) headers.replaceFirst('Via', via.with(params));
}

/**
 * Where the responses to a stamped request go (RFC 3261 18.2.2, RFC 3581 4): on a connection the way it came, by UDP to where it came from,
 * with rport to the very port. When the connection is gone the client listens at its sent-by port. `maddr` is for multicast and not honoured.
 */
export function replyFlow(request: { readonly headers: Headers }, flow: Flow): Flow {
  const via = request.headers.via;
  if (via === undefined) return flow;
  const { address } = flow.remote;
  if (flow.protocol === 'udp')
    return via.params.has('rport') ? flow : { ...flow, remote: { address, port: via.port ?? defaultPort('udp') } };
  if (flow.connection?.isOpen === true || flow.protocol === 'ws' || flow.protocol === 'wss') return flow;
  return { ...flow, remote: { address, port: via.port ?? defaultPort(flow.protocol) }, connection: undefined };
}

/** IPv6 with the brackets of RFC 3261 25.1. */
function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
