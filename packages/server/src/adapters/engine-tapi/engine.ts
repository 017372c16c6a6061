import { connect, type Socket } from 'node:net';
import {
  type CallEngine,
  callRefused,
  canonicalNumber,
  type EngineAbilities,
  type EngineEvent,
  engineUnavailable,
  invalidNumber,
  MAX_NUMBERS_PER_ENGINE,
  noSuchCall,
  notSupported,
  tooManyNumbers,
} from '../../core/calls/index.ts';
import { type Clock, Listeners, reasonOf, type Stop, type Timer } from '../../kit/index.ts';
import { encodeFrame, FrameReader, type Framing } from './codec.ts';
import { type Link, type LinkEffect, type LinkInput, newLink, stepLink } from './link.ts';
import { parseMessage, say, type ServerMessage } from './messages.ts';
import { CallTracker } from './tracker.ts';

/**
 * What a TapiServer may leave unread before the connection counts as dead; a resync of all numbers fits in.
 * @peer the connection is made anew
 * @test engine-tapi/limits: a server that reads nothing
 */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/**
 * A CALL behind more unread octets than this would come late, and a late dial is worse than none (TM AP-23).
 * @peer the dial is refused: `engine-unavailable`
 * @test engine-tapi/limits: a server that reads nothing
 */
export const MAX_UNSENT_BEFORE_CALL_BYTES = 16 * 1024;
/** The longest wait for the server's end of the connection at `close` (the process has 3 s, TM AP-3). */
const CLOSE_MS = 1_500;
/** TCP keep-alive (TM TC-11). */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Where the engine tells how it fares. */
export interface EngineLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The keys `tapi.*` (TM §1), with their defaults. */
export interface TapiEngineOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly name?: string;
  readonly framing?: Framing;
  /** Lets the server's first four octets overrule `framing` for what it sends (TM §5.6). */
  readonly detectFraming?: boolean;
  readonly reconnectMs?: number;
  readonly connectTimeoutMs?: number;
  readonly maxOutBytes?: number;
  readonly resync?: 'listen' | 'stop-listen';
  /** Another node may have had the connection before: already the first one counts as a reconnect (TM TC-21). */
  readonly isTakeover?: boolean;
}

/** An engine with no end events; with the extended profile, while that holds, one that follows calls and hangs up. */
const PLAIN: EngineAbilities = { reportsProgress: false, answer: false, hangup: false, hold: false, transfer: false };
const EXTENDED: EngineAbilities = { ...PLAIN, reportsProgress: true, hangup: true };

/** Connects to a TapiServer, now and for ever, and steers it (TM §5). */
export function createTapiEngine(options: TapiEngineOptions): CallEngine & AsyncDisposable {
  return new TapiEngine(options);
}

