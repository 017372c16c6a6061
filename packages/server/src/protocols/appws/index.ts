import { MAX_MESSAGE_BYTES } from '@tieline/appwebsocket';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { directoryStream } from '../../core/journal/index.ts';
import { MAX_BYTES_BEFORE_LOGIN, MAX_MESSAGES_BEFORE_LOGIN, refuseUpgrade } from '../../http/index.ts';
import { Roster } from '../../kit/index.ts';
import { createPbxSignal } from './apis/pbx-signal/index.ts';
import type { Api } from './api.ts';
import { type AcceptorTerms, Connection } from './connection.ts';
import type { AppWsParts } from './parts.ts';

export type { AppWsObserver, AppWsParts } from './parts.ts';

/** Where programs and pages reach the PBX (AW §7.1); behind a proxy the path may be prefixed. */
const PATH = '/PBX0/APPS/websocket';
const BEFORE_LOGIN = { maxBytes: MAX_BYTES_BEFORE_LOGIN, maxMessages: MAX_MESSAGES_BEFORE_LOGIN };

/** Serves AppWebsocket connections to the PBX. */
export function mountAppWs(parts: AppWsParts): { close(): void; readonly size: number } {
  const connections = new Roster<Connection>();
  const acceptor: AcceptorTerms = {
    environment: {
      get nowMs() {
        return parts.clock.now();
      },
      newChallenge: () => parts.ids.guid().slice(0, 16),
    },
    settings: { role: 'pbx', domain: parts.domain },
  };
  const apis = new Map<string, Api>([createPbxSignal(parts)].map((api) => [api.name, api]));

  async function accept(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let connection: Connection | null = null;
    const place = parts.http.lobby.enter(parts.http.addresses.addressOf(req), () => connection?.loginExpired());
    if (place === undefined) return refuseUpgrade(socket, 503);
    try {
      const port = await parts.http.acceptWebSocket(req, socket, head, {
        maxPayloadBytes: MAX_MESSAGE_BYTES,
        untilAdmitted: BEFORE_LOGIN,
      });
      parts.observer.opened();
      connection = new Connection({
        parts,
        acceptor,
        apis,
        port,
        place,
        onGone: () => {
          leave();
          parts.observer.closed();
        },
      });
      const leave = connections.add(connection);
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  const stops = [
    parts.http.mountUpgrade({ suffix: PATH }, accept),
    parts.http.onDrain(() => {
      for (const connection of connections.all()) connection.close(1001, 'server shutting down');
    }),
    parts.delivery.follow(directoryStream, ({ event }) => {
      if (event.kind !== 'directory' || event.what !== 'user') return;
      endLocked(event.id).catch((error: unknown) => parts.observer.trouble('locked account', error));
    }),
  ];

  /** Sessions of accounts that were locked or deleted end. */
  async function endLocked(id: string): Promise<void> {
    const own = connections.all().filter((connection) => connection.who?.party.id === id);
    const [first] = own;
    if (first === undefined || first.who === null) return;
    try {
      const user = await parts.directory.party({ by: 'id', value: first.who.party.id });
      if (user === null || user.isLocked) for (const connection of own) connection.close(1008, 'account closed');
    } catch (error) {
      // Who can't be looked up comes back when he can be.
      for (const connection of own) connection.close(1011, 'temporary failure');
      throw error;
    }
  }

  return {
    get size() {
      return connections.size;
    },
    close() {
      for (const stop of stops) stop();
      for (const connection of connections.all()) connection.close(1001, 'server shutting down');
    },
  };
}
