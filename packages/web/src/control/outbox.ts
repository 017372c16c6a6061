import { RequestError } from '../api/client.ts';
import type { Timers } from './timers.ts';

export interface Letter {
  readonly peer: string;
  /** Makes repeats harmless. */
  readonly key: string;
  readonly text: string;
}

export interface OutboxParts {
  readonly timers: Timers;
  /** @returns the message's id. @throws RequestError */
  readonly send: (letter: Letter) => Promise<string>;
  readonly accepted: (letter: Letter, id: string) => void;
  readonly failed: (letter: Letter, error: RequestError) => void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/**
 * Sends messages, those of one conversation one after the other, so that they arrive in their order. What fails for a passing
 * reason is sent again, with the same key, until it is accepted, refused or the page is closed.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #queues = new Map<string, Letter[]>();
  readonly #waits = new Set<() => void>();
  #isOpen = true;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  add(letter: Letter): void {
    const queue = this.#queues.get(letter.peer);
    if (queue !== undefined) return void queue.push(letter);
    const fresh = [letter];
    this.#queues.set(letter.peer, fresh);
    void this.#work(letter.peer, fresh);
  }

  /** The server is reachable again: what waits is tried now. */
  wake(): void {
    for (const go of [...this.#waits]) go();
  }

  close(): void {
    this.#isOpen = false;
    this.wake();
  }

  async #work(peer: string, queue: Letter[]): Promise<void> {
    for (let letter = queue[0]; letter !== undefined && this.#isOpen; letter = queue[0]) {
      await this.#deliver(letter);
      queue.shift();
    }
    this.#queues.delete(peer);
  }

  async #deliver(letter: Letter): Promise<void> {
    for (let wait = FIRST_WAIT_MS; this.#isOpen; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        const id = await this.#parts.send(letter);
        if (this.#isOpen) this.#parts.accepted(letter, id);
        return;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (!error.isPassing) return this.#parts.failed(letter, error);
        await this.#pause(error.retryAfterMs ?? wait);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.#waits.delete(go);
        resolve();
      };
      const cancel = this.#parts.timers.after(ms, go);
      this.#waits.add(go);
    });
  }
}
