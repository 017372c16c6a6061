import { decryptWith, encryptWith, hashWith } from '../crypto/digests.ts';
import type { BackOff } from '../client/back-off.ts';
import { backOffOf } from '../client/back-off.ts';
import { Keeper } from '../client/keeper.ts';
import type { LinkTimes } from '../client/link.ts';
import type { Credentials, InitiatorSettings, PasswordCredentials } from '../handshake/initiator-model.ts';
import { checkInfo } from '../issue/issued-login.ts';
import type { CarrierOptions } from '../platform/carrier.ts';
import { toWebsocketUrl } from '../wire/app-url.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { refusalText, textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import { ApiCaller } from './api-caller.ts';
import { Requester } from './requester.ts';

/**
 * Gets a login for a challenge from somebody who knows the password: a PBX, a web server, the myApps window. The
 * signal tells when the connection that asked is gone. What it throws ends this attempt; `login-failed` ends all.
 */
export type LoginSource = (app: string, challenge: string, signal: AbortSignal) => Credentials | Promise<Credentials>;

/** Where and how a session logs in, and what it tells. `url`, `app` and `login` are all it needs. */
export interface SessionOptions extends LinkTimes, CarrierOptions {
  /** `ws`, `wss`, `http` or `https`. */
  readonly url: string;
  readonly app: string;
  readonly login: PasswordCredentials | LoginSource;
  /** Connect again after a loss. On by default; `false`: one life. */
  readonly reconnect?: boolean | BackOff | undefined;
  /** Try again after a refused login too. Off by default. */
  readonly retriesRefused?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Names for `AppChallenge` (AW §3.2). */
  readonly user?: string | undefined;
  readonly appObj?: string | undefined;
  /** URL of the own page: the peer says in `onOtherBuild` if another build is current (AW §5.1). */
  readonly checkBuildUrl?: string | undefined;
  /** After every login, also after reconnecting: subscribe here, subscriptions do not survive a loss (AW §8.3). */
  readonly onLogin?: ((session: AppSession) => void) | undefined;
  readonly onLoss?: ((error: AppWebsocketError | undefined, retryInMs: number) => void) | undefined;
  /** What the peer sends of its own accord. Without it, requests of the peer are answered "not allowed". */
  readonly onMessage?: ((message: JsonObject, text: string) => void) | undefined;
  readonly onOtherBuild?: ((url: string) => void) | undefined;
}

/** A connection that logs in, comes back after a loss, and on which one asks and subscribes. */
export class AppSession extends ApiCaller implements AsyncDisposable {
  /** @internal */
  protected readonly requester: Requester;
  readonly #options: SessionOptions;
  readonly #keeper: Keeper;
  #attempt: AbortController | undefined;
  readonly #ups: { resolve: () => void; reject: (error: AppWebsocketError) => void }[] = [];
  #resolveClosed: ((error: AppWebsocketError | undefined) => void) | undefined;
  /** Resolves once the session has ended for good: with the reason, or with nothing after {@link close}. */
  readonly closed: Promise<AppWebsocketError | undefined>;
  /** Domain that the peer named in its answer to the login. */
  domain = '';

