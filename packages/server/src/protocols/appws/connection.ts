import {
  type AcceptorEffect,
  type AcceptorEnvironment,
  type AcceptorSettings,
  acceptorStart,
  acceptorStep,
  type Envelope,
  type PasswordRequest,
  refusalText,
} from '@tieline/appwebsocket';
import type { EncodedFrame, Place, WebSocketPort } from '../../http/index.ts';
import type { Timer } from '../../kit/index.ts';
import type { Api, ApiSession, Channel } from './api.ts';
import { type LoggedIn, lookUp, refusalAt } from './logins.ts';
import type { AppWsParts } from './parts.ts';

/**
 * Bytes waiting in a socket above which nothing durable is told any more; it is caught up from the journal later.
 * @peer texts later, from the journal
 * @test appws-faults: a reader that stops reading
 */
const PAUSE_AT_BYTES = 64 * 1024;
/**
 * Bytes waiting in a socket, whatever the class of what is sent.
 * @peer the connection ends; calls end with cause 27
 * @test appws-faults: a reader that stops reading
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** UTF-8 of one UTF-16 unit, and the head of a frame (RFC 6455 5.2), at most. */
const BYTES_A_CHARACTER = 3;
const FRAME_BYTES = 10;
/** AW §5.4: the acceptor pings as well; two unanswered pings and the peer is dead. */
const PING_MS = 30_000;

/**
 * RFC 6455 7.4: closed by the app's wish (1000, or no code), or because the account may not stay (1008). All else may come
 * back, a page that is loaded anew (1001) included.
 */
const ENDS_OF_SESSIONS: ReadonlySet<number> = new Set([1000, 1005, 1008]);

/** What all connections' handshakes go by. */
export interface AcceptorTerms {
  readonly environment: AcceptorEnvironment;
  readonly settings: AcceptorSettings;
}

/** One AppWebsocket connection to the PBX: the library's acceptor on a socket, then its granted APIs. */
export class Connection implements Channel {
  readonly id: string;
  readonly #parts: AppWsParts;
  readonly #acceptor: AcceptorTerms;
  readonly #apis: ReadonlyMap<string, Api>;
  readonly #port: WebSocketPort;
  readonly #place: Place;
  readonly #onGone: () => void;
  #sessions: Map<string, ApiSession> | null = null;
  #writable: (() => void)[] | null = null;
  #state = acceptorStart();
  #who: LoggedIn | null = null;
  #candidate: LoggedIn | null = null;
  #account = '';
  #isOpen = true;
  #heard = true;
  #isPaused = false;
  #ping: Timer;
  #slow: Timer | null = null;
  #linger: Timer | null = null;

