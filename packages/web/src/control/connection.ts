import { RequestError, type Client, type EventName } from '../api/client.ts';
import type { Link } from '../state/model.ts';
import type { Timers } from './timers.ts';

export interface ConnectionParts {
  readonly client: Client;
  readonly timers: Timers;
  /** The event to go on after. */
  readonly since: () => string;
  readonly changed: (link: Link) => void;
  readonly event: (name: EventName, data: unknown, id: string) => void;
  /** The session is no longer known: sign in again. */
  readonly ended: () => void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/** Keeps the event stream open. The browser comes back by itself after most losses; where it gives up, this does. */
export class Connection {
  readonly #parts: ConnectionParts;
  #close: () => void = () => undefined;
  #cancelRetry: (() => void) | null = null;
  #waitMs = FIRST_WAIT_MS;
  #isOpen = true;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#open();
  }

  /** Something says that the network is back: a pending attempt is made now. */
  hurry(): void {
    if (this.#cancelRetry === null) return;
    this.#cancelRetry();
    this.#retry();
  }

  close(): void {
    this.#isOpen = false;
    this.#cancelRetry?.();
    this.#close();
  }

  #open(): void {
    this.#close = this.#parts.client.events(this.#parts.since(), {
      opened: () => {
        this.#waitMs = FIRST_WAIT_MS;
        this.#parts.changed('open');
      },
      lost: (isFinal) => {
        if (!this.#isOpen) return;
        this.#parts.changed('lost');
        if (isFinal) this.#later();
      },
      event: this.#parts.event,
    });
  }

  #later(): void {
    this.#close();
    this.#cancelRetry?.();
    this.#cancelRetry = this.#parts.timers.after(this.#waitMs, () => this.#retry());
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
  }

  #retry(): void {
    this.#cancelRetry = null;
    void this.#probe().then((answer) => {
      if (!this.#isOpen) return;
      if (answer === 'ended') this.#parts.ended();
      else if (answer === 'there') this.#open();
      else this.#later();
    });
  }

  /** An event stream doesn't tell why it was refused; a request does. */
  async #probe(): Promise<'there' | 'away' | 'ended'> {
    try {
      await this.#parts.client.presence(this.#parts.client.me);
      return 'there';
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return error.status === 401 || error.status === 404 ? 'ended' : 'away';
    }
  }
}
