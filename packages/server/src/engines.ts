import { createExchangeEngine } from './adapters/engine-exchange/index.ts';
import { createTapiEngine, type EngineLog } from './adapters/engine-tapi/index.ts';
import type { Config } from './config/index.ts';
import type { CallEngine } from './core/calls/index.ts';
import type { Directory } from './core/directory/index.ts';
import type { Exchange } from './core/exchange/index.ts';
import type { Clock } from './kit/index.ts';

/** The one telephone system of this node: the configured TapiServer, else the built-in exchange. It has every number. */
export function createEngine(parts: {
  readonly tapi: Config['tapi'];
  readonly exchange: Exchange;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: EngineLog;
}): CallEngine {
  const { tapi, exchange, directory, clock, log } = parts;
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
  });
}
