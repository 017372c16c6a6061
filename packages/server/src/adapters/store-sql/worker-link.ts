import { Worker } from 'node:worker_threads';
import { backoffMs, type Clock, type Deferred, deferred, reasonOf, type Timer } from '../../kit/index.ts';
import type { Link, LinkEvents } from './link.ts';
import type { StoreLog } from './log.ts';
import { errorOf, type Failure, type WorkerPart } from './wire.ts';

/** First pause before a worker that could not be opened is started again, and the longest. */
const RESTART = { firstMs: 100, maxMs: 5_000 };

/** Beside this file, in the sources and in what is built from them. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

type AnyReply = { readonly is: string } & (
  { readonly is: 'refused'; readonly failure: Failure } | { readonly is: string }
);

/** How asks and replies cross between the threads. */
export interface Crossing<Ask, Reply> {
  pack(ask: Ask): unknown;
  /** What `pack` of the other side has made. */
  unpack(message: unknown): Reply;
}

export interface WorkerLinkParts<Ask, Reply> extends LinkEvents<Reply> {
  readonly crossing: Crossing<Ask, Reply>;
  readonly part: () => WorkerPart;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/** One worker, and the next one when it dies. */
export class WorkerLink<Ask, Reply extends AnyReply> implements Link<Ask> {
  readonly #parts: WorkerLinkParts<Ask, Reply>;
  readonly #firstOpen: Deferred<undefined> = deferred();
  readonly #closed: Deferred<undefined> = deferred();
  #worker: Worker | null = null;
  #state: 'starting' | 'open' | 'down' | 'closing' | 'closed' = 'down';
  #timer: Timer | null = null;
  #attempt = 0;
  #isFirst = true;
  restarts = 0;

  constructor(parts: WorkerLinkParts<Ask, Reply>) {
    this.#parts = parts;
  }

  open(): Promise<undefined> {
    this.#start();
    return this.#firstOpen.promise;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isDown(): boolean {
    return this.#state === 'down';
  }

  post(ask: Ask): void {
    this.#worker?.postMessage(this.#parts.crossing.pack(ask));
  }

  async close(): Promise<void> {
    if (this.#state === 'open' || this.#state === 'starting') {
      // One that starts is never terminated: it hears this as soon as it is there.
      this.#state = 'closing';
      this.#worker?.postMessage({ do: 'close' });
    } else if (this.#state === 'down') {
      this.#timer?.cancel();
      this.#end();
    }
    await this.#closed.promise;
  }

  #start(): void {
    this.#state = 'starting';
    this.#timer = null;
    const worker = new Worker(WORKER, { workerData: this.#parts.part(), name: `store ${this.#parts.part().part}` });
    this.#worker = worker;
    let failure: Error | null = null;
    worker.on('message', (message: unknown) => {
      const reply = this.#parts.crossing.unpack(message);
      if (isRefused(reply)) failure = errorOf(reply.failure);
      else this.#onReply(reply);
    });
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(reasonOf(error));
    });
    worker.on('exit', () => this.#onExit(failure ?? new Error('the worker has ended')));
  }

  #onReply(reply: Reply): void {
    if (reply.is === 'open' && this.#state === 'starting') {
      this.#state = 'open';
      this.#isFirst = false;
      this.#attempt = 0;
    }
    this.#parts.onReply(reply);
    if (reply.is === 'open') this.#firstOpen.resolve(undefined);
  }

  #onExit(error: Error): void {
    const wasOpen = this.#state === 'open';
    this.#worker = null;
    if (this.#state === 'closing' || this.#isFirst) {
      this.#end();
      this.#firstOpen.reject(error);
      return;
    }
    this.#state = 'down';
    this.#parts.log.warn('a worker of the store has ended; another is started', { reason: error.message });
    this.#parts.onDown(error.message);
    this.restarts++;
    if (wasOpen) this.#start();
    else this.#timer = this.#parts.clock.after(backoffMs(this.#attempt++, RESTART), () => this.#start());
  }

  #end(): void {
    this.#state = 'closed';
    this.#closed.resolve(undefined);
  }
}

function isRefused(reply: AnyReply): reply is { readonly is: 'refused'; readonly failure: Failure } {
  return reply.is === 'refused';
}
