import { sql } from 'kysely';
import type { Position } from '../../core/journal/index.ts';
import type { ConversationStandings } from './conversations.ts';
import type { Connection } from './dialect/connection.ts';
import type { SettledTable } from './schema.ts';

/**
 * Entries that are written down before they are sorted into their streams and mailboxes.
 *
 * A message belongs into several places that lie far apart on the disk: the stream and the mailbox of each party. Sorted in one
 * by one, each would cost its own pages in each commit, which was measured at five times the rest. So a commit only appends:
 * `messages`, `entries`, `mail_log`. When this many rows have gathered they are sorted in together (some ten milliseconds, after the
 * askers were told). Readers take what is sorted and add the few that are not.
 */
export const SETTLE_AFTER = 8_192;

export async function settledOf({ db }: Connection): Promise<Omit<SettledTable, 'id'>> {
  const row = await db.selectFrom('settled').select(['position', 'message']).executeTakeFirst();
  if (row === undefined) throw new Error('the mark of what is settled is missing');
  return row;
}

/** Up to where everything is written: the last position, message and row of `mail_log`. */
export interface Heads {
  readonly head: Position;
  readonly message: number;
  readonly mail: number;
}

/** Streams and mailboxes are sorted in at different times: what comes meanwhile waits for one of them only. */
type Part = 'streams' | 'mail';

export class Settler {
  readonly #connection: Connection;
  readonly #conversations: ConversationStandings;
  readonly #after: number;
  #settled: Omit<SettledTable, 'id'> = { position: 0, message: 0 };
  #mail = 0;

  constructor(connection: Connection, conversations: ConversationStandings, after: number) {
    this.#connection = connection;
    this.#conversations = conversations;
    this.#after = after;
  }

  async load(): Promise<void> {
    const { db } = this.#connection;
    this.#settled = await settledOf(this.#connection);
    const first = await db.selectFrom('mail_log').select('num').orderBy('num').limit(1).executeTakeFirst();
    this.#mail = first === undefined ? 0 : first.num - 1;
  }

  /** Sorts one part in where enough of it has gathered. */
  async settleDue(heads: Heads): Promise<void> {
    if (heads.head - this.#settled.position >= this.#after) await this.#settle('streams', heads);
    else if (heads.mail - this.#mail >= this.#after || heads.message - this.#settled.message >= this.#after)
      await this.#settle('mail', heads);
  }

  async settleAll(heads: Heads): Promise<void> {
    if (heads.head > this.#settled.position) await this.#settle('streams', heads);
    if (heads.message > this.#settled.message) await this.#settle('mail', heads);
  }

  async #settle(part: Part, { head, message, mail }: Heads): Promise<void> {
    await this.#connection.begin();
    try {
      if (part === 'streams') await this.#sortStreamsIn(head);
      else await this.#sortMailIn(message);
      await this.#connection.commit();
    } catch (error) {
      await this.#connection.rollback();
      throw error;
    }
    if (part === 'streams') this.#settled = { ...this.#settled, position: head };
    else {
      this.#settled = { ...this.#settled, message };
      this.#mail = mail;
      this.#conversations.saved();
    }
  }

  async #sortStreamsIn(head: Position): Promise<void> {
    const { db } = this.#connection;
    await db
      .insertInto('stream_index')
      .columns(['stream', 'position'])
      .expression((e) =>
        e
          .selectFrom('entries')
          .select(['stream', 'position'])
          .where('position', '>', this.#settled.position)
          .orderBy('stream')
          .orderBy('position'),
      )
      .execute();
    await db.updateTable('settled').set({ position: head }).execute();
  }

  async #sortMailIn(message: number): Promise<void> {
    const { db } = this.#connection;
    const columns = ['user_num', 'conversation', 'seq', 'at', 'message', 'is_own'] as const;
    await db
      .insertInto('mailbox')
      .columns(columns)
      .expression((e) =>
        e.selectFrom('mail_log').select(columns).orderBy('user_num').orderBy('conversation').orderBy('seq'),
      )
      .execute();
    await db
      .insertInto('members')
      .columns(['user_num', 'conversation', 'last_at'])
      .expression((e) =>
        e
          .selectFrom('mail_log')
          .select(({ fn }) => ['user_num', 'conversation', fn.max('at').as('last_at')])
          // SQLite can't tell `on conflict` from a join without it.
          .where(sql.lit(true))
          .groupBy(['user_num', 'conversation']),
      )
      .onConflict((on) =>
        on.columns(['user_num', 'conversation']).doUpdateSet((row) => ({ last_at: row.ref('excluded.last_at') })),
      )
      .execute();
    await db.deleteFrom('mail_log').execute();
    await this.#conversations.save();
    await db.updateTable('settled').set({ message }).execute();
  }
}
