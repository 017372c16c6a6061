import type { CarrierOptions } from '../platform/carrier.ts';
import type { InitiatorSettings } from '../handshake/initiator-model.ts';
import { decryptWith, encryptWith, hashWith } from '../crypto/digests.ts';
import { checkInfo } from '../issue/issued-login.ts';
import { toWebsocketUrl } from '../wire/app-url.ts';
import type { JsonObject } from '../wire/envelope.ts';
import type { AppWebsocketError } from '../wire/errors.ts';
import type { BackOff } from './back-off.ts';
import { backOffOf } from './back-off.ts';
import { Keeper } from './keeper.ts';
import type { LinkTimes } from './link.ts';

/** What `connect` takes beyond the documented arguments. */
export interface ConnectOptions extends LinkTimes, CarrierOptions {
  /** Connect again after a loss. `onopen` then comes once a login; `onclose` still comes once, at the end. Off by default. */
  readonly autoReconnect?: boolean | BackOff | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Names for `AppChallenge` that 14r1 and newer peers know (AW §3.2). */
  readonly usr?: string | undefined;
  readonly appObj?: string | undefined;
  /** JSON text of `info` for a login with a password. */
  readonly info?: string | undefined;
  readonly pbxObj?: string | undefined;
}

type Text = string | null | undefined;

/** The documented client of the service-side JavaScript environment (AW §8.1), in Node and in browsers. */
export class AppWebsocketClient {
  /**
   * Starts connecting and returns at once, so handlers may be set right after. With a `password` and no `onauth`
   * it logs in by itself; missing texts count as `""`. Throws `bad-url` and `bad-info`.
   * @example AppWebsocketClient.connect('wss://pbx.example.com/PBX0/APPS/websocket', 'pwd', 'tool').onopen((c) => c.send('{"mt":"…"}'))
   */
  static connect(
    uri: string,
    password?: Text,
    app?: Text,
    domain?: Text,
    sip?: Text,
    guid?: Text,
    dn?: Text,
    options: ConnectOptions = {},
  ): AppWebsocketConnection {
    const { info, pbxObj } = options;
    if (info !== undefined) checkInfo(info);
    const names = { domain: domain ?? '', sip: sip ?? '', guid: guid ?? '', dn: dn ?? '', pbxObj };
    const credentials = { password: password ?? '', info, ...names };
    return new AppWebsocketConnection(toWebsocketUrl(uri), app ?? '', credentials, options);
  }
}

type Credentials = NonNullable<InitiatorSettings['credentials']>;
const nothing = (): void => undefined;

/** A connection made by {@link AppWebsocketClient}. Each `on…` keeps one callback, the last; all setters chain. */
export class AppWebsocketConnection implements AsyncDisposable {
  readonly #keeper: Keeper;
  #authCallback: ((conn: this, app: string, challenge: string) => void) | undefined;
  #openCallback: (conn: this) => void = nothing;
  #closeCallback: (conn: this, error: AppWebsocketError | undefined) => void = nothing;
  #messageCallback: (conn: this, text: string, message: JsonObject) => void = nothing;
  #hasFlowControl = false;
  #whenClosed: () => void = nothing;
  readonly #closed = new Promise<void>((resolve) => (this.#whenClosed = resolve));

  /** @internal Use {@link AppWebsocketClient.connect}. */
  constructor(url: string, app: string, credentials: Credentials, options: ConnectOptions) {
    const { autoReconnect, signal, usr: user, appObj, ...link } = options;
    // Asked when the challenge has come: `onauth` may be set until then.
    const passwordUnlessAsked = (): Credentials | undefined =>
      this.#authCallback === undefined ? credentials : undefined;
    const settings = {
      app,
      user,
      appObj,
      get credentials() {
        return passwordUnlessAsked();
      },
    };
    this.#keeper = new Keeper(
      { plan: () => ({ ...link, url, settings }), backOff: backOffOf(autoReconnect), signal },
      {
        challenge: (name, challenge) => this.#authCallback?.(this, name, challenge),
        ready: () => this.#openCallback(this),
        message: (envelope, text) => {
          if (this.#hasFlowControl) this.#keeper.any?.gate.hold(this);
          this.#messageCallback(this, text, envelope.message);
        },
        baseAnswer: nothing,
        down: nothing,
        closed: (error) => {
          this.#whenClosed();
          this.#closeCallback(this, error);
        },
      },
    );
  }

  /** If set, the login pauses after the challenge until {@link auth} is called. */
  onauth(callback: (conn: this, app: string, challenge: string) => void): this {
    this.#authCallback = callback;
    return this;
  }

  /** After the login. */
  onopen(callback: (conn: this) => void): this {
    this.#openCallback = callback;
    return this;
  }

  /** Once, at the end: closed, not reached, or refused. The error says which; there is none after {@link close}. */
  onclose(callback: (conn: this, error: AppWebsocketError | undefined) => void): this {
    this.#closeCallback = callback;
    return this;
  }

  /** Every message that is not a base message, as text; the third argument is the text parsed, which saves doing it again. */
  onmessage(callback: (conn: this, text: string, message: JsonObject) => void): this {
    this.#messageCallback = callback;
    return this;
  }

  /** Answers `onauth`. `info` is JSON text and spliced in as it is; `key` is the session key. Throws `bad-info`. */
  auth(
    domain?: Text,
    sip?: Text,
    guid?: Text,
    dn?: Text,
    pbxObj?: Text,
    app?: Text,
    info?: Text,
    digest?: Text,
    key?: Text,
  ): this {
    const hasInfo = info !== null && info !== '' && info !== 'null';
    const names = { domain: domain ?? '', sip: sip ?? '', guid: guid ?? '', dn: dn ?? '', app: app ?? '' };
    this.#keeper.any?.auth({
      ...names,
      pbxObj: pbxObj ?? undefined,
      info: hasInfo ? info : undefined,
      digest: digest ?? '',
      key: key ?? undefined,
    });
    return this;
  }

  /**
   * Sends, or keeps up to 64 KiB until the login stands. Throws `queue-full`, `not-connected`, and `slow-peer` while
   * 8 MiB wait for the peer to read: await {@link drained} between many messages.
   */
  send(text: string): this {
    this.#keeper.send(text);
    return this;
  }

  /** Resolves when the socket has taken what was sent: await it between many messages. */
  async drained(): Promise<void> {
    await this.#keeper.current?.carrier.drained();
  }

  /** Bytes sent that the socket has not taken yet. */
  get bufferedBytes(): number {
    return this.#keeper.current?.carrier.bufferedBytes ?? 0;
  }

  /** Allowed at any time, also inside `onauth`. */
  close(): void {
    this.#keeper.close();
  }

  /** On: after one `onmessage` no further one until {@link messageComplete}; in Node the socket is not read meanwhile. */
  setFlowControl(isOn: boolean): this {
    this.#hasFlowControl = isOn;
    if (!isOn) this.messageComplete();
    return this;
  }

  /** Under flow control: the message in hand is done with, the next may come. */
  messageComplete(): this {
    this.#keeper.any?.gate.release(this);
    return this;
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

  /** Closes, and waits until the connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#closed;
  }
}
