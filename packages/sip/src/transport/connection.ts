import { StreamFramer, parseMessage } from '../messages/index.ts';
import type { StreamItem } from '../messages/index.ts';
import type { TransportLimits } from './limits.ts';
import { TransportFailure } from './port.ts';
import type { Connection, Endpoint, Flow, Protocol } from './port.ts';

/** What a connection writes to: a TCP or TLS socket, or a WebSocket. */
export interface Wire {
  write(bytes: Uint8Array): void;
  /** Bytes not yet taken by the system. */
  readonly queuedBytes: number;
  /** Closes after what is queued. */
  end(): void;
  /** Closes now. */
  destroy(): void;
}

export interface ConnectionEvents {
  onItem(item: StreamItem, flow: Flow): void;
  onClosed(connection: SipConnection): void;
}

export interface ConnectionParts {
  readonly id: string;
  readonly protocol: Protocol;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly serverName?: string | undefined;
  readonly wire: Wire;
  readonly limits: TransportLimits;
  readonly events: ConnectionEvents;
  readonly now: () => number;
  /** Accepted, not opened by us: it must show a message soon. */
  readonly isAccepted: boolean;
}

const PING = Buffer.from('\r\n\r\n');
const PONG = Buffer.from('\r\n');
const SENT: Promise<void> = Promise.resolve();

/** One connection: cuts or takes its messages, answers pings, bounds what waits, and knows when it is overdue. */
export class SipConnection implements Connection {
  readonly id: string;
  readonly flow: Flow;
  readonly #parts: ConnectionParts;
  readonly #framer: StreamFramer | undefined;
  readonly #closeListeners = new Set<() => void>();
  #isOpen = true;
  #isProven: boolean;
  #activeAt: number;
  #partialSince: number | undefined;
  readonly #openedAt: number;
  /** Who waits for an answer to a ping. A ping that stays unanswered ends the connection, and them with it. */
  #onPong: (() => void)[] = [];

  constructor(parts: ConnectionParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#isProven = !parts.isAccepted;
    this.#openedAt = this.#activeAt = parts.now();
    // RFC 7118 5: one SIP message in each WebSocket message.
    this.#framer = parts.protocol === 'ws' || parts.protocol === 'wss' ? undefined : new StreamFramer();
    const { protocol, local, remote, serverName } = parts;
    this.flow = { protocol, local, remote, connection: this, serverName };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  onClose(listener: () => void): () => void {
    if (!this.#isOpen) queueMicrotask(listener);
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  send(bytes: Uint8Array): Promise<void> {
    const wire = this.#parts.wire;
    if (!this.#isOpen) return Promise.reject(new TransportFailure('flow-closed', `connection ${this.id} is closed`));
    if (wire.queuedBytes + bytes.length > this.#parts.limits.maxQueuedBytes) {
      this.destroy();
      return Promise.reject(new TransportFailure('slow-peer', `connection ${this.id} does not read`));
    }
    this.#activeAt = this.#parts.now();
    wire.write(bytes);
    return SENT;
  }

  /** Sends the double CRLF of RFC 5626 4.4.1; `onPong` is called once, at the answer. */
  ping(onPong: () => void): Promise<void> {
    this.#onPong.push(onPong);
    return this.send(PING);
  }

  receive(chunk: Buffer): void {
    if (!this.#isOpen) return;
    const now = this.#parts.now();
    this.#activeAt = now;
    const items = this.#framer === undefined ? readWhole(chunk) : this.#framer.push(chunk);
    const isPartial = this.#framer !== undefined && this.#framer.pendingBytes > 0;
    this.#partialSince = isPartial ? (items.length > 0 ? now : (this.#partialSince ?? now)) : undefined;
    for (const item of items) {
      if (!this.#isOpen) return;
      this.#take(item);
    }
  }

  #take(item: StreamItem): void {
    switch (item.kind) {
      case 'ping':
        this.#isProven = true;
        // Two answers that come together look like a ping.
        if (this.#onPong.length > 1) this.#answered();
        else this.send(PONG).catch(() => undefined);
        break;
      case 'pong':
        this.#answered();
        break;
      case 'message':
        this.#isProven = true;
        this.#parts.events.onItem(item, this.flow);
        break;
      case 'failure':
        this.#parts.events.onItem(item, this.flow);
        if (item.isFatal) this.end();
        break;
    }
  }

  #answered(): void {
    for (const answered of this.#onPong.splice(0)) answered();
  }

  /** Whether the peer is late: with its first message, with the rest of one, or with any sign of life. */
  isOverdue(now: number): boolean {
    const limits = this.#parts.limits;
    if (!this.#isProven && now - this.#openedAt > limits.firstMessageTimeoutMs) return true;
    if (this.#partialSince !== undefined && now - this.#partialSince > limits.messageTimeoutMs) return true;
    return now - this.#activeAt > limits.idleTimeoutMs;
  }

  /** Closes after what is queued has gone out. */
  end(): void {
    if (!this.#isOpen) return;
    this.#parts.wire.end();
    this.closed();
  }

  destroy(): void {
    this.#parts.wire.destroy();
    this.closed();
  }

  /** The wire has ended. */
  closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onPong = [];
    this.#parts.events.onClosed(this);
    for (const listener of [...this.#closeListeners]) listener();
    this.#closeListeners.clear();
  }
}

function readWhole(bytes: Buffer): StreamItem[] {
  if (bytes.length === 2 && bytes.equals(PONG)) return [{ kind: 'pong' }];
  if (bytes.length === 4 && bytes.equals(PING)) return [{ kind: 'ping' }];
  const message = parseMessage(bytes);
  if (message.kind === 'failure') return [{ kind: 'failure', failure: message, isFatal: false }];
  return [{ kind: 'message', message }];
}
