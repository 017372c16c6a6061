import { reasonOf } from '../../../kit/index.ts';
import type { PostgresConnection } from '../dialect/postgres.ts';
import type { Link, LinkEvents } from '../link.ts';
import type { Unit, WriterAsk, WriterReply } from '../wire.ts';
import { Writer } from '../writer.ts';
import { PostgresLedger } from './ledger.ts';
import { Session, type SessionPlace } from './session.ts';

export interface WriterLinkParts extends LinkEvents<WriterReply>, SessionPlace {
  /** Entries were committed that have no position yet. */
  readonly onTold: () => void;
}

interface Writing {
  readonly connection: PostgresConnection;
  readonly ledger: PostgresLedger;
  readonly writer: Writer;
}

/** Groups of units go over one connection, one group at a time. */
export class PostgresWriterLink implements Link<WriterAsk> {
  readonly #parts: WriterLinkParts;
  readonly #session: Session;
  #writing: Writing | null = null;
  #underWay: Promise<void> = Promise.resolve();

  constructor(parts: WriterLinkParts) {
    this.#parts = parts;
    this.#session = new Session({
      ...parts,
      role: 'writer',
      onUp: (connection) => this.#onUp(connection),
      onOpen: () => parts.onReply({ is: 'open', epoch: '', head: 0, oldest: 1 }),
    });
  }

  open(): Promise<undefined> {
    return this.#session.open();
  }

  get isOpen(): boolean {
    return this.#session.state === 'open';
  }

  get isDown(): boolean {
    return this.#session.state === 'down';
  }

  get restarts(): number {
    return this.#session.restarts;
  }

  post(ask: WriterAsk): void {
    if (ask.do !== 'units') throw new Error(`the writer is not asked to ${ask.do}`);
    if (this.#writing !== null) this.#underWay = this.#commit(this.#writing, ask.units, ask.now);
  }

  async close(): Promise<void> {
    await this.#underWay;
    await this.#session.close();
  }

  #onUp(connection: PostgresConnection): void {
    const ledger = new PostgresLedger(connection);
    this.#writing = { connection, ledger, writer: new Writer(connection, ledger) };
  }

  async #commit({ connection, ledger, writer }: Writing, units: readonly Unit[], now: number): Promise<void> {
    try {
      const outcomes = await writer.commit(units, now);
      if (ledger.hasTold) this.#parts.onTold();
      // Who asked was told that it is unknown, where the connection was lost meanwhile.
      if (this.#session.connection === connection) this.#parts.onReply({ is: 'committed', outcomes });
    } catch (error) {
      this.#session.drop(connection, reasonOf(error));
    }
  }
}
