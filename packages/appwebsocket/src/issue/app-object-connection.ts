import type { BackOff } from '../client/back-off.ts';
import { PBX_BACK_OFF } from '../client/back-off.ts';
import { Keeper } from '../client/keeper.ts';
import type { LinkOptions, LinkTimes } from '../client/link.ts';
import { decryptWith, encryptWith, hashWith } from '../crypto/digests.ts';
import type { PasswordCredentials } from '../handshake/initiator-model.ts';
import type { CarrierOptions } from '../platform/carrier.ts';
import { targetOfAppUrl } from '../wire/app-url.ts';
import type { AppInfoAnswer, PbxInfo } from '../wire/base-messages.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { AppWebsocketError } from '../wire/errors.ts';
import { parseAppInfoAnswer, pbxInfoText } from '../wire/pbx-info.ts';
import { checkInfo } from './issued-login.ts';

/** What a PBX needs to reach the app service of an App object; asked anew for each attempt. */
export interface AppObjectPlan extends CarrierOptions {
  /** App URL, as configured (AW §7.2). */
  readonly url: string;
  /** See `appObjectCredentials`. */
  readonly credentials: PasswordCredentials;
  readonly pbxInfo: PbxInfo;
}

export interface AppObjectEvents {
  /** Logged in; `PbxInfo` and `AppInfo` are on their way. */
  readonly up?: (() => void) | undefined;
  /** What the app told about itself, after each login; nothing when the connection is lost: drop what you know (AW §5.2). */
  readonly appInfo?: ((answer: AppInfoAnswer | undefined) => void) | undefined;
  /** A request of the app service. */
  readonly message: (envelope: Envelope, text: string) => void;
  /** Lost, or refused; the next attempt follows. */
  readonly down?: ((error: AppWebsocketError | undefined, retryInMs: number) => void) | undefined;
  /** Once and last. With an error where the URL or `info` cannot be used. */
  readonly closed?: ((error: AppWebsocketError | undefined) => void) | undefined;
}

export interface AppObjectOptions extends LinkTimes {
  readonly backOff?: BackOff | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connection A (AW §7.2): a PBX connects to the app service of an App object, logs in, tells what it is, asks what
 * the app is, and stays. It tries again after every loss and every refusal.
 */
export class AppObjectConnection implements AsyncDisposable {
  readonly #plan: () => AppObjectPlan;
  readonly #events: AppObjectEvents;
  readonly #options: AppObjectOptions;
  #keeper: Keeper;
  readonly #closed: Promise<void>;
  #whenClosed: () => void = () => undefined;
  #isConnected = false;
  #isClosed = false;

  /** Starts at once. `plan` may be asked often, and must tell the present settings. */
  constructor(plan: () => AppObjectPlan, events: AppObjectEvents, options: AppObjectOptions = {}) {
    this.#plan = plan;
    this.#events = events;
    this.#options = options;
    this.#closed = new Promise((resolve) => (this.#whenClosed = resolve));
    this.#keeper = this.#start();
  }

  /** Logged in: what admins see as `connected` (AW §7.2). */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Bytes sent that the socket has not taken yet. */
  get bufferedBytes(): number {
    return this.#keeper.current?.carrier.bufferedBytes ?? 0;
  }

  /** Session key, for `issueServiceLogin`. Throws `not-logged-in`. */
  get sessionKey(): string {
    return this.#keeper.sessionKey;
  }

  /** Answers, or tells. Dropped while there is no connection: an answer belongs to the connection of its request. */
  send(text: string): void {
    this.#keeper.current?.send(text);
  }

  /** Resolves when the socket has taken what was sent. */
  drained(): Promise<void> {
    return this.#keeper.current?.carrier.drained() ?? Promise.resolve();
  }

  /** Stops or goes on reading, for as long as `holder` holds: back-pressure of whoever works on the messages. */
  hold(holder: object): void {
    this.#keeper.current?.gate.hold(holder);
  }

  release(holder: object): void {
    this.#keeper.any?.gate.release(holder);
  }

  encrypt(seed: string, data: string): string {
    return encryptWith(this.sessionKey, seed, data);
  }

  decrypt(seed: string, hex: string): string {
    return decryptWith(this.sessionKey, seed, hex);
  }

  hash(seed: string, data: string): string {
    return hashWith(this.sessionKey, seed, data);
  }

  /** URL, password or APIs have changed: log in anew at once (AW §7.2). */
  update(): void {
    if (this.#isClosed) return;
    const former = this.#keeper;
    this.#keeper = this.#start();
    former.close();
    this.#lost();
  }

  /** Ends it; resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keeper.close();
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(): Keeper {
    const { backOff = PBX_BACK_OFF, signal, ...times } = this.#options;
    const events = this.#events;
    const isCurrent = (): boolean => this.#keeper === keeper;
    const keeper: Keeper = new Keeper(
      { plan: () => linkOptions(this.#plan(), times), backOff, retriesRefused: true, signal },
      {
        challenge: () => undefined,
        ready: () => {
          this.#isConnected = true;
          events.up?.();
        },
        message: (envelope, text) => {
          if (isCurrent()) events.message(envelope, text);
        },
        baseAnswer: ({ mt, message }) => {
          if (mt === 'AppInfoResult' && isCurrent()) events.appInfo?.(parseAppInfoAnswer(message));
        },
        down: (error, retryInMs) => {
          this.#lost();
          events.down?.(error, retryInMs);
        },
        closed: (error) => {
          if (isCurrent()) this.#end(error);
        },
      },
    );
    return keeper;
  }

  #end(error: AppWebsocketError | undefined): void {
    this.#isClosed = true;
    this.#lost();
    this.#whenClosed();
    this.#events.closed?.(error);
  }

  #lost(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#events.appInfo?.(undefined);
  }
}

function linkOptions(plan: AppObjectPlan, times: LinkTimes): LinkOptions {
  const { url, credentials, pbxInfo, ...carrier } = plan;
  const { websocketUrl, app } = targetOfAppUrl(url);
  if (credentials.info !== undefined) checkInfo(credentials.info);
  // `PbxInfo` comes first after the login (AW §3.1).
  const afterLogin = [pbxInfoText(pbxInfo), JSON.stringify({ mt: 'AppInfo', app })];
  return { ...carrier, ...times, url: websocketUrl, settings: { app, credentials, afterLogin } };
}