  constructor(options: {
    readonly parts: AppWsParts;
    readonly acceptor: AcceptorTerms;
    readonly apis: ReadonlyMap<string, Api>;
    readonly port: WebSocketPort;
    readonly place: Place;
    readonly onGone: () => void;
  }) {
    this.#parts = options.parts;
    this.#acceptor = options.acceptor;
    this.#apis = options.apis;
    this.#port = options.port;
    this.#place = options.place;
    this.#onGone = options.onGone;
    this.id = this.#parts.ids.label(8);
    this.#ping = this.#parts.clock.after(PING_MS, () => this.#onPing());
    this.#port.onClose((code) => this.#gone(code));
    this.#port.onPong(() => (this.#heard = true));
    this.#port.onMessage((data, isBinary) => {
      this.#heard = true;
      // AW §1: binary messages are for apps among themselves; at this level they are ignored.
      if (!isBinary) this.#guarded(() => this.#step({ type: 'text', text: String(data) }));
    });
  }

  /** Whose connection this is, once logged in. */
  get who(): LoggedIn | null {
    return this.#who;
  }

  loginExpired(): void {
    this.#step({ type: 'login-timeout' });
  }

  /** A defect of ours ends this connection, never the process. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.observer.trouble('message', error);
      this.#port.close(1011, 'temporary failure');
    }
  }

  #step(input: Parameters<typeof acceptorStep>[1]): void {
    const { environment, settings } = this.#acceptor;
    const { state, effects } = acceptorStep(this.#state, input, environment, settings);
    this.#state = state;
    for (const effect of effects) this.#apply(effect);
  }

  #apply(effect: AcceptorEffect): void {
    switch (effect.type) {
      case 'send':
        return this.send(effect.text);
      case 'lookup':
        return this.#lookUp(effect.ticket, effect.request);
      case 'ready':
        return this.#ready();
      case 'failed':
        this.#parts.guard.failed(this.#port.remoteAddress, this.#account);
        return this.#parts.observer.loginFailed(this.#port.remoteAddress, this.#account);
      case 'message':
        return this.#message(effect.envelope, effect.text.length);
      case 'close':
        this.#linger = this.#parts.clock.after(effect.afterMs, () => this.#port.close(effect.code, effect.reason));
        return;
      case 'pbx-info':
        return;
    }
  }

  #lookUp(ticket: number, request: PasswordRequest): void {
    const { remoteAddress } = this.#port;
    lookUp(this.#parts, request, remoteAddress).then(
      ({ answer: found, account, who }) => {
        this.#account = account;
        this.#candidate = who;
        // Guesses that came at once were all looked up before the first had failed: whoever is judged now is asked again.
        const late = request.purpose === 'login' ? refusalAt(this.#parts.guard, remoteAddress, account) : null;
        const answer = late ?? found;
        this.#guarded(() => this.#isOpen && this.#step({ type: 'looked-up', ticket, answer }));
      },
      (error: unknown) => {
        this.#parts.observer.trouble('login', error);
        const answer = { refuse: 'temporary failure' };
        this.#guarded(() => this.#isOpen && this.#step({ type: 'looked-up', ticket, answer }));
      },
    );
  }

  /** A re-login has the same identity, so it is the same party. */
  #ready(): void {
    this.#place.leave();
    this.#port.admit();
    if (this.#who !== null || this.#candidate === null) return;
    this.#who = this.#candidate;
    this.#parts.observer.loggedIn({ kind: this.#who.kind, name: this.#who.party.name });
  }

  #message(envelope: Envelope, characters: number): void {
    // AW §2 rule 5: without an API there is nobody to answer.
    if (envelope.api === undefined || this.#who === null) return;
    const session = this.#session(envelope.api, this.#who);
    const refusal = session === null ? 'not allowed' : session.message(envelope, characters) ? null : 'unknown message';
    const text = refusal === null ? undefined : refusalText(envelope, refusal);
    if (text !== undefined) this.send(text);
  }

  #session(name: string, who: LoggedIn): ApiSession | null {
    const known = this.#sessions?.get(name);
    if (known !== undefined) return known;
    const api = this.#apis.get(name);
    if (api === undefined || !who.apis.some((granted) => granted === name)) return null;
    const session = api.open(this, who);
    (this.#sessions ??= new Map()).set(name, session);
    return session;
  }

  // Channel.

  get address(): string {
    return this.#port.remoteAddress;
  }

  isWritable(): boolean {
    return this.#isOpen && this.#port.bufferedAmount < PAUSE_AT_BYTES;
  }

  onWritable(listener: () => void): void {
    (this.#writable ??= []).push(listener);
  }

  pause(isOn: boolean): void {
    this.#isPaused = isOn;
    if (isOn) this.#port.pause();
    else this.#port.resume();
  }

  limitHit(name: string): void {
    this.#parts.observer.limitHit(name, this.#port.remoteAddress);
  }

  close(code: number, reason: string): void {
    this.#port.close(code, reason);
  }

  send(text: string): void {
    if (!this.#isOpen) return;
    const waiting = this.#port.bufferedAmount;
    if (waiting + text.length * BYTES_A_CHARACTER + FRAME_BYTES < PAUSE_AT_BYTES) this.#port.send(text);
    else if (this.#maySendSlowly(waiting)) this.#port.send(text, () => this.#drained());
  }

  sendEncoded(frame: EncodedFrame): void {
    if (!this.#isOpen) return;
    const waiting = this.#port.bufferedAmount;
    if (waiting + frame.bytes.length < PAUSE_AT_BYTES) this.#port.sendEncoded(frame);
    else if (this.#maySendSlowly(waiting)) this.#port.sendEncoded(frame, () => this.#drained());
  }

  /** The peer reads slowly: it has a while to catch up, and is cut off where too much waits. */
  #maySendSlowly(waiting: number): boolean {
    if (waiting > MAX_WAITING_BYTES) {
      this.#tooSlow();
      return false;
    }
    this.#slow ??= this.#parts.clock.after(this.#parts.slowReaderMs, () => this.#tooSlow());
    return true;
  }

  #drained(): void {
    if (this.#slow === null || this.#port.bufferedAmount >= PAUSE_AT_BYTES) return;
    this.#slow.cancel();
    this.#slow = null;
    for (const listener of this.#writable ?? []) listener();
  }

  #tooSlow(): void {
    this.#parts.observer.slowReader(this.#who?.party.name ?? '');
    this.#port.terminate();
  }

  #onPing(): void {
    // Whom we don't read can't be heard.
    if (!this.#heard && !this.#isPaused) return this.#port.terminate();
    this.#heard = false;
    this.#port.ping();
    this.#ping = this.#parts.clock.after(PING_MS, () => this.#onPing());
  }

  #gone(code: number): void {
    this.#isOpen = false;
    this.#ping.cancel();
    this.#slow?.cancel();
    this.#linger?.cancel();
    this.#place.leave();
    this.#step({ type: 'closed' });
    for (const session of this.#sessions?.values() ?? []) session.close(ENDS_OF_SESSIONS.has(code) ? 'over' : 'broken');
    this.#sessions = null;
    this.#onGone();
  }
}
