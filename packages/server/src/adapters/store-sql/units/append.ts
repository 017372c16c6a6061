import { idempotencyConflict, type Message } from '../../../core/conversations/index.ts';
import { type ConversationId, type Position, userStream } from '../../../core/journal/index.ts';
import { Lru } from '../../../kit/index.ts';
import { messageOf, searchTextOf } from '../codec.ts';
import type { Tables } from '../schema.ts';
import { type AppendUnit, failureOf, type Outcome } from '../wire.ts';
import type { AppendStatements } from './append-statements.ts';

type Append = AppendUnit['input'];

/** How long an idempotency key stands (design §6). */
export const IDEMPOTENCY_MS = 24 * 3_600_000;
/** Conversations whose last `seq` the writer remembers; the others are looked up. */
const MAX_CONVERSATIONS = 50_000;
/** Pairs (user, conversation) known to have their row; for the others it is written again, without effect. */
const MAX_MEMBERS = 100_000;

/** Numbers that only the writer gives out. */
export interface Counters {
  head: Position;
  mailbox: number;
}

interface KnownKey {
  readonly hash: string;
  readonly message: Message;
}

/** What one run of appends knows and will write. */
interface Run {
  readonly now: number;
  readonly seqs: Map<ConversationId, number>;
  readonly known: Map<string, KnownKey>;
  readonly messages: Tables['messages'][];
  readonly mailbox: Tables['mailbox'][];
  readonly entries: Tables['entries'][];
  readonly members: Tables['members'][];
  readonly keys: Tables['idempotency'][];
}

/**
 * The hot unit. A run of appends is looked up together, decided in memory, and written table by table: a few statements
 * for any number of messages. An append whose check fails writes nothing, so no savepoint is needed.
 */
export class Appender {
  readonly #statements: AppendStatements;
  readonly #counters: Counters;
  readonly #seqs = new Lru<ConversationId, number>(MAX_CONVERSATIONS);
  readonly #members = new Lru<string, true>(MAX_MEMBERS);

  constructor(statements: AppendStatements, counters: Counters) {
    this.#statements = statements;
    this.#counters = counters;
  }

  /** Forgets what it remembers of the database: after a rollback. */
  reset(): void {
    this.#seqs.clear();
    this.#members.clear();
  }

  /** Applies `units` in order. Throws where the database refuses a row: then all of them are to be rolled back. */
  async apply(units: readonly AppendUnit[], now: number): Promise<Outcome[]> {
    const run: Run = {
      now,
      seqs: await this.#loadSeqs(units),
      known: await this.#loadKeys(units, now),
      messages: [],
      mailbox: [],
      entries: [],
      members: [],
      keys: [],
    };
    const outcomes = units.map(({ input }) => this.#decide(input, run));
    await this.#write(run);
    for (const [id, seq] of run.seqs) this.#seqs.set(id, seq);
    return outcomes;
  }

  async #write(run: Run): Promise<void> {
    const { messages, mailbox, entries, members, keys, conversations } = this.#statements;
    await messages.insert(run.messages);
    await mailbox.insert(run.mailbox);
    await entries.insert(run.entries);
    await members.insert(run.members);
    await keys.insert(run.keys);
    const touched = new Set(run.messages.map((message) => message.conversation));
    await conversations.insert([...touched].map((id) => ({ id, last_seq: run.seqs.get(id) ?? 0 })));
  }

  #decide(input: Append, run: Run): Outcome {
    const { idem, message } = input;
    if (idem !== null) {
      const known = run.known.get(keyOf(input, idem.key));
      if (known !== undefined && known.hash !== idem.hash)
        return { is: 'failed', failure: failureOf(idempotencyConflict()) };
      if (known !== undefined)
        return { is: 'applied', output: { message: known.message, isRepeat: true }, entries: [] };
    }
    const seq = (run.seqs.get(message.conversation) ?? 0) + 1;
    run.seqs.set(message.conversation, seq);
    run.messages.push(messageRow(message, seq));
    for (const user of input.keepFor) this.#keep(run, message, { user, seq });
    const position = this.#counters.head + 1;
    for (const user of input.tell) this.#tell(run, { stream: userStream(user), ref: message.id });
    if (idem !== null) {
      const id = keyOf(input, idem.key);
      run.keys.push({ id, hash: idem.hash, message: message.id, at: run.now });
      run.known.set(id, { hash: idem.hash, message: { ...message, seq } });
    }
    return { is: 'appended', seq, position };
  }

  #keep(run: Run, message: Append['message'], { user, seq }: { user: Message['sender']; seq: number }): void {
    const { id, conversation, at, sender, recipient } = message;
    const isOwn = user === sender;
    const is_read = isOwn ? 1 : 0;
    run.mailbox.push({ id: ++this.#counters.mailbox, user_id: user, message: id, conversation, at, seq, is_read });
    const member = `${user} ${conversation}`;
    if (this.#members.get(member) !== undefined) return;
    this.#members.set(member, true);
    run.members.push({ user_id: user, conversation, peer: isOwn ? recipient : sender });
  }

  #tell(run: Run, { stream, ref }: Pick<Tables['entries'], 'stream' | 'ref'>): void {
    run.entries.push({ position: ++this.#counters.head, stream, kind: 'message', ref, data: null, at: run.now });
  }

  async #loadSeqs(units: readonly AppendUnit[]): Promise<Map<ConversationId, number>> {
    const seqs = new Map<ConversationId, number>();
    const missing = new Set<ConversationId>();
    for (const { input } of units) {
      const { conversation } = input.message;
      if (seqs.has(conversation) || missing.has(conversation)) continue;
      const seq = this.#seqs.get(conversation);
      if (seq === undefined) missing.add(conversation);
      else seqs.set(conversation, seq);
    }
    for (const row of await this.#statements.findConversations.find([...missing])) seqs.set(row.id, row.last_seq);
    return seqs;
  }

  async #loadKeys(units: readonly AppendUnit[], now: number): Promise<Map<string, KnownKey>> {
    const known = new Map<string, KnownKey>();
    const asked = new Set<string>();
    for (const { input } of units) if (input.idem !== null) asked.add(keyOf(input, input.idem.key));
    for (const row of await this.#statements.findKeys.find([...asked]))
      if (row.used_at > now - IDEMPOTENCY_MS) known.set(row.key_id, { hash: row.hash, message: messageOf(row) });
    return known;
  }
}

function keyOf(input: Append, key: string): string {
  return `${input.message.sender} conversations.append ${key}`;
}

function messageRow(message: Append['message'], seq: number): Tables['messages'] {
  const { id, conversation, sender, resource, recipient, at, type, body, attach, data } = message;
  return {
    id,
    conversation,
    seq,
    sender,
    resource,
    recipient,
    at,
    type,
    body,
    search_text: searchTextOf(message),
    attach: attach.length === 0 ? null : JSON.stringify(attach),
    data: data === null ? null : JSON.stringify(data),
  };
}
