import { MAX_LIST_CHARACTERS, MAX_PENDING_REQUESTS } from '../wire/bounds.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { Receiver } from './subscription.ts';
import { refusalOf, Subscription } from './subscription.ts';

/** A request without its own limit waits so long for its answer. */
export const REQUEST_TIMEOUT_MS = 30_000;

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** 0: no limit. Default `REQUEST_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
}

export interface SubscribeOptions extends RequestOptions {
  /**
   * `mt` that ends the subscription at the peer, sent when the iteration is left. Default: for `Subscribe…` the same
   * with `Unsubscribe…`, else none. False: send none.
   */
  readonly unsubscribe?: string | false | undefined;
}

/** What `list()` gives. */
export interface List<R = JsonObject, I = JsonObject> {
  readonly items: readonly I[];
  readonly result: R;
}

/** Matches answers and indications to requests by `src` (AW §2 rule 2), over any connection. */
export class Requester {
  private readonly sendText: (text: string) => void;
  /** Random, so that requests of the other end never look like answers to ours. */
  private readonly prefix = `${Math.random().toString(36).slice(2, 8)}.`;
  private readonly receivers = new Map<string, Receiver>();
  private counter = 0;

  constructor(sendText: (text: string) => void) {
    this.sendText = sendText;
  }

  /** Number of requests and subscriptions that are open. */
  get openCount(): number {
    return this.receivers.size;
  }

  /** Resolves with `<mt>Result`. Rejects with an {@link AppWebsocketError}. */
  async request(api: string, mt: string, members: JsonObject = {}, options: RequestOptions = {}): Promise<JsonObject> {
    return (await this.list(api, mt, members, options)).result;
  }

  /** Resolves with `<mt>Result` and the indications that came before it: `ReadChats`, `ReadChat`, `Initialize` … */
  list(api: string, mt: string, members: JsonObject = {}, options: RequestOptions = {}): Promise<List> {
    return new Promise((resolve, reject) => {
      const items: JsonObject[] = [];
      let sizes = 0;
      const src = this.open({
        take: ({ message, mt: received }, size) => {
          const isOver = received === `${mt}Result` || received === 'Error';
          if (!isOver) {
            items.push(message);
            if ((sizes += size) <= MAX_LIST_CHARACTERS) return false;
          }
          settle();
          const refusal = isOver ? refusalOf(received, message) : new AppWebsocketError('subscription-overflow');
          if (refusal === undefined) resolve({ items, result: message });
          else reject(refusal);
          return true;
        },
        end: (error) => {
          settle();
          reject(error);
        },
      });
      const settle = this.guard(src, options, reject);
      this.start(src, api, mt, members);
    });
  }

  /** Sends a request and yields every later message with its `src`; the answer itself is {@link Subscription.result}. */
  subscribe(api: string, mt: string, members: JsonObject = {}, options: SubscribeOptions = {}): Subscription {
    return this.follow(`${mt}Result`, api, mt, members, options);
  }

  private follow(
    resultMt: string,
    api: string,
    mt: string,
    members: JsonObject,
    options: SubscribeOptions,
  ): Subscription {
    const endMt = options.unsubscribe ?? (mt.startsWith('Subscribe') ? `Uns${mt.slice(1)}` : false);
    const src = this.nextSrc();
    const leave = (): void => {
      if (!this.receivers.delete(src)) return;
      settle();
      if (endMt !== false) this.sendQuietly(src, api, endMt, members);
    };
    const subscription = new Subscription(resultMt, leave, (next, more) =>
      this.sendText(requestText(src, api, next, more)),
    );
    this.open(subscription, src);
    const settle = this.guard(src, options, (error) => subscription.end(error), subscription);
    this.start(src, api, mt, members);
    return subscription;
  }

  /**
   * Answers that come in pages (AW §2 rule 4): where `more` is a text or a number the request is repeated with it,
   * `true` means that further answers follow unasked.
   */
  async *pages(
    api: string,
    mt: string,
    members: JsonObject = {},
    options: RequestOptions = {},
  ): AsyncGenerator<JsonObject> {
    for (let next: JsonObject | undefined = members; next !== undefined;) {
      const answers = this.follow('', api, mt, next, { ...options, unsubscribe: false });
      next = undefined;
      for await (const page of answers) {
        const refusal = refusalOf(`${mt}Result`, page);
        if (refusal !== undefined) throw refusal;
        yield page;
        const { more } = page;
        if (more === true) continue;
        if (typeof more === 'string' || typeof more === 'number') next = { ...members, more };
        break;
      }
      if (answers.isCut) throw new AppWebsocketError('connection-lost');
    }
  }

  /** Offers a message; true if it belonged to one of our requests, also to one that has ended. */
  take(envelope: Envelope, size: number): boolean {
    const { src } = envelope;
    if (typeof src !== 'string' || !src.startsWith(this.prefix)) return false;
    const receiver = this.receivers.get(src);
    if (receiver?.take(envelope, size) === true) this.receivers.delete(src);
    return true;
  }

  /** The connection ended: requests reject, iterations end. */
  end(error: AppWebsocketError): void {
    const receivers = [...this.receivers.values()];
    this.receivers.clear();
    for (const receiver of receivers) receiver.end(error);
  }

  private nextSrc(): string {
    if (this.receivers.size >= MAX_PENDING_REQUESTS) throw new AppWebsocketError('too-many-requests');
    return this.prefix + String(this.counter++);
  }

  private open(receiver: Receiver, src = this.nextSrc()): string {
    this.receivers.set(src, receiver);
    return src;
  }

  private start(src: string, api: string, mt: string, members: JsonObject): void {
    try {
      this.sendText(requestText(src, api, mt, members));
    } catch (error) {
      const receiver = this.receivers.get(src);
      this.receivers.delete(src);
      if (!(error instanceof AppWebsocketError)) throw error;
      receiver?.end(error);
    }
  }

  /** The peer hears that we are no longer interested, if it can still hear. */
  private sendQuietly(src: string, api: string, mt: string, members: JsonObject): void {
    try {
      this.sendText(requestText(src, api, mt, members));
    } catch (error) {
      if (!(error instanceof AppWebsocketError)) throw error;
    }
  }

  /** Timer and abort signal of one request; the returned function removes both. */
  private guard(
    src: string,
    options: RequestOptions,
    fail: (error: AppWebsocketError) => void,
    subscription?: Subscription,
  ): () => void {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    const give = (error: AppWebsocketError): void => {
      settle();
      this.receivers.delete(src);
      fail(error);
    };
    const onAbort = (): void => give(new AppWebsocketError('aborted', { cause: signal?.reason }));
    const timer =
      timeoutMs > 0 ? setTimeout(() => give(new AppWebsocketError('request-timeout')), timeoutMs) : undefined;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    // The limit is for the answer; the signal holds as long as the subscription.
    subscription?.whenAnswered(() => clearTimeout(timer));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) queueMicrotask(onAbort);
    return settle;
  }
}

function requestText(src: string, api: string, mt: string, members: JsonObject): string {
  return JSON.stringify({ ...members, ...(api === '' ? {} : { api }), mt, src });
}
