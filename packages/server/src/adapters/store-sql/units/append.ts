import { idempotencyConflict, type Message } from '../../../core/conversations/index.ts';
import { type ConversationId, type Position, type StreamId, userStream } from '../../../core/journal/index.ts';
import { flagOf, messageOf } from '../codec.ts';
import type { ConversationStandings, Standing } from '../conversations.ts';
import type { Tables } from '../schema.ts';
import { numberIn, type Streams } from '../streams.ts';
import { type AppendUnit, failureOf, type Outcome } from '../wire.ts';
import type { AppendStatements } from './append-statements.ts';
import { messageRow } from './message-row.ts';

type Append = AppendUnit['input'];

/** How long an idempotency key stands (design §6). */
export const IDEMPOTENCY_MS = 24 * 3_600_000;

/** Numbers that only the writer gives out. */
export interface Counters {
  head: Position;
  message: number;
  mail: number;
}

interface KnownKey {
  readonly hash: string;
  readonly message: Message;
}

/** What one run of appends knows and will write. */
interface Run {
  readonly now: number;
  readonly standings: ReadonlyMap<ConversationId, Standing>;
  readonly streams: ReadonlyMap<StreamId, number>;
  readonly known: Map<string, KnownKey>;
  readonly messages: Tables['messages'][];
  readonly mail: Tables['mail_log'][];
  readonly entries: Tables['entries'][];
  readonly keys: Tables['idempotency'][];
}

export interface AppenderParts {
  readonly statements: AppendStatements;
  readonly counters: Counters;
  readonly conversations: ConversationStandings;
  readonly streams: Streams;
}

/**
 * The hot unit. A run of appends is looked up together, decided in memory, and written table by table: a few statements
 * for any number of messages. An append whose check fails writes nothing, so no savepoint is needed.
 */
export class Appender {
  readonly #parts: AppenderParts;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** Applies `units` in order. Throws where the database refuses a row: then all of them are to be rolled back. */
  async apply(units: readonly AppendUnit[], now: number): Promise<Outcome[]> {
    const run: Run = {
      now,
      standings: await this.#parts.conversations.of(units.map(({ input }) => input.message.conversation)),
      streams: await this.#parts.streams.numbersOf(streamsIn(units)),
      known: await this.#loadKeys(units, now),
      messages: [],
      mail: [],
      entries: [],
      keys: [],
    };
    const outcomes = units.map(({ input }) => this.#decide(input, run));
    const { statements } = this.#parts;
    await statements.messages.insert(run.messages);
    await statements.entries.insert(run.entries);
    await statements.mail.insert(run.mail);
    await statements.keys.insert(run.keys);
    return outcomes;
  }

  #decide(input: Append, run: Run): Outcome {
    const { idem, message } = input;
    const known = idem === null ? undefined : run.known.get(keyOf(input, idem.key));
    if (known !== undefined && known.hash !== idem?.hash)
      return { is: 'failed', failure: failureOf(idempotencyConflict()) };
    if (known !== undefined) return { is: 'applied', output: { message: known.message, isRepeat: true }, entries: [] };
    const standing = run.standings.get(message.conversation);
    if (standing === undefined) throw new Error('a conversation without a standing');
    const { counters, conversations } = this.#parts;
    const num = ++counters.message;
    const seq = ++standing.seq;
    conversations.touched(message.conversation, standing);
    run.messages.push(messageRow(message, { num, conversation: standing.num, seq }));
    this.#keep(input, run, { num, conversation: standing.num, seq });
    const position = counters.head + 1;
    this.#tell(input, run, num);
    if (idem !== null) {
      const id = keyOf(input, idem.key);
      run.keys.push({ id, hash: idem.hash, message: num, at: run.now });
      run.known.set(id, { hash: idem.hash, message: { ...message, seq } });
    }
    return { is: 'appended', seq, position };
  }

  #keep(
    { keepFor, message }: Append,
    run: Run,
    { num, conversation, seq }: { readonly num: number; readonly conversation: number; readonly seq: number },
  ): void {
    const seen = keepFor.length > 1 ? new Set<string>() : null;
    for (const user of keepFor) {
      if (seen?.has(user) === true) continue;
      seen?.add(user);
      run.mail.push({
        num: ++this.#parts.counters.mail,
        user_num: numberIn(run.streams, userStream(user)),
        conversation,
        seq,
        at: message.at,
        message: num,
        is_own: flagOf(user === message.sender),
      });
    }
  }

  #tell({ tell }: Append, run: Run, message: number): void {
    for (const user of tell)
      run.entries.push({
        position: ++this.#parts.counters.head,
        stream: numberIn(run.streams, userStream(user)),
        kind: 'message',
        message,
        ref: null,
        data: null,
        at: run.now,
      });
  }

  async #loadKeys(units: readonly AppendUnit[], now: number): Promise<Map<string, KnownKey>> {
    const known = new Map<string, KnownKey>();
    const asked = new Set<string>();
    for (const { input } of units) if (input.idem !== null) asked.add(keyOf(input, input.idem.key));
    for (const row of await this.#parts.statements.findKeys.find([...asked]))
      if (row.used_at > now - IDEMPOTENCY_MS) known.set(row.key_id, { hash: row.hash, message: messageOf(row) });
    return known;
  }
}

function* streamsIn(units: readonly AppendUnit[]): Iterable<StreamId> {
  for (const { input } of units) {
    for (const user of input.tell) yield userStream(user);
    for (const user of input.keepFor) yield userStream(user);
  }
}

function keyOf(input: Append, key: string): string {
  return `${input.message.sender} conversations.append ${key}`;
}
