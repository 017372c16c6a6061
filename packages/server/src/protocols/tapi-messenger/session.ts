import type { User } from '../../core/directory/index.ts';
import type { Actor } from '../../core/permissions/index.ts';
import type { Place } from '../../http/index.ts';
import { isLimit, Problem, type Timer } from '../../kit/index.ts';
import { Application, type ApplicationParts } from './application/application.ts';
import { ERRORS } from './application/destinations.ts';
import { refusalReport } from './application/errors.ts';
import { understandSnippet } from './application/seed-snippet.ts';
import { type Client, type Extra, type Report, sendToOwn } from './client.ts';
import { Beats } from './beats.ts';
import { DrainWaiters } from './drain-waiters.ts';
import { InFlight, type Outcome } from './in-flight.ts';
import { FrameInput } from './frame-input.ts';
import { checkLogin } from './login.ts';
import { SERVER_NAME } from './limits.ts';
import type { TapiMessengerParts } from './parts.ts';
import type { ClosingCause, ConnectionHandler, SockJsConnection } from './sockjs/index.ts';
import {
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionSettings,
  encodeFrame,
  type Frame,
  type Decoded,
  type Header,
  type OutFrame,
  heartBeat,
  newConnection,
  SharedMessage,
  stepConnection,
  type Subscription,
} from './stomp/index.ts';

const NO_HEADERS: readonly Header[] = [];

export interface SessionParts {
  readonly parts: TapiMessengerParts;
  readonly application: ApplicationParts;
  readonly connection: SockJsConnection;
  /** Its place among those who have not logged in yet. */
  readonly place: Place;
  readonly onGone: (user: User | null, cause: ClosingCause) => void;
}

/** RFC 6455 7.4.1: the account may not stay. */
const POLICY = 1008;

/** One STOMP session: carries out what the connection machine says, frame after frame (TM ST-20). */
export class StompSession implements ConnectionHandler, Client {
  readonly resource: string;
  readonly #parts: TapiMessengerParts;
  readonly #connection: SockJsConnection;
  readonly #place: Place;
  readonly #onGone: SessionParts['onGone'];
  readonly #settings: ConnectionSettings;
  readonly #input: FrameInput;
  readonly #application: Application;
  readonly #beats: Beats;
  readonly #ended = new AbortController();
  readonly #inFlight = new InFlight();
  readonly #whenWritable: DrainWaiters;
  readonly #login: Timer;
  #state = newConnection;
  #user: User | null = null;
  #messages = 0;
  #isExpelled = false;

