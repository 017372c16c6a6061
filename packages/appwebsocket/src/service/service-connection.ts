import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { FlowGate } from '../client/flow-gate.ts';
import { decryptWith, encryptWith, hashWith } from '../crypto/digests.ts';
import type { AcceptorEffect, AcceptorInput, PasswordAnswer, PasswordRequest } from '../handshake/acceptor-model.ts';
import { acceptorStart, acceptorStep } from '../handshake/acceptor.ts';
import type { AppIdentity } from '../handshake/identity.ts';
import { ApiCaller } from '../session/api-caller.ts';
import { Requester } from '../session/requester.ts';
import type { PbxInfo } from '../wire/base-messages.ts';
import { DRAINED_BYTES } from '../wire/bounds.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import { AcceptedSocket } from './accepted-socket.ts';
import type { ApiObject, ApiObjectKind } from './api-object.ts';
import { BackPressure } from './back-pressure.ts';
import type { Arrival, ConnectionHost } from './connection-host.ts';
import { MessageDesk } from './message-desk.ts';
import { askPassword } from './password-source.ts';
import { StrangerWatch } from './stranger-watch.ts';

/** What takes messages, and what holds them back. */
interface Work {
  readonly gate: FlowGate<Extract<AcceptorEffect, { type: 'message' }>>;
  readonly desk: MessageDesk;
  readonly backPressure: BackPressure;
}

/** A connection to an app service: a page, another service or a PBX at the other end. Made by `AppService`. */
export class ServiceConnection extends ApiCaller {
  /** The header `X-Forwarded-For`; `""` where there was none. */
  readonly forwardedFor: string;
  readonly #host: ConnectionHost;
  readonly #carrier: AcceptedSocket;
  readonly #arrival: Arrival;
  #work: Work | undefined;
  #state = acceptorStart();
  #asker: Requester | undefined;
  #told: PbxInfo | undefined;
  #lastRequest: PasswordRequest | undefined;
  #watch: StrangerWatch | undefined;
  #loginTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #hasBeenHeard = true;
  #isHeldBack = false;
  #isClosing = false;
  /** The socket is closed: ticks since then, while receivers still have its messages before them. */
  #ticksSinceLost: number | undefined;

