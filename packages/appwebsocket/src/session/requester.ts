import { MAX_LIST_CHARACTERS, MAX_PENDING_REQUESTS } from '../wire/bounds.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { Receiver } from './subscription.ts';
import { refusalOf, Subscription } from './subscription.ts';

/**
 * A request without its own limit waits so long for its answer.
 * @peer the request fails: `timeout`
 * @test requester: times out
 */
export const REQUEST_TIMEOUT_MS = 30_000;

/** What one request may have besides its members. */
export interface RequestOptions {
  /** Rejects with `aborted`; a subscription ends, at the peer too. */
  readonly signal?: AbortSignal | undefined;
  /** 0: no limit. Default `REQUEST_TIMEOUT_MS`. For a subscription: until the first message. */
  readonly timeoutMs?: number | undefined;
}

/** What a subscription may have besides. */
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

interface Ask {
  readonly api: string;
  readonly mt: string;
  readonly members: JsonObject;
}

/** A request or subscription that waits for messages. */
interface Open {
  readonly receiver: Receiver;
  /** A message has come, not the last. */
  readonly heard: (message: JsonObject) => void;
  readonly stop: () => void;
  /** Sent when we leave before the peer has ended it. */
  readonly goodbye: Ask | undefined;
}

/** Matches answers and indications to requests by `src` (AW §2 rule 2), over any connection. */
export class Requester {
  readonly #sendText: (text: string) => void;
  /** Random, so that requests of the other end never look like answers to ours. */
  readonly #prefix = `${Math.random().toString(36).slice(2, 8)}.`;
  readonly #open = new Map<string, Open>();
  #counter = 0;

  constructor(sendText: (text: string) => void) {
    this.#sendText = sendText;
  }

  /** Number of requests and subscriptions that are open. */
  get openCount(): number {
    return this.#open.size;
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
      const take = ({ message, mt: received }: Envelope, size: number): boolean => {
        if (received === `${mt}Result` || received === 'Error') {
          const refusal = refusalOf(received, message);
          if (refusal === undefined) resolve({ items, result: message });
          else reject(refusal);
          return true;
        }
        items.push(message);
        if ((sizes += size) <= MAX_LIST_CHARACTERS) return false;
        reject(new AppWebsocketError('subscription-overflow'));
        return true;
      };
      this.#start(this.#nextSrc(), { api, mt, members }, options, { take, end: reject });
    });
  }

  /** Sends a request and yields every later message with its `src`; the answer itself is {@link Subscription.result}. */
  subscribe(api: string, mt: string, members: JsonObject = {}, options: SubscribeOptions = {}): Subscription {
    const endMt = options.unsubscribe ?? (mt.startsWith('Subscribe') ? `Uns${mt.slice(1)}` : false);
    const goodbye = endMt === false ? undefined : { api, mt: endMt, members };
    return this.#follow(`${mt}Result`, { api, mt, members }, options, goodbye);
  }

  #follow(resultMt: string, ask: Ask, options: RequestOptions, goodbye?: Ask): Subscription {
    const src = this.#nextSrc();
    const subscription = new Subscription(
      resultMt,
      () => this.#leave(src),
      (mt, members) => this.#sendText(requestText(src, { ...ask, mt, members })),
    );
    this.#start(src, ask, options, subscription, goodbye);
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
      const answers: Subscription = this.#follow('', { api, mt, members: next }, options);
      next = undefined;
      let isWhole = false;
      for await (const page of answers) {
        const refusal = refusalOf(mt, page);
        if (refusal !== undefined) throw refusal;
        yield page;
        const { more } = page;
        if (more === true) continue;
        if (typeof more === 'string' || typeof more === 'number') next = { ...members, more };
        isWhole = true;
        break;
      }
      if (!isWhole && answers.endedBy !== undefined) throw answers.endedBy;
    }
  }

  /** Offers a message; true if it belonged to one of our requests, also to one that has ended. */
  take(envelope: Envelope, size: number): boolean {
    const { src } = envelope;
    if (typeof src !== 'string' || !src.startsWith(this.#prefix)) return false;
    const open = this.#open.get(src);
    if (open?.receiver.take(envelope, size) === true) this.#drop(src);
    else open?.heard(envelope.message);
    return true;
  }

  /** The connection ended: requests reject, iterations end. */
  end(error: AppWebsocketError): void {
    for (const src of [...this.#open.keys()]) this.#drop(src)?.receiver.end(error);
  }

  #nextSrc(): string {
    if (this.#open.size >= MAX_PENDING_REQUESTS) throw new AppWebsocketError('too-many-requests');
    return this.#prefix + String(this.#counter++);
  }

  #start(src: string, ask: Ask, options: RequestOptions, receiver: Receiver, goodbye?: Ask): void {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options;
    const onAbort = (): void => this.#leave(src, new AppWebsocketError('aborted', { cause: signal?.reason }));
    const onTimeout = (): void => this.#leave(src, new AppWebsocketError('request-timeout'));
    const wait = (): typeof timer => (timeoutMs > 0 ? setTimeout(onTimeout, timeoutMs) : undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    timer = wait();
    const heard = ({ more }: JsonObject): void => {
      if (!(receiver instanceof Subscription)) return;
      clearTimeout(timer);
      // What is announced must come (AW §2 rule 4).
      if (more === true) timer = wait();
    };
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort);
    this.#open.set(src, { receiver, heard, stop, goodbye });
    try {
      signal?.throwIfAborted();
      this.#sendText(requestText(src, ask));
    } catch (cause) {
      const open = this.#drop(src);
      // What JSON cannot hold is the caller's own mistake.
      if (!(cause instanceof AppWebsocketError) && signal?.aborted !== true) throw cause;
      open?.receiver.end(cause instanceof AppWebsocketError ? cause : new AppWebsocketError('aborted', { cause }));
    }
  }

  #drop(src: string): Open | undefined {
    const open = this.#open.get(src);
    this.#open.delete(src);
    open?.stop();
    return open;
  }

  /** Ends a request from this side. The peer hears that we are no longer interested, if it can still hear. */
  #leave(src: string, error?: AppWebsocketError): void {
    const open = this.#drop(src);
    try {
      if (open?.goodbye !== undefined) this.#sendText(requestText(src, open.goodbye));
    } catch (cause) {
      if (!(cause instanceof AppWebsocketError)) throw cause;
    }
    if (error !== undefined) open?.receiver.end(error);
  }
}

function requestText(src: string, { api, mt, members }: Ask): string {
  return JSON.stringify({ ...members, ...(api === '' ? {} : { api }), mt, src });
}
