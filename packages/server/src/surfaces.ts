import { openTapiLookup } from './adapters/tapi-lookup/index.ts';
import type { Config } from './config/index.ts';
import type { Vault } from './core/directory/index.ts';
import type { Core } from './core/index.ts';
import type { Delivery } from './delivery/index.ts';
import type { Http } from './http/index.ts';
import type { Clock, Ids } from './kit/index.ts';
import { type Log, type Metrics, surfaceObserver } from './observe/index.ts';
import type { OtherNodes } from './other-nodes.ts';
import { mountAppWs } from './protocols/appws/index.ts';
import { mountChatApi } from './protocols/chat-api/index.ts';
import { mountTapiMessenger } from './protocols/tapi-messenger/index.ts';

export interface SurfaceParts {
  readonly config: Config;
  readonly http: Http;
  readonly core: Core;
  readonly otherNodes: OtherNodes;
  readonly delivery: Delivery;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Surfaces {
  /** Sessions of the Tapi Messenger surface, for `/healthz`. */
  readonly tapiSessions: number;
  /** After the listeners have closed, before the core ends. */
  close(): Promise<void>;
}

/** Mounts every surface on the HTTP listeners. */
export function mountSurfaces(parts: SurfaceParts): Surfaces {
  const { config, http, core, otherNodes, delivery, vault, clock, ids, metrics } = parts;
  const shared = { http, ...core, delivery, clock, ids, domain: config.domain };
  const appWs = mountAppWs({
    ...shared,
    slowReaderMs: config.delivery.slowReaderMs,
    observer: surfaceObserver(parts, 'appws'),
  });
  const chatApi = mountChatApi({
    ...shared,
    settings: { secret: config.chatApi.secret, tokenKey: vault.derive('chat-api-tokens') },
    observer: surfaceObserver(parts, 'chat-api'),
  });
  const observer = surfaceObserver(parts, 'tapi-messenger');
  const lookup = openTapiLookup(config.tapi.lookup, (error) => observer.trouble('application sessions', error));
  const tapi = mountTapiMessenger({
    ...shared,
    otherNodes,
    ...(lookup === null ? {} : { lookup }),
    settings: config.tapi,
    observer,
  });
  const gauge = (name: string, help: string, read: () => number): void =>
    metrics.watch({ name, help, kind: 'gauge', read });
  gauge('appws_connections', 'AppWebsocket connections.', () => appWs.size);
  gauge('chat_streams', 'Chat streams known to this node.', () => chatApi.figures().chatStreams);
  gauge('event_streams', 'Open event streams (SSE).', () => chatApi.figures().eventStreams);
  gauge('stomp_sessions', 'STOMP sessions.', () => tapi.size);
  return {
    get tapiSessions() {
      return tapi.size;
    },
    async close() {
      appWs.close();
      await tapi.close();
      await lookup?.close();
      await chatApi.close();
    },
  };
}
