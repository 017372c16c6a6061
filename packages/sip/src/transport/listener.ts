import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Wire } from './connection.ts';
import type { ConnectionTable } from './connections.ts';
import { localFor } from './addresses.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint, Protocol } from './port.ts';
import { listenStream, prepareSocket, wireOf } from './streams.ts';
import type { StreamServer, TlsIdentity } from './streams.ts';
import { openUdp, plainAddress } from './udp.ts';
import type { UdpSocket } from './udp.ts';
import { bytesOf, listenWebSocket, wireOfWebSocket } from './websocket.ts';

export interface ListenerOptions {
  readonly protocol: Protocol;
  /** The address to bind. */
  readonly address: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What peers know us by, where that differs (NAT, wildcard address). */
  readonly advertised?: Endpoint;
  /** TLS and WSS. */
  readonly tls?: TlsIdentity;
}

/** An open listener. */
export interface Listener {
  readonly protocol: Protocol;
  /** As bound. */
  readonly local: Endpoint;
  readonly advertised: Endpoint | undefined;
  readonly udp?: UdpSocket;
  readonly server?: StreamServer;
}

export interface ListenerContext {
  readonly connections: ConnectionTable;
  readonly handshakeTimeoutMs: number;
  /** Sockets a server holds at one time, those in handshake included. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly onDatagram: (listener: Listener, bytes: Buffer, remote: Endpoint) => void;
}

export async function openListener(options: ListenerOptions, context: ListenerContext): Promise<Listener> {
  const { protocol, advertised } = options;
  const bind = { address: options.address, port: options.port };
  if (protocol === 'udp') {
    const udp = await openUdp(bind, (bytes, remote) => context.onDatagram(listener, bytes, remote));
    const listener: Listener = { protocol, local: udp.local, advertised, udp };
    return listener;
  }
  const isSecure = protocol === 'tls' || protocol === 'wss';
  if (isSecure && options.tls === undefined)
    throw new TransportFailure('no-listener', `${protocol} needs a certificate`);
  const identity = isSecure ? options.tls : undefined;
  const { connections } = context;
  const accepted = (wire: Wire, socket: Socket | undefined): ReturnType<ConnectionTable['add']> | undefined => {
    const remote = { address: plainAddress(socket?.remoteAddress ?? ''), port: socket?.remotePort ?? 0 };
    if (remote.address === '' || !connections.hasRoomFor(remote.address)) {
      wire.destroy();
      return undefined;
    }
    const local = localFor(listener.local, advertised, remote.address);
    return connections.add({ protocol, local, remote, wire, isAccepted: true });
  };
  const server =
    protocol === 'tcp' || protocol === 'tls'
      ? await listenStream(bind, { identity, ...context }, (socket) => {
          const wire = wireOf(socket);
          socket.on('error', () => undefined);
          const connection = accepted(wire, socket);
          if (connection !== undefined) wireSocket(socket, connection);
        })
      : await listenWebSocket(
          bind,
          { identity, ...context },
          (request) => connections.hasRoomFor(plainAddress(request.socket.remoteAddress ?? '')),
          (socket, request) => {
            socket.on('error', () => undefined);
            const connection = accepted(wireOfWebSocket(socket), request.socket);
            if (connection !== undefined) wireWebSocket(socket, connection);
          },
        );
  const listener: Listener = { protocol, local: server.local, advertised, server };
  return listener;
}

interface Receiver {
  receive(chunk: Buffer): void;
  end(): void;
  closed(): void;
}

export function wireSocket(socket: Socket, connection: Receiver): void {
  prepareSocket(socket);
  socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  // What waits goes out, if the peer still reads; in any case the socket is gone soon.
  socket.on('end', () => connection.end());
  socket.on('close', () => connection.closed());
}

export function wireWebSocket(socket: WebSocket, connection: Receiver): void {
  socket.on('message', (data) => connection.receive(bytesOf(data)));
  socket.on('close', () => connection.closed());
}
