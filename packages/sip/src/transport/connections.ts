import { randomBytes } from 'node:crypto';
import { SipConnection } from './connection.ts';
import type { ConnectionEvents, Wire } from './connection.ts';
import type { TransportLimits } from './limits.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint, Flow, Protocol } from './port.ts';

export interface NewConnection {
  readonly protocol: Protocol;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly serverName?: string | undefined;
  readonly isAccepted: boolean;
  readonly wire: Wire;
}

/**
 * At most this many messages wait for one connection to open: a storm towards a dead trunk must not pile up.
 * @peer the message fails
 * @test transport/bounds: messages that wait
 */
const MAX_WAITING = 1_000;

interface Opening {
  readonly connection: Promise<SipConnection>;
  waiting: number;
}

/** All live connections: by id for flows, by remote address for reuse; and their bounds. */
export class ConnectionTable {
  readonly #limits: TransportLimits;
  readonly #events: ConnectionEvents;
  readonly #now: () => number;
  readonly #byId = new Map<string, SipConnection>();
  readonly #byRemote = new Map<string, SipConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #opening = new Map<string, Opening>();
  readonly #prefix = randomBytes(6).toString('base64url');
  #count = 0;

  constructor(limits: TransportLimits, events: ConnectionEvents, now: () => number) {
    this.#limits = limits;
    this.#events = events;
    this.#now = now;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Whether one more from this address is allowed. */
  hasRoomFor(address: string): boolean {
    return (
      this.#byId.size < this.#limits.maxConnections &&
      (this.#perAddress.get(address) ?? 0) < this.#limits.maxConnectionsPerAddress
    );
  }

  add(parts: NewConnection): SipConnection {
    const connection = new SipConnection({
      ...parts,
      id: `${this.#prefix}-${(this.#count += 1)}`,
      limits: this.#limits,
      now: this.#now,
      events: {
        onItem: (item, flow) => this.#events.onItem(item, flow),
        onClosed: (closed) => this.#remove(closed),
      },
    });
    this.#byId.set(connection.id, connection);
    this.#byRemote.set(keyOf(connection.flow), connection);
    this.#perAddress.set(parts.remote.address, (this.#perAddress.get(parts.remote.address) ?? 0) + 1);
    return connection;
  }

  byId(id: string): SipConnection | undefined {
    return this.#byId.get(id);
  }

  /** The connection for a flow that names none: an open one to that remote address, or a new one by `open`. */
  async reach(flow: Flow, open: () => Promise<SipConnection>): Promise<SipConnection> {
    const key = keyOf(flow);
    const known = this.#byRemote.get(key);
    if (known?.isOpen === true) return known;
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      if (this.#byId.size >= this.#limits.maxConnections)
        throw new TransportFailure('too-many-connections', 'no room for another connection');
      opening = { connection: open().finally(() => this.#opening.delete(key)), waiting: 0 };
      this.#opening.set(key, opening);
    }
    if ((opening.waiting += 1) > MAX_WAITING)
      throw new TransportFailure('slow-peer', 'too many wait for this connection');
    return opening.connection;
  }

  closeOverdue(): void {
    const now = this.#now();
    for (const connection of this.#byId.values()) if (connection.isOverdue(now)) connection.destroy();
  }

  destroyAll(): void {
    for (const connection of [...this.#byId.values()]) connection.destroy();
  }

  #remove(connection: SipConnection): void {
    const { remote } = connection.flow;
    this.#byId.delete(connection.id);
    const key = keyOf(connection.flow);
    if (this.#byRemote.get(key) === connection) this.#byRemote.delete(key);
    const left = (this.#perAddress.get(remote.address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(remote.address, left);
    else this.#perAddress.delete(remote.address);
    this.#events.onClosed(connection);
  }
}

/** Reuse needs the same protocol, address and port, and the same proven name (RFC 5923 8.1). */
function keyOf(flow: Flow): string {
  return `${flow.protocol} ${flow.remote.address} ${flow.remote.port} ${flow.serverName ?? ''}`;
}
