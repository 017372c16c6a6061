import { backoffMs, type Clock, type Deferred, deferred, every, reasonOf, type Timer } from '../../../kit/index.ts';
import { PostgresConnection, type Role } from '../dialect/postgres.ts';

/** First pause before a connection that could not be made is tried again, and the longest; both ± 20 %. */
const RECONNECT = { firstMs: 100, maxMs: 3_000 };

/** How often a connection is asked for a sign of life, so that one that hangs is noticed before somebody needs it. */
const HEARTBEAT_MS = 5_000;

/** Which database it is. */
export interface SessionPlace {
  readonly url: string;
  readonly clock: Clock;
  /** Looks a fresh connection over. What it throws counts as a failed attempt. */
  readonly check: (connection: PostgresConnection) => Promise<void>;
}

export interface SessionParts extends SessionPlace {
  readonly role: Role;
  /** Makes a fresh connection ready. What it throws counts as a failed attempt. */
  readonly onUp: (connection: PostgresConnection) => Promise<void> | void;
  /** It is ready, and `open`. */
  readonly onOpen?: () => void;
  /** The connection is gone, or could not be made. */
  readonly onDown: (reason: string) => void;
}

/** A connection, and the next one when it is lost. */
export class Session {
  readonly #parts: SessionParts;
  readonly #firstOpen: Deferred<undefined> = deferred();
  #state: 'starting' | 'open' | 'down' | 'closed' = 'down';
  #connection: PostgresConnection | null = null;
  /** Of the next attempt, or of the heartbeat. */
  #timer: Timer | null = null;
  #attempt = 0;
  #isFirst = true;
  #starting: Promise<void> = Promise.resolve();
  /** How often it had to be made again. */
  restarts = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Resolves when the first connection is ready, rejects with what it failed for. */
  open(): Promise<undefined> {
    this.#start();
    return this.#firstOpen.promise;
  }

  get state(): 'starting' | 'open' | 'down' | 'closed' {
    return this.#state;
  }

  /** While `open`. */
  get connection(): PostgresConnection | null {
    return this.#state === 'open' ? this.#connection : null;
  }

  /** Gives the connection up: something is wrong with it. */
  drop(connection: PostgresConnection, reason: string): void {
    if (connection === this.#connection) connection.drop(reason);
  }

  /** Ends it. What is under way on it is lost. Idempotent. */
  async close(): Promise<void> {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#timer?.cancel();
    if (wasOpen) await this.#connection?.close();
    // An attempt that is under way notices, and ends its connection itself.
    await this.#starting;
  }

  #start(): void {
    this.#state = 'starting';
    this.#timer = null;
    this.#starting = this.#connect();
  }

  async #connect(): Promise<void> {
    const { url, role, check, onUp } = this.#parts;
    let made: PostgresConnection | null = null;
    try {
      made = await PostgresConnection.open({ url, role, onLost: (reason) => this.#onLost(reason) });
      this.#connection = made;
      await check(made);
      await onUp(made);
    } catch (error) {
      await made?.close();
      this.#failed(error);
      return;
    }
    if (this.#isClosed) await made.close();
    else if (made.isOpen) this.#opened();
    else this.#failed(new Error('the connection was lost at once'));
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #opened(): void {
    this.#state = 'open';
    this.#isFirst = false;
    this.#attempt = 0;
    this.#timer = every(this.#parts.clock, HEARTBEAT_MS, () => this.#beat());
    this.#parts.onOpen?.();
    this.#firstOpen.resolve(undefined);
  }

  #failed(error: unknown): void {
    this.#connection = null;
    if (this.#isClosed) return this.#firstOpen.reject(error);
    this.#state = 'down';
    if (this.#isFirst) return this.#firstOpen.reject(error);
    this.restarts++;
    this.#timer = this.#parts.clock.after(backoffMs(this.#attempt++, RECONNECT), () => this.#start());
    this.#parts.onDown(reasonOf(error));
  }

  #beat(): void {
    // What it fails for ends the connection, and is told as that.
    this.connection?.query('select 1').catch(() => undefined);
  }

  /** While it starts, whoever makes it ready notices. */
  #onLost(reason: string): void {
    if (this.#state !== 'open') return;
    this.#timer?.cancel();
    this.#connection = null;
    this.restarts++;
    this.#start();
    this.#parts.onDown(reason);
  }
}
