import { MAX_QUEUED_BEFORE_OPEN_BYTES } from '../wire/bounds.ts';
import type { Envelope } from '../wire/envelope.ts';
import { utf8Length } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { BackOff } from './back-off.ts';
import { backOffDelayMs } from './back-off.ts';
import type { LinkOptions } from './link.ts';
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

export interface KeeperEvents {
  challenge(app: string, challenge: string, envelope: Envelope): void;
  /** Logged in. What was sent before is on its way. */
  up(domain: string): void;
  message(envelope: Envelope, text: string): void;
  baseAnswer(envelope: Envelope): void;
  /** A link ended; another attempt follows. */
  down(error: AppWebsocketError | undefined, retryInMs: number): void;
  /** Once and last. Without an error it was closed from this side. */
  closed(error: AppWebsocketError | undefined): void;
}

/** Makes links one after the other, keeps what is sent in between, and ends once. */
export class Keeper {
  private readonly options: KeeperOptions;
  private readonly events: KeeperEvents;
  private link: Link | undefined;
  private isUp = false;
  private isClosed = false;
  private queue: string[] = [];
  private queuedBytes = 0;
  private attempt = 0;
  private upAtMs = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly onAbort = (): void =>
    this.close(new AppWebsocketError('aborted', { cause: this.options.signal?.reason }));

  constructor(options: KeeperOptions, events: KeeperEvents) {
    this.options = options;
    this.events = events;
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
    // Handlers may be set right after (AW §8.1).
    queueMicrotask(() => {
      if (options.signal?.aborted === true) this.onAbort();
      else this.connect();
    });
  }

  /** The link that is logged in, if one is. */
  get current(): Link | undefined {
    return this.isUp ? this.link : undefined;
  }

  /** The link, logged in or not. */
  get any(): Link | undefined {
    return this.link;
  }

  get hasEnded(): boolean {
    return this.isClosed;
  }

  /** Sends now, or keeps the text until the login stands. Throws `not-connected`, `queue-full`. */
  send(text: string): void {
    if (this.isClosed) throw new AppWebsocketError('not-connected');
    if (this.isUp) return this.link?.send(text);
    const bytes = utf8Length(text);
    if (this.queuedBytes + bytes > MAX_QUEUED_BEFORE_OPEN_BYTES) throw new AppWebsocketError('queue-full');
    this.queue.push(text);
    this.queuedBytes += bytes;
  }

  /** Ends for good. */
  close(error?: AppWebsocketError): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.retryTimer);
    if (this.link === undefined) this.finish(error);
    else this.link.close(error);
  }

  /** Ends the present link and connects again at once: settings have changed. */
  restart(): void {
    if (this.isClosed) return;
    this.attempt = 0;
    if (this.link !== undefined)
      return this.link.close(new AppWebsocketError('connection-lost', { reason: 'restart' }));
    clearTimeout(this.retryTimer);
    this.connect();
  }

  private connect(): void {
    if (this.isClosed) return;
    try {
      this.link = new Link(this.options.plan(), {
        challenge: (app, challenge, envelope) => this.events.challenge(app, challenge, envelope),
        ready: (domain) => this.onReady(domain),
        message: (envelope, text) => this.events.message(envelope, text),
        baseAnswer: (envelope) => this.events.baseAnswer(envelope),
        closed: (error) => this.onLinkClosed(error),
      });
    } catch (cause) {
      this.isClosed = true;
      this.finish(cause instanceof AppWebsocketError ? cause : new AppWebsocketError('bad-url', { cause }));
    }
  }

  private onReady(domain: string): void {
    this.isUp = true;
    this.upAtMs = Date.now();
    const { queue } = this;
    this.queue = [];
    this.queuedBytes = 0;
    for (const text of queue) this.link?.send(text);
    this.events.up(domain);
  }

  private onLinkClosed(error: AppWebsocketError | undefined): void {
    const { backOff, retriesRefused } = this.options;
    this.link = undefined;
    if (this.isUp && backOff !== undefined && Date.now() - this.upAtMs >= backOff.resetAfterMs) this.attempt = 0;
    this.isUp = false;
    const isHopeless = error?.code === 'login-failed' && retriesRefused !== true;
    if (this.isClosed || backOff === undefined || isHopeless) {
      this.isClosed = true;
      return this.finish(error);
    }
    const isRestart = error?.reason === 'restart';
    const delayMs = isRestart ? 0 : backOffDelayMs(backOff, this.attempt++, Math.random());
    this.events.down(error, delayMs);
    if (this.hasEnded) return;
    this.retryTimer = setTimeout(() => this.connect(), delayMs);
  }

  private finish(error: AppWebsocketError | undefined): void {
    this.options.signal?.removeEventListener('abort', this.onAbort);
    this.queue = [];
    this.events.closed(error);
  }
}
