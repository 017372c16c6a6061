import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { DRAINED_BYTES, MAX_MESSAGE_BYTES } from '../wire/bounds.ts';
import type { Carrier, CarrierEvents, OpenCarrier } from './carrier.ts';

/** How long a peer may take to answer our close before the socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2_000;
/** How long making a connection may take. */
const CONNECT_TIMEOUT_MS = 30_000;

const ignore = (): void => undefined;

/** A WebSocket of the `ws` package, connecting. */
export const openCarrier: OpenCarrier = (url, events, options) => {
  const { ca, rejectUnauthorized, headers } = options;
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  });
  const carrier = new WsCarrier(socket, events);
  socket.on('upgrade', (response) => carrier.useStream(response.socket));
  socket.on('open', () => events.opened());
  return carrier;
};

/** Carries texts over a `ws` WebSocket; what is sent in one turn of the event loop goes out in one write. */
export class WsCarrier implements Carrier {
  readonly canHoldBack = true;
  private readonly socket: WebSocket;
  private stream: Duplex | undefined;
  private isCorked = false;
  private waiters: (() => void)[] = [];
  private closeTimer: ReturnType<typeof setTimeout> | undefined;

  private readonly uncork = (): void => {
    this.isCorked = false;
    this.stream?.uncork();
  };

  constructor(socket: WebSocket, events: CarrierEvents, stream?: Duplex) {
    this.socket = socket;
    let cause: unknown;
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (isBinary) return events.alive();
      try {
        events.text((data as Buffer).toString());
      } catch (error) {
        // A handler of the program threw. Uncaught it is, as in a browser, but not amidst a frame: `ws` would read no more.
        process.nextTick(() => {
          throw error;
        });
      }
    });
    socket.on('pong', () => events.alive());
    socket.on('ping', () => events.alive());
    // Errors are always followed by close.
    socket.on('error', (error) => (cause = error));
    socket.on('close', (code, reason) => {
      clearTimeout(this.closeTimer);
      this.wakeWaiters();
      events.closed(code, reason.toString(), cause);
    });
    if (stream !== undefined) this.useStream(stream);
  }

  /** The stream below, for corking and its `drain` event. */
  useStream(stream: Duplex): void {
    this.stream = stream;
    stream.on('drain', () => this.wakeWaiters());
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(text: string): void {
    const { stream } = this;
    if (stream !== undefined && !this.isCorked) {
      this.isCorked = true;
      stream.cork();
      process.nextTick(this.uncork);
    }
    // A failed write closes the socket, and `closed` tells.
    this.socket.send(text, ignore);
  }

  close(code: number, reason: string): void {
    this.holdBack(false);
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.terminate();
    else {
      this.socket.close(code, reason);
      this.closeTimer ??= setTimeout(() => this.socket.terminate(), CLOSE_TIMEOUT_MS);
    }
  }

  destroy(): void {
    this.socket.terminate();
  }

  holdBack(isHeld: boolean): void {
    if (isHeld) this.socket.pause();
    else this.socket.resume();
  }

  ping(): boolean {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
    return true;
  }

  async drained(): Promise<void> {
    while (this.bufferedBytes > DRAINED_BYTES && this.socket.readyState === WebSocket.OPEN) {
      // By way of the event loop: a fast reader would leave a program that only awaits this no turn for anything else.
      await new Promise<void>((resolve) => this.waiters.push(() => setImmediate(resolve)));
    }
  }

  private wakeWaiters(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  }
}
