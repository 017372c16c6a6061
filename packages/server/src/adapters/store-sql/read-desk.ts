import type { Link, LinkEvents } from './link.ts';
import { storeUnavailable } from './problems.ts';
import { answerOf, errorOf, type ReaderAsk, type ReaderQuestion, type ReaderReply } from './wire.ts';

/**
 * Questions that wait for their answer.
 * @peer `store-unavailable`, at once
 * @test store-units: so are questions
 */
const MAX_WAITING_QUESTIONS = 10_000;

interface Pending {
  readonly question: ReaderQuestion;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The asker's side of the reader. What waits when a reader dies is asked of the next one: questions have no effects. */
export class ReadDesk {
  readonly #link: Link<ReaderAsk>;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isClosing = false;
  #idle: (() => void) | null = null;
  answered = 0;

  constructor(link: (events: LinkEvents<ReaderReply>) => Link<ReaderAsk>) {
    this.#link = link({
      onReply: (reply) => this.#onReply(reply),
      onDown: (reason) => this.#onDown(reason),
    });
  }

  open(): Promise<undefined> {
    return this.#link.open();
  }

  get depth(): number {
    return this.#pending.size;
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  get restarts(): number {
    return this.#link.restarts;
  }

  ask<T>(question: ReaderQuestion): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosing) return reject(storeUnavailable('it is closed'));
      if (this.#link.isDown) return reject(storeUnavailable('it is away'));
      if (this.#pending.size >= MAX_WAITING_QUESTIONS) return reject(storeUnavailable('too many questions wait'));
      const id = ++this.#lastId;
      if (this.#link.isOpen) this.#link.post({ do: 'ask', id, question });
      this.#pending.set(id, { question, reject, resolve: (output) => resolve(answerOf<T>(output)) });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#link.isDown) this.#onDown('it is closed');
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#link.close();
  }

  #onReply(reply: ReaderReply): void {
    switch (reply.is) {
      case 'open':
        for (const [id, { question }] of this.#pending) this.#link.post({ do: 'ask', id, question });
        return;
      case 'answer':
        this.#take(reply.id)?.resolve(reply.output);
        break;
      case 'failed':
        this.#take(reply.id)?.reject(errorOf(reply.failure));
        break;
      case 'closed':
      case 'refused':
        return;
    }
    this.answered++;
    if (this.#pending.size === 0) this.#idle?.();
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onDown(reason: string): void {
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of lost) reject(storeUnavailable(reason));
    this.#idle?.();
  }
}
