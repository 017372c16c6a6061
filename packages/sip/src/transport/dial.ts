import type { SipConnection } from './connection.ts';
import type { ConnectionTable } from './connections.ts';
import { wireSocket, wireWebSocket } from './listener.ts';
import type { Flow } from './port.ts';
import { dialStream, wireOf } from './streams.ts';
import type { TlsTrust } from './streams.ts';
import { isSecureProtocol } from './via.ts';
import { dialWebSocket, wireOfWebSocket } from './websocket.ts';

export interface DialContext {
  readonly connections: ConnectionTable;
  readonly trust: TlsTrust;
  readonly timeoutMs: number;
  /** The address to leave by; undefined: the system chooses. */
  readonly localAddress: string | undefined;
}

/** Opens the connection that a flow without one asks for. */
export async function dial(flow: Flow, context: DialContext): Promise<SipConnection> {
  const { protocol, local, remote, serverName } = flow;
  const { connections, trust, timeoutMs, localAddress } = context;
  const tls = isSecureProtocol(protocol) ? { tls: { trust, serverName: serverName ?? remote.address } } : {};
  const parts = { protocol, local, remote, serverName, isAccepted: false };
  if (protocol === 'ws' || protocol === 'wss') {
    const socket = await dialWebSocket({ remote, timeoutMs, ...tls });
    const connection = connections.add({ ...parts, wire: wireOfWebSocket(socket) });
    socket.on('error', () => undefined);
    wireWebSocket(socket, connection);
    socket.resume();
    return connection;
  }
  const socket = await dialStream({ remote, localAddress, timeoutMs, ...tls });
  const connection = connections.add({ ...parts, wire: wireOf(socket) });
  socket.on('error', () => undefined);
  wireSocket(socket, connection);
  return connection;
}