class TapiEngine implements CallEngine, AsyncDisposable {
  readonly name: string;
  readonly #options: TapiEngineOptions;
  readonly #framing: Framing;
  readonly #events = new Listeners<EngineEvent>();
  /** In first-registration order (TM TC-20). */
  readonly #numbers = new Set<string>();
  readonly #tracker = new CallTracker();
  #link: Link;
  #socket: Socket | null = null;
  #timer: Timer | null = null;
  #connectTimer: Timer | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: TapiEngineOptions) {
    this.#options = options;
    this.name = options.name ?? 'tapi';
    this.#framing = options.framing ?? 'len32le';
    this.#link = { ...newLink, hasBeenUp: options.isTakeover ?? false };
    this.#input({ kind: 'start' });
  }

  get isConnected(): boolean {
    return this.#link.phase === 'up';
  }

  get abilities(): EngineAbilities {
    return this.#link.isExtended ? EXTENDED : PLAIN;
  }

  onEvent(listener: (event: EngineEvent) => void): Stop {
    return this.#events.add(listener);
  }

  listen(number: string): void {
    if (this.#numbers.has(number) || this.#link.phase === 'closed') return;
    if (this.#numbers.size >= MAX_NUMBERS_PER_ENGINE) throw tooManyNumbers();
    this.#numbers.add(number);
    // While disconnected the registry alone changes (TM TC-20).
    if (this.isConnected) this.#send(say.listen(number));
  }

  unlisten(number: string): void {
    if (!this.#numbers.delete(number)) return;
    if (this.isConnected) this.#send(say.stopListen(number));
    this.#emit(this.#tracker.lost(number));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's commands are asynchronous
  async dial({ from, to }: { readonly from: string; readonly to: string }): Promise<string | null> {
    // Never queued: neither here nor behind what the server does not read (TM AP-23).
    if (!this.isConnected || this.#unsent() > MAX_UNSENT_BEFORE_CALL_BYTES) throw engineUnavailable();
    if (!this.#numbers.has(from)) throw callRefused('the calling number is not listened to');
    if (canonicalNumber(to) !== to) throw invalidNumber(to);
    const payload = say.call(from, to);
    if (!this.#fits(payload)) throw invalidNumber(to);
    if (!this.#send(payload)) throw engineUnavailable();
    return this.#link.isExtended ? this.#tracker.dialled(from, to, this.#options.clock.now()) : null;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as dial
  async hangup(ref: string): Promise<void> {
    if (!this.isConnected) throw engineUnavailable();
    if (!this.#link.isExtended) throw notSupported('hangup');
    const named = this.#tracker.named(ref);
    if (named === null) throw noSuchCall();
    if (!this.#send(say.hangup(named.own, named.callId))) throw engineUnavailable();
  }

  answer(): Promise<void> {
    return Promise.reject(notSupported('answer'));
  }

  hold(): Promise<void> {
    return Promise.reject(notSupported('hold'));
  }

  transfer(): Promise<void> {
    return Promise.reject(notSupported('transfer'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const socket = this.#socket;
    this.#input({ kind: 'close' });
    this.#numbers.clear();
    if (socket === null || socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(CLOSE_MS, resolve);
    socket.once('close', resolve);
    await promise;
    timer.cancel();
    socket.destroy();
  }

  #input(input: LinkInput): void {
    const { reconnectMs = 3_000, resync = 'listen' } = this.#options;
    const { link, effects } = stepLink(this.#link, input, this.#options.clock.now(), { reconnectMs, resync });
    this.#link = link;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: LinkEffect): void {
    switch (effect.do) {
      case 'connect':
        return this.#connect();
      case 'resync':
        return this.#resync(effect.stopFirst);
      case 'ping':
        return void this.#send(say.ping(effect.token));
      case 'drop':
        return this.#drop();
      case 'down':
        return this.#emit(this.#tracker.lost());
      case 'say-goodbye':
        return this.#sayGoodbye();
      case 'timer':
        this.#timer?.cancel();
        this.#timer =
          effect.ms === null ? null : this.#options.clock.after(effect.ms, () => this.#input({ kind: 'timer' }));
        return;
      case 'call':
        return this.#call(effect.message);
      case 'refused': {
        const event = this.#tracker.refused(effect.fields, this.#options.clock.now());
        return this.#emit(event === null ? [] : [event]);
      }
      case 'log':
        return this.#log(effect.level, effect.message, effect.about);
    }
  }

  #connect(): void {
    const { host, port, clock, connectTimeoutMs = 3_000, detectFraming = false } = this.#options;
    const reader = new FrameReader(this.#framing, { detect: detectFraming });
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS });
    this.#socket = socket;
    this.#connectTimer = clock.after(connectTimeoutMs, () => this.#lost(socket, 'no answer'));
    socket.on('connect', () => {
      this.#connectTimer?.cancel();
      if (this.#socket === socket) this.#input({ kind: 'connected' });
    });
    socket.on('data', (chunk: Buffer) => this.#read(socket, reader, chunk));
    socket.on('end', () => this.#lost(socket, 'ended by the server'));
    socket.on('error', (error) => this.#lost(socket, reasonOf(error)));
    socket.on('close', () => this.#lost(socket, 'closed'));
  }

  #lost(socket: Socket, reason: string): void {
    if (this.#socket === socket) this.#input({ kind: 'lost', reason });
  }

  #read(socket: Socket, reader: FrameReader, chunk: Buffer): void {
    if (this.#socket !== socket) return;
    this.#input({ kind: 'heard' });
    const { payloads, violation } = reader.push(chunk);
    for (const payload of payloads) {
      // A message can end the connection; what came behind it is void.
      if (this.#socket !== socket) return;
      this.#input({ kind: 'message', message: parseMessage(payload) });
    }
    if (violation !== null) this.#lost(socket, violation);
  }

  #call(message: Extract<ServerMessage, { kind: 'new-call' | 'call-state' }>): void {
    const own = canonicalNumber(message.own);
    if (own === undefined || !this.#numbers.has(own)) {
      return this.#log('debug', 'a call of a number that nobody listens to', undefined);
    }
    const now = this.#options.clock.now();
    if (message.kind === 'new-call')
      return this.#emit([this.#tracker.announced(message.caller, own, this.#link.isExtended, now)]);
    return this.#emit(this.#tracker.stated(message.callId, message.state, message.caller, own, now));
  }

  #emit(events: readonly EngineEvent[]): void {
    for (const event of events) {
      try {
        this.#events.emit(event);
      } catch (error) {
        // One listener's defect must not end the connection; all others go on.
        this.#log('warn', 'a listener failed', reasonOf(error));
      }
    }
  }

  #resync(stopFirst: boolean): void {
    for (const number of this.#numbers) {
      if (stopFirst) this.#send(say.stopListen(number));
      this.#send(say.listen(number));
    }
  }

  #sayGoodbye(): void {
    for (const number of this.#numbers) this.#send(say.stopListen(number));
    const socket = this.#socket;
    this.#socket = null;
    socket?.end();
  }

  #drop(): void {
    this.#connectTimer?.cancel();
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }

  #fits(payload: string): boolean {
    return Buffer.byteLength(payload) <= (this.#options.maxOutBytes ?? 252);
  }

  /** True where the payload was handed to the connection. */
  #send(payload: string): boolean {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return false;
    if (!this.#fits(payload)) {
      this.#log('warn', 'a message is too long for this server', payload.slice(0, payload.indexOf(',')));
      return false;
    }
    if (this.#unsent() > MAX_UNSENT_BYTES) {
      this.#lost(socket, 'the server does not read');
      return false;
    }
    socket.write(encodeFrame(payload, this.#framing));
    return true;
  }

  #unsent(): number {
    return this.#socket?.writableLength ?? 0;
  }

  #log(level: 'debug' | 'info' | 'warn', message: string, about: string | undefined): void {
    const { host, port, log } = this.#options;
    log[level](`TapiServer: ${message}`, { host, port, ...(about === undefined ? {} : { about }) });
  }
}
