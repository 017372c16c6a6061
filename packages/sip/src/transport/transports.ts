import type { WebSocket } from 'ws';
import { systemClock } from '../clock/index.ts';
import type { Clock, Timer } from '../clock/index.ts';
import { SyntaxFailure, parseMessage } from '../messages/index.ts';
import type { ParseFailure, SipMessage, StreamItem } from '../messages/index.ts';
import { isPlace, isWildcard, localFor } from './addresses.ts';
import { Bindings } from './bindings.ts';
import type { SipConnection } from './connection.ts';
import { ConnectionTable } from './connections.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { TransportLimits } from './limits.ts';
import { dial } from './dial.ts';
import { openListener, wireWebSocket } from './listener.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { TransportFailure } from './port.ts';
import type { Endpoint, Flow, FlowFinder, Target, Transport } from './port.ts';
import type { TlsIdentity, TlsTrust } from './streams.ts';
import { failureOf, refusalOf } from './refusals.ts';
import { answerBinding, isStun } from './stun.ts';
import { stampVia } from './via.ts';
import { wireOfWebSocket } from './websocket.ts';

export interface TransportsOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  /** How peers' certificates are judged when we connect. */
  readonly trust?: TlsTrust;
  /** Hears of every message that was refused. */
  readonly onRefused?: (failure: ParseFailure, flow: Flow) => void;
}

/** How often overdue connections are looked for. */
const SWEEP_MS = 1_000;

/** Opens all listeners, or none. */
export async function openTransports(options: TransportsOptions): Promise<SipTransports> {
  const transports = new SipTransports(options);
  try {
    for (const listener of options.listeners) await transports.listen(listener);
  } catch (error) {
    await transports.close();
    throw error;
  }
  return transports;
}

/** All transports behind the one port. */
export class SipTransports implements Transport, FlowFinder {
  readonly #limits: TransportLimits;
  readonly #clock: Clock;
  readonly #options: TransportsOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: ConnectionTable;
  readonly #bindings = new Bindings();
  #onMessage: ((message: SipMessage, flow: Flow) => void) | undefined;
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(options: TransportsOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#connections = new ConnectionTable(
      this.#limits,
      { onItem: (item, flow) => this.#takeItem(item, flow), onClosed: () => undefined },
      () => this.#clock.now(),
    );
    this.#scheduleSweep();
  }