  /** @internal */
  constructor(host: ConnectionHost, socket: WebSocket, stream: Duplex, arrival: Arrival) {
    super();
    this.#host = host;
    this.forwardedFor = arrival.forwardedFor;
    this.#arrival = arrival;
    this.#carrier = new AcceptedSocket(socket, stream, {
      text: (text) => this.#onText(text),
      alive: () => this.#heard(),
      closed: () => this.#onClosed(),
    });
    this.#watch = new StrangerWatch(stream, (what) => this.#refuse(what));
    this.#loginTimer = setTimeout(() => this.#step({ type: 'login-timeout' }), host.limits.loginTimeoutMs);
  }

  /** Address of the peer, as `addressOf` gives it. */
  get remoteAddress(): string {
    return this.#arrival.address();
  }

  /** Who has logged in. Throws `not-logged-in` before that. */
  get identity(): AppIdentity {
    const { identity } = this.#state;
    if (identity === undefined) throw new AppWebsocketError('not-logged-in');
    return identity;
  }

  /** What the PBX at the other end told about itself; undefined: it is no PBX. */
  get pbx(): PbxInfo | undefined {
    return this.#told;
  }

  get isOpen(): boolean {
    return this.#state.phase === 'ready' && !this.#isClosing;
  }

  /** Aborted when the connection closes. */
  get signal(): AbortSignal {
    return this.#inHand().desk.signal;
  }

  /** Bytes sent that the socket has not taken yet. */
  get bufferedBytes(): number {
    return this.#carrier.bufferedBytes;
  }

  /** Sends any message. Throws `not-connected`. */
  send(message: JsonObject): void {
    this.sendText(JSON.stringify(message));
  }

  /** Sends a text as it is. Throws `not-connected`. */
  sendText(text: string): void {
    if (!this.isOpen) throw new AppWebsocketError('not-connected');
    this.#write(text);
  }

  /** Resolves when the socket has taken what was sent. */
  drained(): Promise<void> {
    return this.#carrier.drained();
  }

  /** RC4 with the session key, as hex. A `seed` must not repeat on a connection. Throws `not-logged-in`. */
  encrypt(seed: string, data: string): string {
    return encryptWith(this.#sessionKey(), seed, data);
  }

  /** Throws `not-logged-in`, `bad-hex`. */
  decrypt(seed: string, hex: string): string {
    return decryptWith(this.#sessionKey(), seed, hex);
  }

  hash(seed: string, data: string): string {
    return hashWith(this.#sessionKey(), seed, data);
  }

  close(code = 1000, reason = ''): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#work?.gate.clear();
    if (this.#ticksSinceLost === undefined) this.#carrier.close(code, reason);
  }

  /** @internal */
  attach<T extends ApiObject>(api: string, kind: ApiObjectKind<T>): T {
    const { gate, desk } = this.#inHand();
    const object = new kind(api, this, gate);
    desk.attach(object);
    return object;
  }

  /** @internal */
  detach(object: ApiObject): void {
    this.#work?.desk.detach(object);
  }

  /** @internal Every `pingMs`: a peer that sent nothing since the last time is dead (AW §5.4). */
  tick(): void {
    if (this.#ticksSinceLost !== undefined) {
      // Receivers had their time.
      if (++this.#ticksSinceLost > 1) this.close();
      return;
    }
    // While reading is held back, silence says nothing.
    if (!this.#hasBeenHeard && !this.#isHeldBack) return this.#carrier.destroy();
    this.#hasBeenHeard = false;
    this.#carrier.ping();
  }

  /** @internal */
  get requester(): Requester {
    this.#asker ??= new Requester((text) => this.sendText(text));
    return this.#asker;
  }

  /** Made with the first message: a connection that has none stays small. */
  #inHand(): Work {
    if (this.#work !== undefined) return this.#work;
    const gate: Work['gate'] = new FlowGate(
      ({ envelope, text }) => this.#onMessage(envelope, text),
      (isHeld) => this.#holdBack(isHeld),
    );
    const backPressure = new BackPressure(this.#carrier, gate, () => this.#tooSlow());
    this.#work = { gate, desk: new MessageDesk(this, this.#host, gate, this.#isClosing), backPressure };
    return this.#work;
  }

  #sessionKey(): string {
    const { sessionKey } = this.#state;
    if (sessionKey === undefined) throw new AppWebsocketError('not-logged-in');
    return sessionKey;
  }

  #heard(): void {
    this.#hasBeenHeard = true;
    this.#watch?.frame();
  }

  #onText(text: string): void {
    this.#heard();
    if (this.#isClosing) return;
    try {
      this.#step({ type: 'text', text });
    } catch (error) {
      // A callback of the program threw: `admit`, `appInfo`.
      this.#host.report(error);
      this.close(1011, 'internal error');
    }
  }

  #step(input: AcceptorInput): void {
    const { state, effects } = acceptorStep(this.#state, input, this.#host.environment, this.#host.settings);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: AcceptorEffect): void {
    switch (effect.type) {
      case 'message':
        return this.#inHand().gate.take(effect, effect.text.length);
      case 'send':
        return this.#write(effect.text);
      case 'lookup':
        return this.#lookUp(effect.ticket, effect.request);
      case 'ready':
        if (!effect.isAgain) this.#onReady();
        return;
      case 'failed':
        this.#host.guard.failed(this.remoteAddress, this.#lastRequest);
        return this.#host.refused('login failed', this.remoteAddress);
      case 'pbx-info':
        this.#told = effect.info;
        return this.#inHand().desk.onPbxInfo(effect.info);
      case 'close':
        if (effect.afterMs === 0) return this.#refuseOrClose(effect.code, effect.reason);
        this.#closeTimer = setTimeout(() => this.close(effect.code, effect.reason), effect.afterMs);
    }
  }

  #refuseOrClose(code: number, reason: string): void {
    if (this.#watch !== undefined) this.#host.refused(reason, this.remoteAddress);
    this.close(code, reason);
  }

  #lookUp(ticket: number, request: PasswordRequest): void {
    const { guard, options } = this.#host;
    this.#lastRequest = request;
    if (guard.hasFailures && !guard.mayTry(this.remoteAddress, request))
      return this.#step({ type: 'looked-up', ticket, answer: { refuse: undefined } });
    const found = (answer: PasswordAnswer): void => {
      if (request.purpose === 'check') guard.checked(this.remoteAddress, request, answer);
      this.#step({ type: 'looked-up', ticket, answer });
    };
    const failed = (error: unknown): void => {
      this.#host.report(error);
      this.#step({ type: 'looked-up', ticket, answer: { refuse: 'temporary failure' } });
    };
    try {
      const answer = askPassword(options.password, request);
      if (!(answer instanceof Promise)) found(answer);
      else answer.then(found).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #onReady(): void {
    this.#endWatch();
    this.#lastRequest = undefined;
    clearTimeout(this.#loginTimer);
    this.#host.admitted(this);
  }

  /** What a stranger sends from here on is not even read. */
  #refuse(reason: string): void {
    this.#endWatch();
    this.#host.refused(reason, this.remoteAddress);
    this.#isClosing = true;
    this.#carrier.cut(1008, reason);
  }

  #endWatch(): void {
    this.#watch?.end();
    this.#watch = undefined;
  }

  #onMessage(envelope: Envelope, text: string): void {
    if (this.#isClosing || this.#asker?.take(envelope, text.length) === true) return;
    this.#inHand().desk.take(envelope, text);
  }

  #write(text: string): void {
    if (this.#isClosing) return;
    this.#carrier.send(text);
    if (this.#carrier.bufferedBytes > DRAINED_BYTES) this.#inHand().backPressure.check();
  }

  #tooSlow(): void {
    this.#host.refused('the peer reads too slowly', this.remoteAddress);
    this.close(1013, 'slow-peer');
    this.#carrier.destroy();
  }

  #holdBack(isHeld: boolean): void {
    this.#isHeldBack = isHeld;
    if (!isHeld) this.#hasBeenHeard = true;
    if (!this.#isClosing) this.#carrier.holdBack(isHeld);
  }

  #onClosed(): void {
    const work = this.#work;
    this.#ticksSinceLost = 0;
    clearTimeout(this.#loginTimer);
    clearTimeout(this.#closeTimer);
    work?.backPressure.end();
    this.#endWatch();
    this.#step({ type: 'closed' });
    this.#asker?.end(new AppWebsocketError('connection-lost'));
    work?.desk.abort();
    // What was read before the close is delivered before it, unless the end came from this side.
    if (work === undefined || this.#isClosing) this.#finish();
    else work.gate.end(() => this.#finish());
  }

  #finish(): void {
    this.#isClosing = true;
    this.#work?.desk.close();
    this.#host.gone(this, this.#state.identity !== undefined);
  }
}
