import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { MAX_DATAGRAM } from './limits.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint } from './port.ts';

export interface UdpSocket {
  readonly local: Endpoint;
  send(bytes: Uint8Array, remote: Endpoint): Promise<void>;
  close(): Promise<void>;
}

const SENT: Promise<void> = Promise.resolve();

/** Four megabytes of kernel buffer, where the system allows it: a burst of registrations after a power cut is thousands of datagrams. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Binds a UDP socket. Send errors of a single datagram (unreachable hosts) are losses like any other. */
export async function openUdp(
  bind: Endpoint,
  onDatagram: (bytes: Buffer, remote: Endpoint) => void,
): Promise<UdpSocket> {
  const isV6 = bind.address.includes(':');
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    ipv6Only: isV6,
    // Addresses are always literal here; Node's own look-up would cost a turn of the event loop for each datagram.
    lookup: (host, _options, done) => done(null, host, host.includes(':') ? 6 : 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: bind.address, port: bind.port }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', () => undefined);
  growBuffer(socket);
  socket.on('message', (bytes, from) => {
    // Port 0 is legal as a source (RFC 768), but nothing can be sent there.
    if (from.port !== 0) onDatagram(bytes, { address: plainAddress(from.address), port: from.port });
  });
  const bound = socket.address();
  let isClosed = false;
  return {
    local: { address: bound.address, port: bound.port },
    send(bytes, remote) {
      if (isClosed) return Promise.reject(new TransportFailure('closed', 'the socket is closed'));
      if (bytes.length > MAX_DATAGRAM)
        return Promise.reject(new TransportFailure('too-large', `${bytes.length} bytes`));
      socket.send(bytes, remote.port, remote.address);
      return SENT;
    },
    close() {
      if (isClosed) return SENT;
      isClosed = true;
      return new Promise((resolve) => {
        socket.close(() => resolve());
      });
    },
  };
}

function growBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch (error) {
    // A system may refuse the size; then its own default stays.
    if (!(error instanceof Error)) throw error;
  }
}

/** Without an IPv6 zone, and IPv4 out of its IPv6 mapping. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
}
