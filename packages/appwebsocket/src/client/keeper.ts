import { MAX_QUEUED_BEFORE_OPEN_BYTES } from '../wire/bounds.ts';
import { utf8Length } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { BackOff } from './back-off.ts';
import { backOffDelayMs } from './back-off.ts';
import type { LinkEvents, LinkOptions } from './link.ts';
import { Link } from './link.ts';

/** What a keeper needs to make a link; asked anew for each attempt, so that settings may change in between. */
export type LinkPlan = () => LinkOptions;

export interface KeeperOptions {
  readonly plan: LinkPlan;
  /** Absent: one life, no reconnecting (AW §8.1). */
  readonly backOff?: BackOff | undefined;
  /** Keep trying after a refused login too: the password may be put right at the other end (AW §3.6). */
  readonly retriesRefused?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface KeeperEvents extends LinkEvents {
  /** A link ended; another attempt follows. */
  readonly down: (error: AppWebsocketError | undefined, retryInMs: number) => void;
}

/** Makes links one after the other, keeps what is sent in between, and ends once. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #events: KeeperEvents;
  #link: Link | undefined;
  #isUp = false;
  #isClosed = false;
  #queue: string[] = [];
  #queuedBytes = 0;
  #attempt = 0;
  #upAtMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #onAbort = (): void => this.close(new AppWebsocketError('aborted', { cause: this.#options.signal?.reason }));

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.#options = options;
    this.#events = events;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    // Handlers may be set right after (AW §8.1).
    queueMicrotask(() => {
      if (options.signal?.aborted === true) this.#onAbort();
      else this.#connect();
    });
  }

  /** The link that is logged in, if one is. */
  get current(): Link | undefined {
    return this.#isUp ? this.#link : undefined;
  }

  /** The link, logged in or not. */
  get any(): Link | undefined {
    return this.#link;
  }

  /** Throws `not-logged-in`. */
  get sessionKey(): string {
    const key = this.current?.sessionKey;
    if (key === undefined) throw new AppWebsocketError('not-logged-in');
    return key;
  }

  get hasEnded(): boolean {
    return this.#isClosed;
  }

  /** Sends now, or keeps the text until the login stands. Throws `not-connected`, `queue-full`, `slow-peer`. */
  send(text: string): void {
    if (this.#isClosed) throw new AppWebsocketError('not-connected');
    if (this.#isUp) return this.#link?.send(text);
    const bytes = utf8Length(text);
    if (this.#queuedBytes + bytes > MAX_QUEUED_BEFORE_OPEN_BYTES) throw new AppWebsocketError('queue-full');
    this.#queue.push(text);
    this.#queuedBytes += bytes;
  }

  /** Ends for good. */
  close(error?: AppWebsocketError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    // Not at once: handlers may be set right after (AW §8.1).
    if (this.#link === undefined) queueMicrotask(() => this.#finish(error));
    else this.#link.close(error);
  }

  /** Ends the present link and connects again at once: settings have changed. */
  restart(): void {
    this.#attempt = -1;
    clearTimeout(this.#retryTimer);
    if (this.#link === undefined) this.#connect();
    else this.#link.close(new AppWebsocketError('connection-lost'));
  }

  #connect(): void {
    if (this.#isClosed || this.#link !== undefined) return;
    try {
      this.#link = new Link(this.#options.plan(), {
        ...this.#events,
        ready: (domain) => this.#onReady(domain),
        closed: (error) => this.#onLinkClosed(error),
      });
    } catch (cause) {
      this.#finish(cause instanceof AppWebsocketError ? cause : new AppWebsocketError('bad-url', { cause }));
    }
  }

  #onReady(domain: string): void {
    this.#isUp = true;
    this.#upAtMs = performance.now();
    const queue = this.#queue.splice(0);
    this.#queuedBytes = 0;
    for (const text of queue) this.#link?.send(text);
    this.#events.ready(domain);
  }

  #onLinkClosed(error: AppWebsocketError | undefined): void {
    const { backOff, retriesRefused } = this.#options;
    this.#link = undefined;
    const wasUp = this.#isUp;
    this.#isUp = false;
    const isHopeless = error?.code === 'login-failed' && retriesRefused !== true;
    if (this.#isClosed || backOff === undefined || isHopeless) return this.#finish(error);
    if (wasUp && performance.now() - this.#upAtMs >= backOff.resetAfterMs) this.#attempt = Math.min(this.#attempt, 0);
    const delayMs = this.#attempt < 0 ? 0 : backOffDelayMs(backOff, this.#attempt, Math.random());
    this.#attempt++;
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
    this.#events.down(error, delayMs);
  }

  #finish(error: AppWebsocketError | undefined): void {
    this.#isClosed = true;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#queue = [];
    this.#events.closed(error);
  }
}
