import { reasonOf } from '../../../kit/index.ts';
import type { PostgresConnection } from '../dialect/postgres.ts';
import type { Link, LinkEvents } from '../link.ts';
import { storeUnavailable } from '../problems.ts';
import { Reader } from '../reader.ts';
import { failureOf, type ReaderAsk, type ReaderReply } from '../wire.ts';
import { Session, type SessionPlace } from './session.ts';

/**
 * Connections for questions: enough that one slow search holds nobody up, few enough for a database with many nodes.
 * @peer a question waits for one that is free
 * @test store-units: so are questions
 */
const MAX_READERS = 4;
/**
 * A question that was under way when its connection was lost is asked once more, elsewhere; then it may be its own fault.
 * @peer `store-unavailable`
 * @test store-postgres-nodes: a question whose connection is lost
 */
const MAX_ASKED = 2;

interface Question {
  readonly ask: Extract<ReaderAsk, { do: 'ask' }>;
  asked: number;
}

interface Seat {
  readonly session: Session;
  reader: Reader | null;
  isBusy: boolean;
}

/** Questions go to whichever connection is free. It is open while one connection is. */
export class PostgresReaderLink implements Link<ReaderAsk> {
  readonly #events: LinkEvents<ReaderReply>;
  readonly #seats: readonly Seat[];
  #waiting: Question[] = [];

  constructor(parts: LinkEvents<ReaderReply> & SessionPlace) {
    this.#events = parts;
    this.#seats = Array.from({ length: MAX_READERS }, () => {
      const seat: Seat = {
        reader: null,
        isBusy: false,
        session: new Session({
          ...parts,
          role: 'reader',
          onUp: (connection) => void (seat.reader = new Reader(connection)),
          onOpen: () => this.#onOpen(),
          onDown: (reason) => this.#onDown(seat, reason),
        }),
      };
      return seat;
    });
  }

  async open(): Promise<undefined> {
    await Promise.all(this.#seats.map(({ session }) => session.open()));
  }

  get isOpen(): boolean {
    return this.#seats.some(({ session }) => session.state === 'open');
  }

  get isDown(): boolean {
    return this.#seats.every(({ session }) => session.state === 'down');
  }

  get restarts(): number {
    return this.#seats.reduce((sum, { session }) => sum + session.restarts, 0);
  }

  post(ask: ReaderAsk): void {
    if (ask.do !== 'ask') throw new Error(`the reader is not asked to ${ask.do}`);
    this.#waiting.push({ ask, asked: 0 });
    this.#next();
  }

  async close(): Promise<void> {
    await Promise.all(this.#seats.map(({ session }) => session.close()));
  }

  #onOpen(): void {
    // The first of them lets the desk hand over what has gathered.
    if (this.#seats.filter(({ session }) => session.state === 'open').length === 1)
      this.#events.onReply({ is: 'open' });
    this.#next();
  }

  #onDown(seat: Seat, reason: string): void {
    seat.reader = null;
    if (this.isOpen) return;
    this.#waiting = [];
    this.#events.onDown(reason);
  }

  #next(): void {
    for (const seat of this.#seats) {
      const { connection } = seat.session;
      if (seat.isBusy || connection === null || seat.reader === null) continue;
      const question = this.#waiting.shift();
      if (question === undefined) return;
      void this.#answer(question, { seat, connection, reader: seat.reader });
    }
  }

  async #answer(
    question: Question,
    at: { readonly seat: Seat; readonly connection: PostgresConnection; readonly reader: Reader },
  ): Promise<void> {
    const { seat, connection, reader } = at;
    const { id, question: asked } = question.ask;
    seat.isBusy = true;
    question.asked++;
    try {
      const output = await reader.answer(asked);
      this.#events.onReply({ is: 'answer', id, output });
    } catch (error) {
      this.#failed(question, connection, error);
      if (connection.faultOf(error) === 'broken') seat.session.drop(connection, reasonOf(error));
    }
    seat.isBusy = false;
    this.#next();
  }

  #failed(question: Question, connection: PostgresConnection, error: unknown): void {
    const { id } = question.ask;
    const fault = connection.faultOf(error);
    if (fault === 'broken' && question.asked < MAX_ASKED && this.isOpen) this.#waiting.unshift(question);
    else {
      const failure = fault === 'foreign' ? error : storeUnavailable(reasonOf(error));
      this.#events.onReply({ is: 'failed', id, failure: failureOf(failure) });
    }
  }
}
