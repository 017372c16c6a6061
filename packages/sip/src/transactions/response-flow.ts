import type { SipRequest } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';

/** Where the responses to a request go (RFC 3261 18.2.2, RFC 3581 4). `maddr` is for multicast and not honoured. */
export function responseFlow(request: SipRequest, flow: Flow): Flow {
  const via = request.headers.via;
  if (flow.protocol === 'udp') {
    // RFC 3581: a client that asked with rport is answered at the port it sent from, else at the one it named.
    if (via?.params.has('rport') ?? true) return flow;
    const port = via?.port ?? 5060;
    return port === flow.remote.port ? flow : { ...flow, remote: { address: flow.remote.address, port } };
  }
  if (flow.connection?.isOpen === true || flow.protocol === 'ws' || flow.protocol === 'wss') return flow;
  // RFC 3261 18.2.2: the connection is gone; the client listens at its sent-by port.
  const port = via?.port ?? (flow.protocol === 'tls' ? 5061 : 5060);
  return { ...flow, remote: { address: flow.remote.address, port }, connection: undefined };
}
