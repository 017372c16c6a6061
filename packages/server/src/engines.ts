import { createElectedEngine } from './adapters/engine-elected/index.ts';
import { createExchangeEngine } from './adapters/engine-exchange/index.ts';
import { createTapiEngine, type EngineLog } from './adapters/engine-tapi/index.ts';
import type { Config } from './config/index.ts';
import type { CallEngine } from './core/calls/index.ts';
import type { Directory } from './core/directory/index.ts';
import type { Exchange } from './core/exchange/index.ts';
import type { Cluster } from './core/index.ts';
import type { Clock, Ids } from './kit/index.ts';

/**
 * The one telephone system: the configured TapiServer, else the built-in exchange. It has every number. Where there may be other
 * nodes, one of them holds it for all.
 */
export function createEngine(parts: {
  readonly tapi: Config['tapi'];
  readonly exchange: Exchange;
  readonly directory: Directory;
  readonly cluster: Cluster;
  /** There are never other nodes. */
  readonly isAlone: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: EngineLog;
}): CallEngine {
  const { tapi, exchange, directory, cluster, isAlone, clock, ids, log } = parts;
  const open = (): CallEngine => {
    if (tapi.server === null) return createExchangeEngine({ exchange, directory, clock });
    const { framing, reconnectMs, connectTimeoutMs, maxOutBytes, resync } = tapi;
    return createTapiEngine({
      ...tapi.server,
      clock,
      log,
      framing,
      reconnectMs,
      connectTimeoutMs,
      maxOutBytes,
      resync,
      isTakeover: !isAlone,
    });
  };
  if (isAlone) return open();
  return createElectedEngine({ ...cluster, name: tapi.server === null ? 'exchange' : 'tapi', open, clock, ids, log });
}
