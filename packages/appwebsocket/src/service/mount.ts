import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A Node server, or what has one: a Fastify instance. */
export type MountTarget = EventEmitter | { readonly server: EventEmitter };

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What a mount takes from the server. */
export interface Upgrades {
  readonly takesPath: (path: string) => boolean;
  readonly upgrade: UpgradeListener;
}

/** Marks our listeners, so that several services on one server know of each other. */
const TAKES_PATH = Symbol('tieline.takesPath');
interface MarkedListener extends UpgradeListener {
  [TAKES_PATH]: (path: string) => boolean;
}
const isMarked = (listener: unknown): listener is MarkedListener =>
  typeof listener === 'function' && TAKES_PATH in listener;

/**
 * Listens for upgrades of its own paths on a server that others use too. Returns what ends it. Where all listeners
 * are services of this library, the first one answers what none of them takes: nobody else would.
 */
export function mountUpgrades(target: MountTarget, { takesPath, upgrade }: Upgrades): () => void {
  const server = 'server' in target ? target.server : target;
  const listener: MarkedListener = Object.assign(
    (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const path = pathOf(request);
      if (takesPath(path)) return upgrade(request, socket, head);
      const all = server.listeners('upgrade');
      const isOurs = all.every((other) => isMarked(other) && !other[TAKES_PATH](path));
      if (isOurs && all[0] === listener) refuseUpgrade(socket, 404, 'Not Found');
    },
    { [TAKES_PATH]: takesPath },
  );
  server.on('upgrade', listener);
  return () => void server.off('upgrade', listener);
}

/** Path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/, '');
}

/**
 * An app service is reached at its directory and at `directory/<app>` (AW §6.2), and, where pages lie in a folder
 * named by the build, below that folder (AW §5.1).
 */
export function takesPathBelow(directory: string): (path: string) => boolean {
  const base = `/${directory.replace(/^\/+|\/+$/g, '')}`.replace(/\/$/, '');
  return (path) => {
    if (path !== base && !path.startsWith(`${base}/`)) return false;
    const [first = '', second = '', ...rest] = path.slice(base.length).replace(/\/+$/, '').split('/').slice(1);
    return rest.length === 0 && (second === '' || (first !== '' && /^[0-9a-f]+$/i.test(first)));
  };
}

/** Answers an upgrade with an HTTP status and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, text: string, headers = ''): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n`);
}
