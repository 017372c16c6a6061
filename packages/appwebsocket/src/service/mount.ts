import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A Node server, or what has one: a Fastify instance. */
export type MountTarget = EventEmitter | { readonly server: EventEmitter };

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What a mount takes from the server. */
export interface Upgrades {
  /** Length of the own directory if the path lies there, else -1: of several services the longest directory wins. */
  readonly claim: (path: string) => number;
  readonly upgrade: UpgradeListener;
}

/** Marks our listeners, so that several services on one server know of each other. */
const CLAIM = Symbol('tieline.claim');
interface MarkedListener extends UpgradeListener {
  [CLAIM]: (path: string) => number;
}
const isMarked = (listener: unknown): listener is MarkedListener => typeof listener === 'function' && CLAIM in listener;

/**
 * Listens for upgrades of its own paths on a server that others use too. Returns what ends it. Where all listeners
 * are services of this library, the first one answers what none of them takes: nobody else would.
 */
export function mountUpgrades(target: MountTarget, { claim, upgrade }: Upgrades): () => void {
  const server = 'server' in target ? target.server : target;
  const listener: MarkedListener = Object.assign(
    (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const path = pathOf(request);
      if (server.listenerCount('upgrade') === 1 && claim(path) >= 0) return upgrade(request, socket, head);
      const all = server.listeners('upgrade');
      const ours = all.filter(isMarked);
      const claims = ours.map((other) => other[CLAIM](path));
      const most = Math.max(...claims);
      const isFirst = (index: number): boolean => ours[index] === listener;
      if (most >= 0 && isFirst(claims.indexOf(most))) upgrade(request, socket, head);
      else if (most < 0 && isFirst(0) && ours.length === all.length) refuseUpgrade(socket, 404, 'Not Found');
    },
    { [CLAIM]: claim },
  );
  server.on('upgrade', listener);
  return () => void server.off('upgrade', listener);
}

/** Path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/**
 * An app service is reached at its directory and at `directory/<app>` (AW §6.2), and, where pages lie in a folder
 * named by the build, below that folder (AW §5.1).
 */
export function claimBelow(directory: string): (path: string) => number {
  const base = `/${directory.replace(/^\/+|\/+$/g, '')}`.replace(/\/$/, '');
  return (path) => {
    if (path === base) return base.length;
    if (!path.startsWith(`${base}/`)) return -1;
    const [first = '', second = '', ...rest] = path.slice(base.length).replace(/\/+$/, '').split('/').slice(1);
    const isOwn = rest.length === 0 && (second === '' || (first !== '' && /^[0-9a-f]+$/i.test(first)));
    return isOwn ? base.length : -1;
  };
}

/** Answers an upgrade with an HTTP status and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, text: string, headers = ''): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n`);
}