  get listeners(): readonly Listener[] {
    return this.#listeners;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** The flow of a connection that stands (for `FlowTokens`). */
  flowOf(connectionId: string): Flow | undefined {
    return this.#connections.byId(connectionId)?.flow;
  }

  async listen(options: ListenerOptions): Promise<Listener> {
    const listener = await openListener(options, {
      connections: this.#connections,
      handshakeTimeoutMs: this.#limits.connectTimeoutMs,
      maxConnections: this.#limits.maxConnections,
      maxConnectionsPerAddress: this.#limits.maxConnectionsPerAddress,
      onDatagram: (from, bytes, remote) => this.#takeDatagram(from, bytes, remote),
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** Takes a new certificate on every TLS and WSS listener; connections that stand keep theirs. */
  reload(identity: TlsIdentity): void {
    for (const listener of this.#listeners)
      if (listener.protocol === 'tls' || listener.protocol === 'wss') listener.server?.reload(identity);
  }

  /** Takes over a WebSocket of the subprotocol `sip` that an HTTP server of the caller's accepted. */
  adopt(socket: WebSocket, ends: { local: Endpoint; remote: Endpoint; isSecure: boolean }): boolean {
    if (socket.protocol !== 'sip' || !this.#connections.hasRoomFor(ends.remote.address)) {
      socket.close(1013);
      return false;
    }
    const connection = this.#connections.add({
      protocol: ends.isSecure ? 'wss' : 'ws',
      local: ends.local,
      remote: ends.remote,
      wire: wireOfWebSocket(socket),
      isAccepted: true,
    });
    socket.on('error', () => undefined);
    wireWebSocket(socket, connection);
    return true;
  }

  onMessage(listener: (message: SipMessage, flow: Flow) => void): void {
    this.#onMessage = listener;
  }

  flowTo(target: Target): Flow | undefined {
    const isV6 = target.address.includes(':');
    const listener = this.#listeners.find(
      (own) => own.protocol === target.protocol && own.local.address.includes(':') === isV6,
    );
    if (listener === undefined) return undefined;
    return {
      protocol: target.protocol,
      local: localFor(listener.local, listener.advertised, target.address),
      remote: { address: target.address, port: target.port },
      serverName: target.protocol === 'tls' || target.protocol === 'wss' ? target.serverName : undefined,
    };
  }

  send(bytes: Uint8Array, flow: Flow): Promise<void> {
    if (this.#isClosed) return Promise.reject(new TransportFailure('closed', 'the transports are closed'));
    if (flow.connection === undefined && !isPlace(flow.remote)) return Promise.reject(noPlace(flow.remote));
    if (flow.protocol === 'udp') {
      const socket = this.#listenerOf(flow)?.udp;
      return socket === undefined
        ? Promise.reject(new TransportFailure('no-listener', 'no UDP listener for this flow'))
        : socket.send(bytes, flow.remote);
    }
    if (flow.connection !== undefined) {
      const connection = this.#connections.byId(flow.connection.id);
      return connection === undefined
        ? Promise.reject(new TransportFailure('flow-closed', `connection ${flow.connection.id} is gone`))
        : connection.send(bytes);
    }
    return this.#sendByAddress(bytes, flow);
  }

  async #sendByAddress(bytes: Uint8Array, flow: Flow): Promise<void> {
    const connection = await this.#connections.reach(flow, () => this.#open(flow));
    return connection.send(bytes);
  }

  /**
   * One keep-alive on a flow (RFC 5626 3.5). Resolves with our address as the peer sees it, where it says so. A connection that does not
   * answer is dead and closed: what is sent next opens another (RFC 5626 4.4).
   */
  async probe(flow: Flow, timeoutMs: number): Promise<Endpoint | undefined> {
    let settle: (mapped: Endpoint | undefined) => void = () => undefined;
    const answered = new Promise<Endpoint | undefined>((resolve) => (settle = resolve));
    let timer: Timer | undefined;
    let connection: SipConnection | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#clock.after(timeoutMs, () => {
        reject(new TransportFailure('flow-closed', 'no answer to keep-alive'));
        connection?.destroy();
      });
    });
    let forget: (() => void) | undefined;
    try {
      if (flow.protocol === 'udp') {
        const asked = this.#bindings.ask(settle);
        forget = () => asked.forget();
        await this.send(asked.bytes, flow);
      } else {
        connection = await this.#connectionOf(flow);
        await connection.ping(() => settle(undefined));
      }
      return await Promise.race([answered, late]);
    } finally {
      timer?.cancel();
      forget?.();
    }
  }

  #connectionOf(flow: Flow): Promise<SipConnection> {
    const known = flow.connection === undefined ? undefined : this.#connections.byId(flow.connection.id);
    if (known !== undefined) return Promise.resolve(known);
    if (flow.connection !== undefined)
      return Promise.reject(new TransportFailure('flow-closed', 'the connection is gone'));
    if (!isPlace(flow.remote)) return Promise.reject(noPlace(flow.remote));
    return this.#connections.reach(flow, () => this.#open(flow));
  }

  async #open(flow: Flow): Promise<SipConnection> {
    const bound = this.#listenerOf(flow)?.local.address;
    const connection = await dial(flow, {
      connections: this.#connections,
      trust: this.#options.trust ?? {},
      timeoutMs: this.#limits.connectTimeoutMs,
      localAddress: bound === undefined || isWildcard(bound) ? undefined : bound,
    });
    if (this.#isClosed) connection.destroy();
    return connection;
  }

  #listenerOf(flow: Flow): Listener | undefined {
    const isV6 = flow.remote.address.includes(':');
    let fallback: Listener | undefined;
    for (const own of this.#listeners) {
      if (own.protocol !== flow.protocol || own.local.address.includes(':') !== isV6) continue;
      const name = own.advertised ?? own.local;
      if (name.port === flow.local.port && (name.address === flow.local.address || isWildcard(name.address)))
        return own;
      fallback ??= own;
    }
    return fallback;
  }

  #takeDatagram(listener: Listener, bytes: Buffer, remote: Endpoint): void {
    if ((bytes[0] ?? 0) < 0x40 && isStun(bytes)) return this.#takeStun(listener, bytes, remote);
    // Keep-alives of peers that know only empty lines: nothing to answer by UDP.
    if (bytes.length <= 4) return;
    const flow = {
      protocol: 'udp' as const,
      local: localFor(listener.local, listener.advertised, remote.address),
      remote,
    };
    const message = parseMessage(bytes);
    if (message.kind === 'failure') this.#refuse(message, flow);
    else this.#deliver(message, flow);
  }

  #takeStun(listener: Listener, bytes: Buffer, remote: Endpoint): void {
    const answer = answerBinding(bytes, remote);
    if (answer !== undefined) {
      listener.udp?.send(answer, remote).catch(() => undefined);
      return;
    }
    this.#bindings.take(bytes);
  }

  #takeItem(item: StreamItem, flow: Flow): void {
    if (item.kind === 'message') this.#deliver(item.message, flow);
    else if (item.kind === 'failure') this.#refuse(item.failure, flow);
  }

  #deliver(message: SipMessage, flow: Flow): void {
    try {
      if (message.kind === 'request') stampVia(message.headers, flow);
      this.#onMessage?.(message, flow);
    } catch (error) {
      if (!(error instanceof SyntaxFailure)) throw error;
      this.#refuse(failureOf(message, error), flow);
    }
  }

  #refuse(failure: ParseFailure, flow: Flow): void {
    this.#options.onRefused?.(failure, flow);
    const refusal = refusalOf(failure, flow);
    if (refusal !== undefined) this.send(refusal.bytes, refusal.flow).catch(() => undefined);
  }

  #scheduleSweep(): void {
    this.#sweep = this.#clock.after(SWEEP_MS, () => {
      this.#connections.closeOverdue();
      this.#scheduleSweep();
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sweep?.cancel();
    const closing = this.#listeners.map(async (listener) => {
      await listener.udp?.close();
      await listener.server?.close();
    });
    this.#connections.destroyAll();
    await Promise.all(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const noPlace = ({ address, port }: Endpoint): TransportFailure =>
  new TransportFailure('send-failed', `${address}:${port} is no place to send to`);
