import { connect as connectTcp, createServer as createTcpServer, isIP } from 'node:net';
import type { Server as NetServer, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import type { Wire } from './connection.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint } from './port.ts';

/** PEM texts. */
export interface TlsIdentity {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export interface TlsTrust {
  /** Trusted authorities; the system's where missing. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** `false` accepts any certificate: for laboratories only. */
  readonly rejectUnauthorized?: boolean;
  /** Our own certificate towards peers that ask for one. */
  readonly identity?: TlsIdentity;
}

export interface StreamServer {
  readonly local: Endpoint;
  /** Takes a new certificate for connections to come. */
  reload(identity: TlsIdentity): void;
  close(): Promise<void>;
}

/** Keep-alive of the system finds peers that vanished without a FIN between our own checks. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** A peer that never closes its side must not hold the socket; what is queued has gone out by then. */
export const CLOSE_MS = 5_000;

export interface ServerOptions {
  readonly identity: TlsIdentity | undefined;
  readonly handshakeTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

export async function listenStream(
  bind: Endpoint,
  options: ServerOptions,
  onSocket: (socket: Socket) => void,
): Promise<StreamServer> {
  const { identity } = options;
  const server: NetServer | TlsServer =
    identity === undefined ? createTcpServer({ noDelay: true }, onSocket) : secureServer(identity, options, onSocket);
  server.maxConnections = options.maxConnections;
  const closeSockets = trackSockets(server, options.maxConnectionsPerAddress);
  const local = await listen(server, bind);
  return {
    local,
    reload(next) {
      if ('setSecureContext' in server) server.setSecureContext({ key: next.key, cert: next.cert });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closeSockets();
      }),
  };
}

function secureServer(identity: TlsIdentity, options: ServerOptions, onSocket: (socket: Socket) => void): TlsServer {
  const { key, cert } = identity;
  const server = createTlsServer({ key, cert, handshakeTimeout: options.handshakeTimeoutMs }, onSocket);
  // A failed or late handshake is the peer's affair; Node leaves its socket open.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/**
 * Sockets in handshake are known to nobody else: closing must end them too, and one address must not take all the room with them.
 * Returns what ends them all.
 */
export function trackSockets(server: NetServer, maxPerAddress: number): () => void {
  const open = new Set<Socket>();
  const perAddress = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (perAddress.get(address) ?? 0) + 1;
    perAddress.set(address, count);
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    if (count > maxPerAddress) socket.destroy();
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}

export async function listen(server: NetServer, bind: Endpoint): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: bind.address, port: bind.port, ipv6Only: true, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => undefined);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TransportFailure('closed', 'no address');
  return { address: bound.address, port: bound.port };
}

export interface DialOptions {
  readonly remote: Endpoint;
  /** The address to leave by; undefined: the system chooses. */
  readonly localAddress: string | undefined;
  readonly timeoutMs: number;
  /** Set: TLS. */
  readonly tls?: { readonly trust: TlsTrust; readonly serverName: string };
}

/** Opens a connection; rejects with `TransportFailure`. */
export function dialStream(options: DialOptions): Promise<Socket> {
  const { remote, localAddress, tls } = options;
  const base = { host: remote.address, port: remote.port, ...(localAddress === undefined ? {} : { localAddress }) };
  const socket =
    tls === undefined
      ? connectTcp({ ...base, noDelay: true })
      : connectTls({
          ...base,
          ...(tls.trust.ca === undefined
            ? {}
            : {
                ca:
                  typeof tls.trust.ca === 'string' || Buffer.isBuffer(tls.trust.ca) ? tls.trust.ca : [...tls.trust.ca],
              }),
          ...(tls.trust.identity === undefined ? {} : { key: tls.trust.identity.key, cert: tls.trust.identity.cert }),
          rejectUnauthorized: tls.trust.rejectUnauthorized ?? true,
          // SNI names hosts, not addresses (RFC 6066 3); the certificate is checked against `host` then.
          ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : {}),
        });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new TransportFailure('connect-timeout', `${remote.address}:${remote.port} did not answer`));
    }, options.timeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(new TransportFailure('connect-failed', `${remote.address}:${remote.port}: ${error.message}`, error));
    };
    socket.once('error', onError);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** What one turn of the event loop writes to a socket leaves in one system call. */
export function wireOf(socket: Socket): Wire {
  let isCorked = false;
  return {
    write(bytes) {
      if (!isCorked) {
        isCorked = true;
        socket.cork();
        process.nextTick(() => {
          isCorked = false;
          socket.uncork();
        });
      }
      socket.write(bytes);
    },
    get queuedBytes() {
      return socket.writableLength;
    },
    end() {
      socket.end();
      const late = setTimeout(() => socket.destroy(), CLOSE_MS);
      socket.once('close', () => clearTimeout(late));
    },
    destroy: () => socket.destroy(),
  };
}

export function prepareSocket(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
}
