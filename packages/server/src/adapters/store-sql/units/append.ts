import { idempotencyConflict, type Message } from '../../../core/conversations/index.ts';
import {
  type ConversationId,
  invalidText,
  type Position,
  type StreamId,
  userStream,
} from '../../../core/journal/index.ts';
import { isStorable } from '../../../kit/index.ts';
import { flagOf, messageOf } from '../codec.ts';
import type { Standing, StreamNumbers } from '../ledger.ts';
import type { Tables } from '../schema.ts';
import { numberIn } from '../streams.ts';
import { type AppendUnit, failureOf, type Outcome } from '../wire.ts';
import type { KeyRow } from './append-statements.ts';
import { messageRow } from './message-row.ts';

type Append = AppendUnit['input'];

/** How long an idempotency key stands (design §6). */
export const IDEMPOTENCY_MS = 24 * 3_600_000;

/** Rows of appends on their way to the database, in the order of the messages. */
export interface AppendedRows {
  readonly messages: Tables['messages'][];
  readonly mail: Tables['mailbox'][];
  readonly entries: Omit<Tables['entries'], 'position'>[];
  readonly keys: Tables['idempotency'][];
}

interface KnownKey {
  readonly hash: string;
  readonly message: Message;
}

/** What one run of appends knows and will write. */
interface Run extends AppendedRows {
  readonly now: number;
  /** Position of the run's first entry. */
  readonly first: Position | null;
  readonly standings: ReadonlyMap<ConversationId, Standing>;
  readonly streams: ReadonlyMap<StreamId, number>;
  readonly known: Map<string, KnownKey>;
}

/** How the databases look up and write what an append needs. */
export interface AppendPorts {
  readonly streams: StreamNumbers;
  /** Where each conversation stands; what is counted on in them counts from then on. */
  standingsOf(ids: Iterable<ConversationId>): Promise<ReadonlyMap<ConversationId, Standing>>;
  /** A message was added to it. */
  touched(id: ConversationId, standing: Standing): void;
  findKeys(ids: readonly string[]): Promise<readonly KeyRow[]>;
  /** The number of the next message. */
  nextMessage(): number;
  /** The position of the next entry; null where entries get theirs later. */
  nextPosition(): Position | null;
  write(rows: AppendedRows): Promise<void>;
}

/**
 * The hot unit. A run of appends is looked up together, decided in memory, and written table by table: a few statements
 * for any number of messages. An append whose check fails writes nothing, so no savepoint is needed.
 */
export class Appender {
  readonly #ports: AppendPorts;

  constructor(ports: AppendPorts) {
    this.#ports = ports;
  }

  /** Applies `units` in order. Throws where the database refuses a row: then all of them are to be rolled back. */
  async apply(units: readonly AppendUnit[], now: number): Promise<Outcome[]> {
    const run: Run = {
      now,
      first: this.#ports.nextPosition(),
      standings: await this.#ports.standingsOf(units.map(({ input }) => input.message.conversation)),
      streams: await this.#ports.streams.numbersOf(streamsIn(units)),
      known: await this.#loadKeys(units, now),
      messages: [],
      mail: [],
      entries: [],
      keys: [],
    };
    const outcomes = units.map(({ input }) => this.#decide(input, run));
    await this.#ports.write(run);
    return outcomes;
  }

  #decide(input: Append, run: Run): Outcome {
    const { idem, message } = input;
    if (!isStorable(message.body)) return { is: 'failed', failure: failureOf(invalidText('body')) };
    if (idem !== null && !isStorable(idem.key)) return { is: 'failed', failure: failureOf(invalidText('key')) };
    const known = idem === null ? undefined : run.known.get(keyOf(input, idem.key));
    if (known !== undefined && known.hash !== idem?.hash)
      return { is: 'failed', failure: failureOf(idempotencyConflict()) };
    if (known !== undefined) return { is: 'applied', output: { message: known.message, isRepeat: true }, entries: [] };
    const standing = run.standings.get(message.conversation);
    if (standing === undefined) throw new Error('a conversation without a standing');
    const num = this.#ports.nextMessage();
    const seq = ++standing.seq;
    this.#ports.touched(message.conversation, standing);
    run.messages.push(messageRow(message, { num, conversation: standing.num, seq }));
    const position = run.first === null ? null : run.first + run.entries.length;
    const told = this.#tell(input, run, num);
    this.#keep(input, run, { num, conversation: standing.num, seq, told });
    if (idem !== null) {
      const id = keyOf(input, idem.key);
      run.keys.push({ id, hash: idem.hash, message: num, at: run.now });
      run.known.set(id, { hash: idem.hash, message: { ...message, seq } });
    }
    return { is: 'appended', seq, position };
  }

  #keep(
    { tell, keepFor, message }: Append,
    run: Run,
    at: { readonly num: number; readonly conversation: number; readonly seq: number; readonly told: readonly number[] },
  ): void {
    const { num, conversation, seq, told } = at;
    for (const [i, user] of keepFor.entries()) {
      if (keepFor.indexOf(user) < i) continue;
      run.mail.push({
        user_num: told[tell.indexOf(user)] ?? numberIn(run.streams, userStream(user)),
        conversation,
        seq,
        at: message.at,
        message: num,
        is_own: flagOf(user === message.sender),
      });
    }
  }

  /** @returns the numbers of their streams */
  #tell({ tell }: Append, run: Run, message: number): readonly number[] {
    const numbers = tell.map((user) => numberIn(run.streams, userStream(user)));
    for (const stream of numbers)
      run.entries.push({ stream, kind: 'message', message, ref: null, data: null, at: run.now });
    return numbers;
  }

  async #loadKeys(units: readonly AppendUnit[], now: number): Promise<Map<string, KnownKey>> {
    const known = new Map<string, KnownKey>();
    const asked = new Set<string>();
    for (const { input } of units)
      if (input.idem !== null && isStorable(input.idem.key)) asked.add(keyOf(input, input.idem.key));
    if (asked.size === 0) return known;
    for (const row of await this.#ports.findKeys([...asked]))
      if (row.used_at > now - IDEMPOTENCY_MS) known.set(row.key_id, { hash: row.hash, message: messageOf(row) });
    return known;
  }
}

/** Every stream that `units` write to. */
export function* streamsIn(units: readonly AppendUnit[]): Iterable<StreamId> {
  for (const { input } of units) {
    for (const user of input.tell) yield userStream(user);
    for (const user of input.keepFor) if (!input.tell.includes(user)) yield userStream(user);
  }
}

export function keyOf(input: Append, key: string): string {
  return `${input.message.sender} conversations.append ${key}`;
}