  private constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.requester = new Requester((text) => this.#sendText(text));
    const { login, reconnect = true, retriesRefused, signal, app, user, appObj, checkBuildUrl, ...link } = options;
    const url = toWebsocketUrl(options.url);
    if (typeof login !== 'function' && login.info !== undefined) checkInfo(login.info);
    const credentials = typeof login === 'function' ? undefined : login;
    const settings: InitiatorSettings = { app, user, appObj, checkBuildUrl, credentials };
    this.#keeper = new Keeper(
      { plan: () => ({ ...link, url, settings }), backOff: backOffOf(reconnect), retriesRefused, signal },
      {
        challenge: (name, challenge) => void this.#logIn(name, challenge),
        ready: (domain) => this.#onUp(domain),
        message: (envelope, text) => this.#onMessage(envelope, text),
        baseAnswer: (envelope) => this.#onBaseAnswer(envelope),
        down: (error, retryInMs) => {
          this.#onDown(error);
          options.onLoss?.(error, retryInMs);
        },
        closed: (error) => this.#onClosed(error),
      },
    );
  }

  /**
   * Connects and resolves after the first login. Rejects with `login-failed` when that is refused, with `bad-url`,
   * and with `aborted`; without reconnecting also with `connect-failed`.
   * @example await using session = await AppSession.open({ url, app: 'tool', login: { password } });
   */
  static async open(options: SessionOptions): Promise<AppSession> {
    const session = new AppSession(options);
    await session.whenUp();
    return session;
  }

  /** Logged in at this moment. */
  get isUp(): boolean {
    return this.#keeper.current !== undefined;
  }

  /** Resolves when logged in, at once if that is so. Rejects when the session ends instead. */
  whenUp(): Promise<void> {
    if (this.isUp) return Promise.resolve();
    if (this.#keeper.hasEnded) return Promise.reject(new AppWebsocketError('not-connected'));
    return new Promise((resolve, reject) => this.#ups.push({ resolve, reject }));
  }

  /** Sends any message. Throws `not-connected`. */
  send(message: JsonObject): void {
    this.#sendText(JSON.stringify(message));
  }

  /** Resolves when the socket has taken what was sent. */
  async drained(): Promise<void> {
    await this.#keeper.current?.carrier.drained();
  }

  /** RC4 with the session key, as hex. A `seed` must not repeat on a connection. Throws `not-logged-in`. */
  encrypt(seed: string, data: string): string {
    return encryptWith(this.#keeper.sessionKey, seed, data);
  }

  /** Throws `not-logged-in`, `bad-hex`. */
  decrypt(seed: string, hex: string): string {
    return decryptWith(this.#keeper.sessionKey, seed, hex);
  }

  /** SHA-256 with the session key, as hex (AW §4.2). Throws `not-logged-in`. */
  hash(seed: string, data: string): string {
    return hashWith(this.#keeper.sessionKey, seed, data);
  }

  /** Ends the session. Resolves when its socket is closed. */
  async close(): Promise<void> {
    this.#keeper.close();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Nothing is kept for later here: a command must not be carried out minutes after it was given up. */
  #sendText(text: string): void {
    if (!this.isUp) throw new AppWebsocketError('not-connected');
    this.#keeper.send(text);
  }

  async #logIn(app: string, challenge: string): Promise<void> {
    const link = this.#keeper.any;
    this.#attempt = new AbortController();
    try {
      const source = this.#options.login;
      if (typeof source === 'function') link?.auth(await source(app, challenge, this.#attempt.signal));
    } catch (cause) {
      link?.close(cause instanceof AppWebsocketError ? cause : new AppWebsocketError('connect-failed', { cause }));
    }
  }

  #onUp(domain: string): void {
    this.domain = domain;
    for (const { resolve } of this.#ups.splice(0)) resolve();
    this.#options.onLogin?.(this);
  }

  #onMessage(envelope: Envelope, text: string): void {
    if (this.requester.take(envelope, text.length)) return;
    if (this.#options.onMessage !== undefined) return this.#options.onMessage(envelope.message, text);
    const refusal = refusalText(envelope, 'not allowed');
    if (refusal !== undefined) this.#keeper.current?.answer(refusal);
  }

  #onBaseAnswer(envelope: Envelope): void {
    if (this.requester.take(envelope, 0) || envelope.mt !== 'CheckBuildResult') return;
    const url = textOf(envelope.message['url']);
    if (url !== '') this.#options.onOtherBuild?.(url);
  }

  #onDown(error: AppWebsocketError | undefined): void {
    this.#attempt?.abort();
    this.requester.end(lost(error));
  }

  #onClosed(error: AppWebsocketError | undefined): void {
    this.#onDown(error);
    for (const { reject } of this.#ups.splice(0)) reject(error ?? new AppWebsocketError('not-connected'));
    this.#resolveClosed?.(error);
  }
}

/** What a request in flight learns: the connection is gone, and why. */
function lost(cause: AppWebsocketError | undefined): AppWebsocketError {
  return new AppWebsocketError('connection-lost', cause === undefined ? {} : { reason: cause.message, cause });
}
