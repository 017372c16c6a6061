import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Environment } from './environment.ts';
import { acceptHixie76 } from './hixie76.ts';
import type { WebSocketPort } from './ports.ts';
import { handshakeOf, notWebSocket, selectProtocols } from './upgrade.ts';
import { WebSocketConnection } from './websocket-connection.ts';

export interface UpgradeRequest {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Undefined: the raw WebSocket. */
  readonly session: string | undefined;
  /** Answers instead of an upgrade. */
  readonly refuse: (status: number, text: string, headers?: OutgoingHttpHeaders) => void;
}

/** The WebSocket connections of one endpoint. */
export class WebSockets {
  readonly #environment: Environment;
  readonly #open = new Map<WebSocketPort, WebSocketConnection>();
  #isClosed = false;
  #emptied: (() => void) | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  async upgrade(request: UpgradeRequest): Promise<void> {
    const { req, session, refuse } = request;
    const { admission, addressOf, onDefect, onFull } = this.#environment;
    const { kind } = handshakeOf(req);
    if (kind === 'wrong-version') return refuse(400, notWebSocket, { 'Sec-WebSocket-Version': 13 });
    if (kind === 'invalid' || (kind === 'hixie76' && session === undefined)) return refuse(400, notWebSocket);
    const address = addressOf(req);
    const isFull = !this.#isClosed && !admission.enter(address);
    if (isFull) onFull(address);
    if (this.#isClosed || isFull) return refuse(503, '', { 'Retry-After': 5 });
    let port: WebSocketPort;
    try {
      port = await this.#accept(kind, request);
    } catch (error) {
      admission.leave(address);
      return onDefect(error);
    }
    this.#connect(port, request, address);
  }

  /** Closes every connection; after `closeWaitMs` those whose peers don't answer are cut off. */
  async closeAll(code: number, reason: string): Promise<void> {
    this.#isClosed = true;
    for (const connection of [...this.#open.values()]) connection.close(code, reason, 'shutdown');
    if (this.#open.size === 0) return;
    const { clock, options } = this.#environment;
    const timer = clock.after(options.closeWaitMs, () => {
      for (const port of [...this.#open.keys()]) port.terminate();
    });
    await new Promise<void>((resolve) => (this.#emptied = resolve));
    timer.cancel();
  }

  #accept(kind: 'websocket' | 'hixie76', { req, socket, head, session }: UpgradeRequest): Promise<WebSocketPort> {
    const { options, acceptWebSocket } = this.#environment;
    if (kind === 'hixie76') return acceptHixie76(req, socket, head, options.maxMessageBytes);
    const protocols = session === undefined ? selectProtocols(req, options.subprotocols) : [];
    return acceptWebSocket(req, socket, head, { maxPayloadBytes: options.maxMessageBytes, protocols });
  }

  #connect(port: WebSocketPort, { req, session }: UpgradeRequest, remoteAddress: string): void {
    const { options, clock, turnEnd, open, admission } = this.#environment;
    const connection = new WebSocketConnection(
      {
        id: session ?? randomUUID(),
        port,
        isFramed: session !== undefined,
        remoteAddress,
        options,
        clock,
        turnEnd,
        forgotten: () => {
          admission.leave(remoteAddress);
          this.#open.delete(port);
          if (this.#open.size === 0) this.#emptied?.();
        },
      },
      (opened) => open(opened, req),
    );
    this.#open.set(port, connection);
    if (this.#isClosed) connection.close(1001, 'Server shutting down', 'shutdown');
  }
}
