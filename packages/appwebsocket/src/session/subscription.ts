import { MAX_QUEUED_INDICATION_CHARACTERS } from '../wire/bounds.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';

/** Takes what belongs to one `src`; returns true when that was the last. */
export interface Receiver {
  take(envelope: Envelope, size: number): boolean;
  end(error: AppWebsocketError): void;
}

/** The peer said no, in whichever member it says so: `error`, `errorText`, `err`, or with `mt` `Error` (AW §2 rule 3; PBX 0.1). */
export function refusalOf(mt: string, message: JsonObject): AppWebsocketError | undefined {
  const { error, errorText, err } = message;
  if (mt === 'Error')
    return new AppWebsocketError('request-refused', { reason: textOf(message['text']) || undefined, cause: message });
  const refusal = error === undefined || error === false || error === 0 || error === '' || error === null ? err : error;
  const isRefused = refusal !== undefined && refusal !== null && refusal !== '' && refusal !== false;
  if (!isRefused) return undefined;
  const reason = typeof errorText === 'string' && errorText !== '' ? errorText : textOfError(refusal);
  return new AppWebsocketError('request-refused', { reason, cause: message });
}

function textOfError(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}

/**
 * Indications of one request, in order. The iteration ends when it is left, when {@link close} is called or when the
 * connection ends; it throws when the request is refused, or when its reader is too slow (`subscription-overflow`).
 */
export class Subscription<R = JsonObject, I = JsonObject> implements AsyncIterableIterator<I>, Receiver {
  /** The answer to the request. Rejects like `request()`. */
  readonly result: Promise<R>;
  private readonly resultMt: string;
  private readonly leave: () => void;
  private readonly sendText: (mt: string, members: JsonObject) => void;
  private settleResult: { resolve: (message: R) => void; reject: (error: AppWebsocketError) => void } | undefined;
  private onAnswered: (() => void) | undefined;
  private readonly queue: { readonly message: JsonObject; readonly size: number }[] = [];
  private queuedSize = 0;
  private readonly waiting: { resolve: (r: IteratorResult<I>) => void; reject: (error: unknown) => void }[] = [];
  private hasEnded = false;
  /** True if the connection ended before the subscription did. */
  isCut = false;
  private failure: AppWebsocketError | undefined;

  /** @internal Made by `subscribe()`. */
  constructor(resultMt: string, leave: () => void, sendText: (mt: string, members: JsonObject) => void) {
    this.resultMt = resultMt;
    this.leave = leave;
    this.sendText = sendText;
    this.result = new Promise((resolve, reject) => (this.settleResult = { resolve, reject }));
    // Who iterates only learns of a refusal from the iteration.
    this.result.catch(() => undefined);
  }

  /** Sends a further message under the same `src`: `ReplicateNext`, `GetMore`. Throws `not-connected`. */
  send(mt: string, members: JsonObject = {}): void {
    if (this.hasEnded) throw new AppWebsocketError('not-connected');
    this.sendText(mt, members);
  }

  /** @internal */
  whenAnswered(callback: () => void): void {
    this.onAnswered = callback;
  }

  /** @internal */
  take(envelope: Envelope, size: number): boolean {
    const { message, mt } = envelope;
    const isResult = mt === this.resultMt || mt === 'Error';
    if (isResult || this.resultMt === '') this.onAnswered?.();
    if (!isResult) return this.push(message, size);
    const refusal = refusalOf(mt, message);
    if (refusal === undefined) this.settleResult?.resolve(message as R);
    else this.end(refusal);
    return refusal !== undefined;
  }

  /** @internal */
  end(error: AppWebsocketError): void {
    this.settleResult?.reject(error);
    this.isCut = error.code === 'connection-lost' || error.code === 'not-connected';
    const isQuiet = this.isCut || error.code === 'aborted';
    this.finish(isQuiet ? undefined : error);
  }

  /** Ends the subscription, at the peer too. What has arrived can still be read. */
  close(): void {
    this.leave();
    this.settleResult?.reject(new AppWebsocketError('aborted'));
    this.finish(undefined);
  }

  async next(): Promise<IteratorResult<I>> {
    const next = this.queue.shift();
    if (next !== undefined) {
      this.queuedSize -= next.size;
      return { done: false, value: next.message as I };
    }
    if (this.hasEnded) return this.last();
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<I>> {
    this.queue.length = 0;
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private push(message: JsonObject, size: number): boolean {
    const reader = this.waiting.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: message as I });
      return false;
    }
    this.queue.push({ message, size });
    this.queuedSize += size;
    if (this.queuedSize <= MAX_QUEUED_INDICATION_CHARACTERS) return false;
    this.leave();
    this.end(new AppWebsocketError('subscription-overflow'));
    return true;
  }

  private finish(failure: AppWebsocketError | undefined): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.failure = failure;
    for (const reader of this.waiting.splice(0)) this.last().then(reader.resolve, reader.reject);
  }

  /** A failure is thrown once; after it the iteration is simply over. */
  private last(): Promise<IteratorResult<I>> {
    const { failure } = this;
    this.failure = undefined;
    return failure === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
  }
}
