import type { Clock, Timer } from '../../../kit/index.ts';
import { arrayFrame, closeFrame, escapeText, heartbeatFrame, openFrame, quoteText } from './frames.ts';
import type { SockJsOptions } from './options.ts';
import type { ClosingCause, ConnectionHandler, SockJsConnection, Transport } from './ports.ts';
import type { Receiver } from './receiver.ts';
import { newSession, stepSession } from './session-machine.ts';
import type { SessionEffect, SessionInput, SessionState } from './session-machine.ts';
import type { SharedText } from './shared-text.ts';
import type { Flushable, TurnEnd } from './turn-end.ts';
import { WriteWatch } from './write-watch.ts';
import type { WatchedWriter } from './write-watch.ts';

export interface HttpSessionParts {
  readonly id: string;
  readonly transport: Transport;
  readonly remoteAddress: string;
  readonly options: SockJsOptions;
  readonly clock: Clock;
  readonly turnEnd: TurnEnd;
  /** The session's id means nothing any more. */
  readonly forgotten: () => void;
}

const anotherConnectionFrame = closeFrame(2010, 'Another connection still open');
const interruptedFrame = closeFrame(1002, 'Connection interrupted');
const tooSlowFrame = closeFrame(1008, 'Send buffer exceeded');

/** Carries out for one session over HTTP what `stepSession` decides. */
export class HttpSession implements SockJsConnection, Flushable, WatchedWriter {
  readonly carriesBinary = false;
  /** `*_send` requests under way. */
  sendsUnderWay = 0;
  readonly #parts: HttpSessionParts;
  readonly #watch: WriteWatch;
  #state: SessionState = newSession;
  #handler: ConnectionHandler | undefined;
  /** Why the application closes it, and what it was told in the end. */
  #cause: ClosingCause = 'closed-by-server';
  #reported: ClosingCause | undefined;
  #receiver: Receiver | undefined;
  #newcomer: Receiver | undefined;
  #opened: (() => ConnectionHandler) | undefined;
  #held: string[] = [];
  #heldBytes = 0;
  #closeFrame = '';
  #timer: Timer | undefined;
  #isPaused = false;
  #resumers: (() => void)[] = [];
  readonly #served = new WeakSet<Receiver>();

  constructor(parts: HttpSessionParts) {
    this.#parts = parts;
    this.#watch = new WriteWatch(this, parts.clock, parts.options.sendTimeLimitMs);
  }

  get id(): string {
    return this.#parts.id;
  }

  get transport(): Transport {
    return this.#parts.transport;
  }

  get remoteAddress(): string {
    return this.#parts.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#heldBytes + (this.#receiver?.bufferedBytes ?? 0);
  }

  get isOpen(): boolean {
    return this.#state.phase === 'open';
  }

  /** A receiving request came; `opened` is called if it is the first one, once it is served. */
  attach(receiver: Receiver, opened: () => ConnectionHandler): void {
    this.#newcomer = receiver;
    this.#opened = opened;
    this.#step({ type: 'attach', receiver: receiver.kind });
    this.#newcomer = undefined;
    this.#opened = undefined;
  }

  /** The server stops: nobody will ask for this session any more. */
  forget(): void {
    this.#timer?.cancel();
    this.#parts.forgotten();
  }

