import { MAX_QUEUED_INDICATION_CHARACTERS } from '../wire/bounds.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';

/** Takes what belongs to one `src`; returns true when that was the last. */
export interface Receiver {
  take(envelope: Envelope, size: number): boolean;
  end(error: AppWebsocketError): void;
}

/** What counts as "no error" in an answer (AW §2 rule 3; PBX 8: `SetPresence` answers 0). */
const isFalsy = (value: unknown): boolean =>
  value === undefined || value === null || value === false || value === 0 || value === '';

/** The peer said no, in whichever member it says so: `error`, `err`, `errorText`, or with `mt` `Error` (AW §2 rule 3; PBX 0.1). */
export function refusalOf(mt: string, message: JsonObject): AppWebsocketError | undefined {
  const { error, errorText, err, text } = message;
  const refusal = [error, err, errorText, mt === 'Error'].find((value) => !isFalsy(value));
  if (refusal === undefined) return undefined;
  const said = [errorText, error, err, text].map(textOf).find((value) => value !== '');
  return new AppWebsocketError('request-refused', { reason: said, cause: message });
}

/**
 * Indications of one request, in order. The iteration ends when it is left, when {@link close} is called or when the
 * connection ends; it throws when the request is refused, or when its reader is too slow (`subscription-overflow`).
 */
export class Subscription<R = JsonObject, I = JsonObject> implements AsyncIterableIterator<I> {
  /** The answer to the request. Rejects like `request()`. */
  readonly result: Promise<R>;
  /** @internal Why it ended, if not because this side had enough. */
  endedBy: AppWebsocketError | undefined;
  readonly #resultMt: string;
  readonly #leave: () => void;
  readonly #send: (mt: string, members: JsonObject) => void;
  #resolveResult: ((message: R) => void) | undefined;
  #rejectResult: ((error: AppWebsocketError) => void) | undefined;
  readonly #queue: { readonly message: JsonObject; readonly size: number }[] = [];
  #queuedSize = 0;
  readonly #readers: { resolve: (r: IteratorResult<I>) => void; reject: (error: unknown) => void }[] = [];
  #hasEnded = false;
  #failure: AppWebsocketError | undefined;

  /** @internal Made by `subscribe()`. */
  constructor(resultMt: string, leave: () => void, send: (mt: string, members: JsonObject) => void) {
    this.#resultMt = resultMt;
    this.#leave = leave;
    this.#send = send;
    this.result = new Promise((resolve, reject) => {
      this.#resolveResult = resolve;
      this.#rejectResult = reject;
    });
    // Who iterates only learns of a refusal from the iteration.
    this.result.catch(() => undefined);
  }

  /** Sends a further message under the same `src`: `ReplicateNext`, `GetMore`. Throws `not-connected`. */
  send(mt: string, members: JsonObject = {}): void {
    if (this.#hasEnded) throw new AppWebsocketError('not-connected');
    this.#send(mt, members);
  }

  /** @internal */
  take({ message, mt }: Envelope, size: number): boolean {
    if (mt !== this.#resultMt && mt !== 'Error') return this.#push(message, size);
    const refusal = refusalOf(mt, message);
    if (refusal === undefined) this.#resolveResult?.(message as R);
    else this.end(refusal);
    return refusal !== undefined;
  }

  /** @internal */
  end(error: AppWebsocketError): void {
    this.endedBy = error;
    const isQuiet = ['connection-lost', 'not-connected', 'aborted'].includes(error.code);
    this.#finish(error, isQuiet ? undefined : error);
  }

  /** Ends the subscription, at the peer too. What has arrived can still be read. */
  close(): void {
    this.#leave();
    this.#finish(new AppWebsocketError('aborted'));
  }

  /** The next indication; waits for one. `done` when the subscription has ended. */
  async next(): Promise<IteratorResult<I>> {
    const next = this.#queue.shift();
    if (next === undefined) {
      return this.#hasEnded ? this.#last() : new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    this.#queuedSize -= next.size;
    return { done: false, value: next.message as I };
  }

  /** Leaves: forgets what has not been read, and ends the subscription at the peer too. A loop does this by itself. */
  return(): Promise<IteratorResult<I>> {
    this.#queue.length = 0;
    this.close();
    this.#failure = undefined;
    return this.#last();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #push(message: JsonObject, size: number): boolean {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: message as I });
      return false;
    }
    this.#queue.push({ message, size });
    this.#queuedSize += size;
    if (this.#queuedSize <= MAX_QUEUED_INDICATION_CHARACTERS) return false;
    this.#leave();
    this.end(new AppWebsocketError('subscription-overflow'));
    return true;
  }

  #finish(error: AppWebsocketError, failure?: AppWebsocketError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#rejectResult?.(error);
    for (const reader of this.#readers.splice(0)) this.#last().then(reader.resolve, reader.reject);
  }

  /** A failure is thrown once; after it the iteration is simply over. */
  #last(): Promise<IteratorResult<I>> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
  }
}
