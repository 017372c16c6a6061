import { Via, Params } from '../messages/index.ts';
import type { Headers, SipRequest } from '../messages/index.ts';
import type { Flow, Protocol } from './port.ts';

const NAMES: Readonly<Record<Protocol, string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS', ws: 'WS', wss: 'WSS' };

export const isConnectionProtocol = (protocol: Protocol): boolean => protocol !== 'udp';
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
 * Where the response to a stamped request goes (RFC 3261 18.2.2, RFC 3581 4): on a connection the way it came; by UDP to `maddr`,
 * or to `received` and `rport`, or to the port in Via.
 */
export function replyFlow(request: Pick<SipRequest, 'headers'>, flow: Flow): Flow {
  if (flow.protocol !== 'udp') return flow;
  const via = request.headers.via;
  if (via === undefined) return flow;
  if (via.params.has('rport') && !via.params.has('maddr')) return flow;
  const port = via.port ?? 5060;
  const maddr = via.params.get('maddr');
  const isMulticast = maddr !== undefined && /^\d+\.\d+\.\d+\.\d+$/.test(maddr);
  return { ...flow, remote: { address: isMulticast ? maddr : flow.remote.address, port } };
}

/** When the connection of a reliable request is gone the response goes to a new one (RFC 3261 18.2.2). */
export function fallbackReplyFlow(request: Pick<SipRequest, 'headers'>, flow: Flow): Flow | undefined {
  const via = request.headers.via;
  if (via === undefined || flow.protocol === 'udp' || flow.protocol === 'ws' || flow.protocol === 'wss')
    return undefined;
  const { protocol, local, remote } = flow;
  return { protocol, local, remote: { address: remote.address, port: via.port ?? defaultPort(protocol) } };
}

/** IPv6 with the brackets of RFC 3261 25.1. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
