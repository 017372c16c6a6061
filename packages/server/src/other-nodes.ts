import { readFileSync } from 'node:fs';
import type { Config } from './config/index.ts';
import { type NodeAddresses, openNodeAddresses, type Peers } from './core/index.ts';
import { createForwarder, type Forwarder, type Hops, type Http, type HttpObserver } from './http/index.ts';
import type { Clock } from './kit/index.ts';

/** The way of clients' requests to other nodes. */
export interface OtherNodes {
  readonly addresses: NodeAddresses;
  readonly forwarder: Forwarder;
  /** This node listens, and takes requests of the others. */
  listens(): void;
  /** This node takes no more: the first thing when it stops. */
  leaves(): void;
  close(): void;
}

/** @throws where `cluster.ca` can't be read */
export function openOtherNodes(parts: {
  readonly config: Pick<Config, 'cluster'>;
  readonly peers: Peers;
  readonly http: Http;
  readonly hops: Hops;
  readonly observer: HttpObserver;
  readonly clock: Clock;
}): OtherNodes {
  const { config, peers, http, hops, observer, clock } = parts;
  const { address, ca } = config.cluster;
  const authority = ca === null ? {} : { ca: readFileSync(ca, 'utf8') };
  const forwarder = createForwarder({ hops, addresses: http.addresses, clock, observer, ...authority });
  const addresses = openNodeAddresses(peers);
  const stopDrain = http.onDrain(() => forwarder.drain());
  return {
    addresses,
    forwarder,
    listens: () => addresses.announce(address ?? http.urls[0] ?? null),
    leaves: () => addresses.announce(null),
    close() {
      stopDrain();
      addresses.close();
      forwarder.close();
    },
  };
}
