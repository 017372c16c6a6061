import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Carrier, CarrierEvents } from '../platform/carrier.ts';
import { DRAINED_BYTES } from '../wire/bounds.ts';
import { FrameWriter } from './frame-writer.ts';

/** How long a peer may take to answer our close before the socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2_000;
/** `readyState` of an open WebSocket (RFC 6455). */
const OPEN = 1;

/** The accepting end of a WebSocket: the `ws` package reads, texts are written by ourselves. */
export class AcceptedSocket implements Carrier {
  readonly canHoldBack = true;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #writer: FrameWriter;
  readonly #waiters: (() => void)[] = [];
  #hearsDrain = false;
  /** Characters sent since one who awaits {@link drained} let the event loop have its turn. */
  #sentSinceTurn = 0;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, stream: Duplex, events: Omit<CarrierEvents, 'opened'>) {
    this.#socket = socket;
    this.#stream = stream;
    this.#writer = new FrameWriter(
      stream,
      () => socket.readyState === OPEN,
      () => this.#wake(),
    );
    let cause: unknown;
    const alive = (): void => events.alive();
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (isBinary) events.alive();
      else events.text((data as Buffer).toString());
    });
    socket.on('pong', alive);
    socket.on('ping', alive);
    // Errors are always followed by close.
    socket.on('error', (error) => (cause = error));
    socket.on('close', (code, reason) => {
      clearTimeout(this.#closeTimer);
      this.#wake();
      events.closed(code, reason.toString(), cause);
    });
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  /** Bytes that the system has taken of all sent. */
  get takenBytes(): number {
    return this.#writer.takenBytes;
  }

  send(text: string): void {
    this.#sentSinceTurn += text.length;
    this.#writer.write(text);
  }

  close(code: number, reason: string): void {
    this.holdBack(false);
    this.#writer.flush();
    this.#socket.close(code, reason);
    this.#closeTimer ??= setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  /** Ends the connection without reading on: what has been written still goes out. */
  cut(code: number, reason: string): void {
    this.close(code, reason);
    this.holdBack(true);
    this.#stream.end(() => this.#stream.destroy());
  }

  holdBack(isHeld: boolean): void {
    if (isHeld) this.#socket.pause();
    else if (this.#socket.isPaused) this.#socket.resume();
  }

  ping(): boolean {
    if (this.#socket.readyState === OPEN) this.#socket.ping();
    return true;
  }

  async drained(): Promise<void> {
    // The system may take all at once: a program that only awaits this would leave no turn for anything else.
    if (this.#sentSinceTurn > DRAINED_BYTES) {
      this.#sentSinceTurn = 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    while (this.bufferedBytes > DRAINED_BYTES && this.#socket.readyState === OPEN) {
      if (!this.#hearsDrain) this.#stream.on('drain', () => this.#wake());
      this.#hearsDrain = true;
      await new Promise<void>((resolve) => this.#waiters.push(() => setImmediate(resolve)));
    }
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
