import { SipError } from '../transactions/errors.ts';

export type Listener<E> = (event: E) => void;

/** One event of a stream: its name and what came with it. */
export type Named<M> = { readonly [K in keyof M]: { readonly type: K; readonly event: M[K] } }[keyof M];

/**
 * Events that wait for a slow reader of `stream`: a reader that does not read must not hold everything.
 * @peer the stream fails
 * @test emitter: a reader that does not read
 */
export const MAX_WAITING_EVENTS = 1_000;

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Typed listeners, and the same events as a promise or as an async iterable. */
export class Emitter<M extends object> {
  readonly #listeners = new Map<keyof M, Listener<never>[]>();
  #all: Listener<Named<M>>[] | undefined;
  #closers: (() => void)[] | undefined;
  #isOver = false;

  /** Calls `listener` for each event of that name. Returns its removal. */
  on<K extends keyof M>(name: K, listener: Listener<M[K]>): () => void {
    const list = this.#listeners.get(name);
    if (list) list.push(listener);
    else this.#listeners.set(name, [listener]);
    return () => {
      const now = this.#listeners.get(name);
      const at = now?.indexOf(listener) ?? -1;
      if (at >= 0) now?.splice(at, 1);
    };
  }

  /** The next event of that name; rejects with `closed` when no more can come. */
  next<K extends keyof M>(name: K, options: WaitOptions = {}): Promise<M[K]> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const stop = (): void => {
        off();
        offClose();
        signal?.removeEventListener('abort', aborted);
      };
      const aborted = (): void => {
        stop();
        reject(reasonOf(signal));
      };
      const off = this.on(name, (event) => {
        stop();
        resolve(event);
      });
      const offClose = this.#onClose(() => {
        stop();
        reject(new SipError('closed', `no ${String(name)} will come`));
      });
      if (signal?.aborted === true) aborted();
      else signal?.addEventListener('abort', aborted);
    });
  }

  /** All events in order, until the last one. */
  async *stream(options: WaitOptions = {}): AsyncGenerator<Named<M>, void> {
    const waiting: Named<M>[] = [];
    let wake: (() => void) | undefined;
    let isOver = this.#isOver;
    let error: Error | undefined;
    const listener = (named: Named<M>): void => {
      if (waiting.length >= MAX_WAITING_EVENTS) error ??= new SipError('closed', 'the reader of events is too slow');
      else waiting.push(named);
      wake?.();
    };
    const stop = (): void => {
      isOver = true;
      wake?.();
    };
    (this.#all ??= []).push(listener);
    const offClose = this.#onClose(stop);
    options.signal?.addEventListener('abort', stop);
    try {
      for (;;) {
        const named = waiting.shift();
        if (named !== undefined) yield named;
        else if (error !== undefined) throw error;
        else if (isOver || options.signal?.aborted === true) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      offClose();
      options.signal?.removeEventListener('abort', stop);
      this.#all = this.#all.filter((l) => l !== listener);
    }
  }

  /** Whether anybody hears events of that name. */
  hears(name: keyof M): boolean {
    return (this.#listeners.get(name)?.length ?? 0) > 0 || (this.#all?.length ?? 0) > 0;
  }

  /** For the owner: tells everybody. Returns whether anybody heard it. */
  protected emit<K extends keyof M>(name: K, event: M[K]): boolean {
    const list = this.#listeners.get(name) as Listener<M[K]>[] | undefined;
    const heard = list !== undefined && list.length > 0;
    if (list?.length === 1) list[0]?.(event);
    else if (heard) for (const listener of [...list]) listener(event);
    if (this.#all === undefined || this.#all.length === 0) return heard;
    for (const listener of [...this.#all]) listener({ type: name, event });
    return true;
  }

  /** For the owner: nothing follows. */
  protected finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const close of this.#closers ?? []) close();
    this.#closers = undefined;
    this.#listeners.clear();
  }

  #onClose(listener: () => void): () => void {
    if (this.#isOver) {
      queueMicrotask(listener);
      return () => undefined;
    }
    (this.#closers ??= []).push(listener);
    return () => {
      const at = this.#closers?.indexOf(listener) ?? -1;
      if (at >= 0) this.#closers?.splice(at, 1);
    };
  }
}

export function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new SipError('closed', 'aborted');
}
