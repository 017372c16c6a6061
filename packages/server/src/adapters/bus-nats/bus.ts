import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Peers, TielineBell } from '../../core/index.ts';
import { type Clock, type Ids, reasonOf } from '../../kit/index.ts';
import { NatsBell } from './bell.ts';
import { NatsPeers } from './peers.ts';

/** What the bus has to say to whoever runs the server. */
export interface BusLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface BusOptions {
  /** `nats://host:port`; several, separated by commas. */
  readonly url: string;
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

/** @throws what NATS or the network say, where it can't be reached at the start */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { url, cluster = 'tieline', clock, ids, log } = options;
  const nats = await connect({
    servers: url.split(','),
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
  });
  const link = { nats, isUp: true };
  const bell = new NatsBell(link, cluster);
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

/** A NATS connection, and whether it stands. */
export interface Link {
  readonly nats: NatsConnection;
  readonly isUp: boolean;
}

async function follow(nats: NatsConnection, log: BusLog, changed: (isUp: boolean) => void): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') {
      log.warn('the bus is away');
      changed(false);
    } else if (status.type === 'reconnect') {
      log.info('the bus is back');
      changed(true);
    } else if (status.type === 'error') log.warn('the bus reports an error', { reason: reasonOf(status.error) });
  }
}
