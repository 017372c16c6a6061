import type { Clock, Timer } from '../../../kit/index.ts';
import { arrayFrame, closeFrame, decodeMessages, escapeText, heartbeatFrame, openFrame, quoteText } from './frames.ts';
import { judgeLiveness, livenessDueAt } from './liveness.ts';
import type { Liveness } from './liveness.ts';
import type { SockJsOptions } from './options.ts';
import type { ClosingCause, ConnectionHandler, SockJsConnection, Transport, WebSocketPort } from './ports.ts';
import type { SharedText } from './shared-text.ts';
import type { Flushable, TurnEnd } from './turn-end.ts';
import { WriteWatch } from './write-watch.ts';
import type { WatchedWriter } from './write-watch.ts';

export interface WebSocketParts {
  readonly id: string;
  readonly port: WebSocketPort;
  /** False: the raw WebSocket of TM §2.1, without SockJS frames. */
  readonly isFramed: boolean;
  readonly remoteAddress: string;
  readonly options: SockJsOptions;
  readonly clock: Clock;
  readonly turnEnd: TurnEnd;
  /** The socket is gone. */
  readonly forgotten: () => void;
}

/** A connection over WebSocket; the session lives as long as the socket (TM §2.5). */
export class WebSocketConnection implements SockJsConnection, Flushable, WatchedWriter {
  readonly transport: Transport;
  readonly carriesBinary: boolean;
  readonly #parts: WebSocketParts;
  readonly #watch: WriteWatch;
  #handler: ConnectionHandler | undefined;
  readonly #liveness: { -readonly [K in keyof Liveness]: Liveness[K] };
  #timer: Timer | undefined;
  /** Framed: JSON literals of this turn, joined by commas. */
  #held = '';
  #isFlushAwaited = false;
  #isPaused = false;
  #cause: ClosingCause | undefined;

  constructor(parts: WebSocketParts, opened: (connection: WebSocketConnection) => ConnectionHandler) {
    this.#parts = parts;
    this.transport = parts.isFramed ? 'websocket' : 'raw-websocket';
    this.carriesBinary = !parts.isFramed;
    this.#watch = new WriteWatch(this, parts.clock, parts.options.sendTimeLimitMs);
    const now = parts.clock.now();
    this.#liveness = { sentAt: now, heardAt: now, pingedAt: undefined };
    if (parts.isFramed) parts.port.send(openFrame);
    const handler = opened(this);
    this.#handler = handler;
    // The application may have ended it before it could be told.
    if (this.#hasEnded()) handler.onClosed(this.#cause ?? 'closed-by-server');
    else this.#arm();
    parts.port.onPong(() => this.#heard());
    parts.port.onClose(() => this.#gone());
    parts.port.onMessage((data) => this.#received(data));
  }

  get id(): string {
    return this.#parts.id;
  }

  get remoteAddress(): string {
    return this.#parts.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#held.length + this.#parts.port.bufferedAmount;
  }

  send(message: string | Buffer): void {
    if (this.#cause !== undefined) return;
    if (!this.#parts.isFramed) return this.#sendRaw(message);
    this.#hold(quoteText(typeof message === 'string' ? message : message.toString('utf8')));
  }

  sendShared(head: SharedText, middle: string, tail: SharedText): void {
    if (this.#cause !== undefined) return;
    if (!this.#parts.isFramed) return this.#sendRaw(head.text + middle + tail.text);
    this.#hold(`"${head.escaped}${escapeText(middle)}${tail.escaped}"`);
  }

  close(code: number, reason: string, cause: ClosingCause = 'closed-by-server'): void {
    if (this.#cause !== undefined) return;
    this.flush();
    const { port, isFramed } = this.#parts;
    if (isFramed && cause !== 'broken-framing') port.send(closeFrame(code, reason));
    port.close(code, reason);
    this.#end(cause);
  }

  pause(): void {
    this.#isPaused = true;
    this.#parts.port.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Silence while nobody listened says nothing about the peer.
    this.#heard();
    this.#parts.port.resume();
  }

  drained(): Promise<void> {
    return this.#cause === undefined ? this.#watch.drained() : Promise.resolve();
  }

  flush(): void {
    if (!this.#isFlushAwaited) return;
    this.#isFlushAwaited = false;
    if (this.#parts.isFramed) {
      const frame = arrayFrame(this.#held);
      this.#held = '';
      this.#parts.port.send(frame, this.#watch.progress);
    } else {
      this.#parts.port.uncork();
    }
    this.#watch.wrote();
  }

  stalled(): void {
    this.#cut('slow-consumer');
  }

  #sendRaw(message: string | Buffer): void {
    const { port } = this.#parts;
    if (this.#isFlushAwaited) {
      port.send(message);
    } else {
      port.cork();
      port.send(message, this.#watch.progress);
      this.#awaitFlush();
    }
    this.#bound();
  }

  #hold(quoted: string): void {
    if (this.#isFlushAwaited) {
      this.#held += `,${quoted}`;
    } else {
      this.#held = quoted;
      this.#awaitFlush();
    }
    this.#bound();
  }

  #awaitFlush(): void {
    this.#isFlushAwaited = true;
    this.#liveness.sentAt = this.#parts.clock.now();
    this.#parts.turnEnd.add(this);
  }

  /** TM FM-11. What only waits for the end of the turn is no sign of a slow peer. */
  #bound(): void {
    const { sendBufferBytes } = this.#parts.options;
    if (this.bufferedBytes <= sendBufferBytes) return;
    this.flush();
    if (this.bufferedBytes > sendBufferBytes) this.#cut('slow-consumer');
  }

  #received(data: string | Buffer): void {
    if (this.#cause !== undefined) return;
    this.#heard();
    if (!this.#parts.isFramed) return this.#handler?.onMessage(data);
    if (data.length === 0) return;
    const messages = decodeMessages(typeof data === 'string' ? data : data.toString('utf8'));
    if (messages === undefined) return this.close(3000, 'Broken framing.', 'broken-framing');
    for (const message of messages) if (!this.#hasEnded()) this.#handler?.onMessage(message);
  }

  #hasEnded(): boolean {
    return this.#cause !== undefined;
  }

  #heard(): void {
    this.#liveness.heardAt = this.#parts.clock.now();
    this.#liveness.pingedAt = undefined;
  }

  #arm(): void {
    const { clock, options } = this.#parts;
    const waitMs = Math.max(0, livenessDueAt(this.#liveness, options) - clock.now());
    this.#timer = clock.after(waitMs, () => this.#look());
  }

  #look(): void {
    const { clock, options, port, isFramed } = this.#parts;
    if (this.#isPaused) this.#heard();
    const { next, isDead, isHeartbeatDue, isPingDue } = judgeLiveness(this.#liveness, options, clock.now());
    Object.assign(this.#liveness, next);
    if (isDead) return this.#cut('silent');
    if (isHeartbeatDue && isFramed) port.send(heartbeatFrame);
    if (isPingDue) port.ping();
    this.#arm();
  }

  #cut(cause: ClosingCause): void {
    if (this.#cause !== undefined) return;
    this.#parts.port.terminate();
    this.#end(cause);
  }

  #gone(): void {
    this.#end('closed-by-peer');
    this.#parts.forgotten();
  }

  #end(cause: ClosingCause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#held = '';
    this.#timer?.cancel();
    this.#watch.stop();
    if (this.#isPaused) this.#parts.port.resume();
    this.#handler?.onClosed(cause);
  }
}
