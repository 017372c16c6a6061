import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Peers, TielineBell } from '../../core/index.ts';
import { type Clock, type Ids, Problem, reasonOf } from '../../kit/index.ts';
import { NatsBell } from './bell.ts';
import { NatsPeers } from './peers.ts';
import { type BusTls, serversOf, tlsOf } from './servers.ts';

/** What the bus has to say to whoever runs the server: `bus.went-away`, `bus.came-back`, `bus.error`, `bus.request-failed`, `bus.news-failed`. */
export interface BusLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface BusOptions {
  /** `nats://user:password@host:port`, or with a token in their place; `tls://` for TLS; several, separated by commas. */
  readonly url: string;
  /** PEM files. */
  readonly tls?: BusTls;
  /** Nodes with the same name are one cluster. */
  readonly cluster?: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: BusLog;
}

/** Bell and peers of one node over NATS core. */
export interface Bus {
  readonly bell: TielineBell;
  readonly peers: Peers;
  /** False while NATS is away: bells are lost then, requests fail; both come back by themselves. */
  readonly isConnected: boolean;
  /** Says goodbye to the other nodes. Idempotent. */
  close(): Promise<void>;
}

const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 250;
/** Two pings without an answer, and the connection counts as lost. */
const PING_MS = 2_000;

/** @throws bus-unavailable, where NATS can't be reached at the start, or doesn't let us in */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { cluster = 'tieline', clock, ids, log } = options;
  const nats = await connectNats(options);
  const link = { nats, isUp: true };
  const bell = new NatsBell(link, cluster, log);
  const peers = new NatsPeers({ link, cluster, clock, ids, log });
  void follow(nats, log, (isUp) => {
    link.isUp = isUp;
    peers.linkChanged(isUp);
  });
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    await peers.close();
    bell.close();
    await nats.close();
  }

  return {
    bell,
    peers,
    get isConnected() {
      return link.isUp && !nats.isClosed();
    },
    close: () => (closing ??= close()),
  };
}

async function connectNats({ url, tls }: BusOptions): Promise<NatsConnection> {
  const { servers, hosts, ...credentials } = serversOf(url);
  try {
    return await connect({
      servers,
      ...credentials,
      ...tlsOf(url, tls),
      noEcho: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
    });
  } catch (error) {
    const reason = reasonOf(error);
    throw new Problem('bus-unavailable', `NATS at ${hosts} (bus.url) can't be used: ${reason}`, {
      retry: true,
      cause: error,
    });
  }
}

/** A NATS connection, and whether it stands. */
export interface Link {
  readonly nats: NatsConnection;
  readonly isUp: boolean;
}

async function follow(nats: NatsConnection, log: BusLog, changed: (isUp: boolean) => void): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') {
      log.warn('bus.went-away');
      changed(false);
    } else if (status.type === 'reconnect') {
      log.info('bus.came-back');
      changed(true);
    } else if (status.type === 'error') log.warn('bus.error', { reason: reasonOf(status.error) });
  }
}