  constructor({ parts, application, connection, place, onGone }: SessionParts) {
    const { stomp } = parts.settings;
    this.#parts = parts;
    this.#connection = connection;
    this.#place = place;
    this.#onGone = onGone;
    this.resource = `stomp-${parts.ids.label(8)}`;
    this.#settings = {
      label: connection.id,
      server: SERVER_NAME,
      heartbeatMinMs: stomp.heartbeatMinMs,
      maxSubscriptions: stomp.maxSubscriptions,
      maxTransactionBytes: stomp.maxFrameBytes * 16,
    };
    this.#input = new FrameInput({
      connection,
      limits: stomp,
      maxMessageBytes: parts.settings.sockjs.maxBodyBytes,
      isOver: () => this.signal.aborted,
      handle: (decoded) => this.#handle(decoded),
      overflow: () => this.#overflow(),
      failed: (error) => this.#defect(error),
    });
    this.#whenWritable = new DrainWaiters(() => connection.drained());
    this.#application = new Application(application, this);
    this.#beats = new Beats(parts.clock, {
      beat: () => connection.send(heartBeat),
      lost: () => this.#begin({ type: 'overdue' }),
      isDeaf: () => this.#input.isPaused,
    });
    this.#login = parts.clock.after(stomp.connectTimeoutMs, () => this.loginExpired());
  }

  get label(): string {
    return this.#connection.id;
  }

  get user(): User | null {
    return this.#user;
  }

  get actor(): Actor {
    if (this.#user === null) return { kind: 'anonymous' };
    return { kind: 'user', user: this.#user.id, admin: this.#user.isAdmin };
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Half of what closes a slow reader: the other half is for what must be told now. */
  get isWritable(): boolean {
    return this.#connection.bufferedBytes < this.#parts.settings.stomp.sendBufferBytes / 2;
  }

  whenWritable(run: () => void): void {
    this.#whenWritable.add(run);
  }

  subscriptionsTo(destination: string): readonly Subscription[] {
    return [...this.#state.subscriptions.values()].filter((known) => known.destination === destination);
  }

  send(subscription: Subscription, message: SharedMessage, extra: Extra = {}): string {
    const messageId = `${this.label}-${++this.#messages}`;
    if (this.signal.aborted) return messageId;
    this.#beats.sent();
    // STOMP 1.2: who acknowledges must be told what to name.
    const mustSettle = subscription.ack !== 'auto' && this.#state.version === '1.2';
    message.sendTo(this.#connection, this.#state.version, {
      destination: extra.destination ?? subscription.destination,
      subscription: subscription.id,
      messageId,
      headers: mustSettle ? [['ack', messageId], ...(extra.headers ?? NO_HEADERS)] : (extra.headers ?? NO_HEADERS),
    });
    return messageId;
  }

  report(report: Report): void {
    if (this.subscriptionsTo(ERRORS).length > 0) sendToOwn(this, ERRORS, SharedMessage.json(report));
  }

  end(code: number, reason: string): void {
    this.#isExpelled = code === POLICY;
    this.#connection.close(code, reason);
  }

  /** The account of the session's user is another now: its number, its rights. */
  userChanged(user: User): void {
    this.#user = user;
    this.#application.userChanged();
  }

  get isListening(): boolean {
    return this.#application.isListening;
  }

  get subscriptionCount(): number {
    return this.#state.subscriptions.size;
  }

  loginExpired(): void {
    if (this.#state.phase === 'connected') return;
    this.#parts.observer.limitHit('stomp.login-timeout', this.#connection.remoteAddress);
    this.#begin({ type: 'overdue' });
  }

  onMessage(data: string | Buffer): void {
    this.#beats.heard();
    this.#input.feed(data);
  }

  onClosed(cause: ClosingCause): void {
    this.#login.cancel();
    this.#beats.stop();
    this.#place.leave();
    const subscriptions = [...this.#state.subscriptions.values()];
    this.#state = stepConnection(this.#state, { type: 'gone' }, this.#settings).state;
    this.#ended.abort();
    // STOMP 1.2: who wishes to go says so. A page that just closes may be loading anew.
    this.#application.close(subscriptions, this.#isExpelled ? 'over' : 'broken');
    this.#whenWritable.close();
    this.#onGone(this.user, cause);
  }

  #overflow(): void {
    this.#begin({ type: 'fault', fault: 'too-much-input', receipt: undefined });
  }

  #handle(decoded: Decoded): Promise<void> | void {
    if (decoded.kind === 'fault') return this.#step({ type: 'fault', fault: decoded.fault, receipt: decoded.receipt });
    const { frame } = decoded;
    const meant = this.#parts.settings.compat.seedSnippet ? understandSnippet(frame) : frame;
    return this.#step({ type: 'frame', frame: meant });
  }

  #refused(code: string): void {
    if (isLimit(code)) this.#parts.observer.limitHit(code, this.#connection.remoteAddress);
  }

  /** An input that waits for no frame. */
  #begin(input: ConnectionInput): void {
    void this.#guarded(input);
  }

  async #guarded(input: ConnectionInput): Promise<void> {
    try {
      await this.#step(input);
    } catch (error) {
      this.#defect(error);
    }
  }

  #defect(error: unknown): void {
    this.#parts.observer.trouble('session', error);
    this.#connection.close(1011, 'Internal error');
  }

  /** A promise where an effect has to be waited for. */
  #step(input: ConnectionInput): Promise<void> | void {
    const before = this.#state.subscriptions;
    const { state, effects } = stepConnection(this.#state, input, this.#settings);
    this.#state = state;
    if (state.phase === 'closed')
      this.#application.close(before.values(), input.type === 'overdue' ? 'broken' : 'over');
    return this.#performAll(effects.values(), []);
  }

  #performAll(effects: Iterator<ConnectionEffect>, outcomes: Promise<Outcome>[]): Promise<void> | void {
    for (let next = effects.next(); next.done !== true; next = effects.next()) {
      const done = this.#perform(next.value, outcomes);
      if (done !== undefined) return done.then(() => this.#performAll(effects, outcomes));
    }
  }

  /** `outcomes`: of the effects before this one that can be refused. */
  #perform(effect: ConnectionEffect, outcomes: Promise<Outcome>[]): Promise<void> | void {
    switch (effect.type) {
      case 'request':
        return this.#request(effect.frame, outcomes);
      case 'receipt':
        return this.#receipt(effect.id, outcomes);
      case 'subscribe':
        return this.#subscribe(effect.subscription, effect.frame, outcomes);
      case 'unsubscribe':
        return this.#application.unsubscribe(effect.subscription);
      case 'send':
        return this.#sendAfterAll(effect.frame);
      case 'check':
        return this.#check(effect.login, effect.passcode);
      case 'connected':
        return this.#connected();
      case 'close':
        if (effect.fault !== undefined) this.#refused(effect.fault);
        return this.#closeAfterAll(effect.code, effect.reason);
      case 'settle':
        return this.#application.settle(this.#state.subscriptions.values(), effect);
    }
  }

  async #check(login: string, passcode: string): Promise<void> {
    const address = this.#connection.remoteAddress;
    const verdict = await checkLogin(this.#parts, { login, passcode, address });
    if (verdict.kind === 'refused') return this.#step({ type: 'unwelcome', reason: verdict.reason });
    if (verdict.kind === 'user') this.#user = verdict.user;
    await this.#step({ type: 'welcome', userName: verdict.kind === 'user' ? verdict.user.name : verdict.name });
  }

  #connected(): void {
    this.#login.cancel();
    this.#place.leave();
    this.#input.version = this.#state.version;
    this.#beats.start(this.#state.heartBeat);
  }

  async #sendAfterAll(frame: OutFrame): Promise<void> {
    await this.#inFlight.settled();
    this.#beats.sent();
    this.#connection.send(encodeFrame(frame, this.#state.version));
  }

  async #closeAfterAll(code: number, reason: string): Promise<void> {
    await this.#inFlight.settled();
    this.#connection.close(code, reason);
  }

  /** Messages go side by side: where there is room, nothing is waited for. */
  #request(frame: Frame, outcomes: Promise<Outcome>[]): Promise<void> | void {
    if (!this.#application.mayOverlap(frame) || !this.#inFlight.hasRoom) return this.#requestInTurn(frame, outcomes);
    const outcome = this.#outcomeOf(this.#application.request(frame), frame);
    outcomes.push(outcome);
    this.#inFlight.add(outcome);
  }

  async #requestInTurn(frame: Frame, outcomes: Promise<Outcome>[]): Promise<void> {
    const mayOverlap = this.#application.mayOverlap(frame);
    await (mayOverlap ? this.#inFlight.room() : this.#inFlight.settled());
    if (this.signal.aborted) return;
    const outcome = this.#outcomeOf(this.#application.request(frame), frame);
    outcomes.push(outcome);
    if (mayOverlap) this.#inFlight.add(outcome);
    else await outcome;
  }

  async #subscribe(subscription: Subscription, frame: Frame, outcomes: Promise<Outcome>[]): Promise<void> {
    const outcome = this.#outcomeOf(this.#application.subscribe(subscription, frame), frame);
    outcomes.push(outcome);
    if ((await outcome).isRefused) await this.#step({ type: 'not-granted', subscription });
  }

  /** Never rejects: a refused frame is reported (TM AP-40), a defect ends the session. */
  async #outcomeOf(work: Promise<readonly Header[]>, frame: Frame): Promise<Outcome> {
    try {
      return { isRefused: false, headers: await work };
    } catch (error) {
      if (error instanceof Problem) {
        this.#refused(error.code);
        this.report(refusalReport(error, frame));
      } else this.#defect(error);
      return { isRefused: true, headers: [] };
    }
  }

  /** After everything before it (TM ST-20); what is under way side by side keeps its order. */
  async #receipt(id: string, outcomes: readonly Promise<Outcome>[]): Promise<void> {
    const write = async (): Promise<void> => {
      const all = await Promise.all(outcomes);
      if (this.signal.aborted || all.some((outcome) => outcome.isRefused)) return;
      const headers: readonly Header[] = [['receipt-id', id], ...all.flatMap((outcome) => outcome.headers)];
      this.#beats.sent();
      this.#connection.send(encodeFrame({ command: 'RECEIPT', headers }, this.#state.version));
    };
    if (this.#inFlight.isEmpty) return write();
    this.#inFlight.follow(write);
    if (!this.#inFlight.hasRoom) await this.#inFlight.room();
  }
}