  /** The response of `receiver` broke. */
  aborted(receiver: Receiver): void {
    if (!this.#served.has(receiver)) return;
    if (this.#receiver === receiver) this.#receiver = undefined;
    if (this.#state.phase === 'open') this.#closeFrame = interruptedFrame;
    this.#step({ type: 'aborted' });
  }

  /** Messages from a `*_send` request, in order. */
  deliver(messages: readonly string[]): void {
    for (const message of messages) if (this.#state.phase === 'open') this.#handler?.onMessage(message);
  }

  send(message: string | Buffer): void {
    this.#hold(quoteText(typeof message === 'string' ? message : message.toString('utf8')));
  }

  sendShared(head: SharedText, middle: string, tail: SharedText): void {
    this.#hold(`"${head.escaped}${escapeText(middle)}${tail.escaped}"`);
  }

  close(code: number, reason: string, cause: ClosingCause = 'closed-by-server'): void {
    if (this.#state.phase !== 'open') return;
    this.#closeFrame = closeFrame(code, reason);
    this.#cause = cause;
    this.#step({ type: 'close' });
  }

  flush(): void {
    this.#step({ type: 'flush' });
  }

  progressed(): void {
    this.#watch.progress();
  }

  stalled(): void {
    if (this.#receiver !== undefined) this.#overflow();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const resumers = this.#resumers;
    this.#resumers = [];
    for (const resume of resumers) resume();
  }

  /** Resolves when the application takes messages, at once unless it has paused. */
  async waitUntilResumed(): Promise<void> {
    if (this.#isPaused && this.#state.phase === 'open')
      await new Promise<void>((resume) => this.#resumers.push(resume));
  }

  drained(): Promise<void> {
    return this.#state.phase === 'open' ? this.#watch.drained() : Promise.resolve();
  }

  #hold(quoted: string): void {
    if (this.#state.phase !== 'open') return;
    this.#held.push(quoted);
    this.#heldBytes += Buffer.byteLength(quoted) + 1;
    if (this.bufferedBytes > this.#parts.options.sendBufferBytes) {
      // What only waits for the end of the turn is no sign of a slow peer.
      this.#step({ type: 'held' });
      this.#step({ type: 'flush' });
      if (this.bufferedBytes > this.#parts.options.sendBufferBytes) this.#overflow();
      return;
    }
    this.#step({ type: 'held' });
  }

  #overflow(): void {
    if (this.#state.phase !== 'open') return;
    this.#closeFrame = tooSlowFrame;
    this.#step({ type: 'overflow' });
  }

  #step(input: SessionInput): void {
    const { state, effects } = stepSession(this.#state, input);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    const receiver = this.#receiver;
    if (receiver?.kind === 'streaming' && receiver.writtenBytes >= this.#parts.options.responseLimitBytes)
      this.#step({ type: 'limit' });
  }

  #perform(effect: SessionEffect): void {
    switch (effect) {
      case 'adopt':
        return this.#adopt();
      case 'refuse':
        this.#newcomer?.begin();
        this.#newcomer?.write(anotherConnectionFrame);
        return this.#newcomer?.end();
      case 'write-open':
        return this.#receiver?.write(openFrame);
      case 'write-held':
        return this.#writeHeld();
      case 'write-heartbeat':
        return this.#receiver?.write(heartbeatFrame);
      case 'write-close':
        return this.#receiver?.write(this.#closeFrame);
      case 'end':
        return this.#detach((receiver) => receiver.end());
      case 'cut':
        return this.#detach((receiver) => receiver.cut());
      case 'drop-held':
        this.#held = [];
        this.#heldBytes = 0;
        return;
      default:
        return this.#performRest(effect);
    }
  }

  #performRest(
    effect: Exclude<SessionEffect, `write-${string}` | 'adopt' | 'refuse' | 'end' | 'cut' | 'drop-held'>,
  ): void {
    const { options, turnEnd } = this.#parts;
    switch (effect) {
      case 'await-flush':
        return turnEnd.add(this);
      case 'arm-heartbeat':
        return this.#arm(options.heartbeatMs, { type: 'heartbeat-due' });
      case 'arm-disconnect':
        return this.#arm(options.disconnectDelayMs, { type: 'disconnect-due' });
      case 'forget':
        this.#timer?.cancel();
        return this.#parts.forgotten();
      case 'report-opened':
        return this.#open();
      case 'report-closed':
        return this.#report(this.#cause);
      case 'report-interrupted':
        return this.#report('interrupted');
      case 'report-timed-out':
        return this.#report('timed-out');
      case 'report-slow':
        return this.#report('slow-consumer');
    }
  }

  #adopt(): void {
    const receiver = this.#newcomer;
    if (receiver === undefined) return;
    this.#receiver = receiver;
    this.#served.add(receiver);
    receiver.begin();
  }

  #open(): void {
    this.#handler = this.#opened?.();
    // The application may have ended it before it could be told.
    if (this.#reported !== undefined) this.#handler?.onClosed(this.#reported);
  }

  #writeHeld(): void {
    this.#receiver?.write(arrayFrame(this.#held.join(',')));
    this.#held = [];
    this.#heldBytes = 0;
    this.#watch.wrote();
  }

  #detach(finish: (receiver: Receiver) => void): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver !== undefined) finish(receiver);
    this.#watch.wrote();
  }

  #arm(ms: number, input: SessionInput): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(ms, () => this.#step(input));
  }

  #report(cause: ClosingCause): void {
    this.#watch.stop();
    this.resume();
    this.#reported = cause;
    this.#handler?.onClosed(cause);
  }
}
