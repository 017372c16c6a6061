import type { Batch, DurableEvent, Units } from '../../core/index.ts';
import { type Position, userStream } from '../../core/journal/index.ts';
import { BoundedQueue, type Clock } from '../../kit/index.ts';
import type { Link, LinkEvents } from './link.ts';
import type { StoreLog } from './log.ts';
import { storeUnavailable } from './problems.ts';
import {
  answerOf,
  errorOf,
  type Outcome,
  type Unit,
  unitOf,
  type WriterAsk,
  type WriterReply,
  type WrittenEntry,
} from './wire.ts';

/**
 * Units that wait for their commit: half a second's work of the writer. Askers shall slow down.
 * @peer `store-unavailable`, at once
 * @test store-units: what waits is bounded
 */
const MAX_WAITING_UNITS = 10_000;
/**
 * Characters of the messages that wait so, texts, attached URLs and data: some two thousand of the largest. Their number alone would allow some 460 MB.
 * @peer `store-unavailable`, at once
 * @test write-desk: large messages that wait
 */
export const MAX_WAITING_CHARACTERS = 96 * 1024 * 1024;
/**
 * Units of one commit: enough that the disk's part of each is small, few enough that nobody waits long for his neighbours.
 * @peer nothing to notice
 * @test store-units: what waits is bounded
 */
const MAX_GROUP = 2_000;

interface Pending {
  readonly unit: Unit;
  readonly characters: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface WriteFigures {
  commits: number;
  units: number;
  failed: number;
}

/**
 * The asker's side of the writer. One group is under way at a time; what arrives meanwhile is the next one. While nothing
 * is under way, units of one turn of the event loop go together.
 */
export class WriteDesk {
  readonly #link: Link<WriterAsk>;
  readonly #waiting = new BoundedQueue<Pending>(MAX_WAITING_UNITS);
  readonly #clock: Clock;
  readonly #log: StoreLog;
  readonly #onBatch: (batch: Batch) => void;
  #underWay: readonly Pending[] = [];
  #characters = 0;
  #isScheduled = false;
  #isSweeping = false;
  /** It was asked for again while it was under way. */
  #isSweepWanted = false;
  #isClosing = false;
  #idle: (() => void) | null = null;
  readonly figures: WriteFigures = { commits: 0, units: 0, failed: 0 };
  epoch = '';
  head: Position = 0;
  oldest: Position = 1;

  constructor(parts: {
    readonly link: (events: LinkEvents<WriterReply>) => Link<WriterAsk>;
    readonly clock: Clock;
    readonly log: StoreLog;
    readonly onBatch: (batch: Batch) => void;
  }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onBatch = parts.onBatch;
    this.#link = parts.link({
      onReply: (reply) => this.#onReply(reply),
      onDown: (reason) => this.#onDown(reason),
    });
  }

  open(): Promise<undefined> {
    return this.#link.open();
  }

  get depth(): number {
    return this.#waiting.size + this.#underWay.length;
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  get restarts(): number {
    return this.#link.restarts;
  }

  write<K extends keyof Units>(kind: K, input: Units[K]['input']): Promise<Units[K]['output']> {
    return new Promise((resolve, reject) => {
      const unit = unitOf(kind, input);
      const characters = charactersOf(unit);
      const pending: Pending = {
        unit,
        characters,
        resolve: (output) => resolve(answerOf<Units[K]['output']>(output)),
        reject,
      };
      if (this.#isClosing) reject(storeUnavailable('it is closed'));
      else if (this.#link.isDown) reject(storeUnavailable('it is away'));
      else if (
        this.#characters + characters > MAX_WAITING_CHARACTERS ||
        this.depth >= MAX_WAITING_UNITS ||
        !this.#waiting.push(pending)
      )
        reject(storeUnavailable('too many changes wait for the disk'));
      else {
        this.#characters += characters;
        this.#schedule();
      }
    });
  }

  /** Starts to delete what has had its time; goes on piece by piece while there is more. */
  sweep(): void {
    this.#isSweepWanted = true;
    if (this.#isSweeping || this.#isClosing || !this.#link.isOpen) return;
    this.#isSweeping = true;
    this.#isSweepWanted = false;
    this.#link.post({ do: 'sweep', now: this.#clock.now() });
  }

  /** Resolves when everything that waits is decided and the worker has ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#link.isDown) this.#onDown('it is closed');
    if (this.depth > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#link.close();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay.length > 0 || this.#waiting.size === 0 || !this.#link.isOpen) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#underWay.length > 0 || !this.#link.isOpen) return;
    const group = this.#take();
    if (group.length === 0) return;
    this.#underWay = group;
    try {
      this.#link.post({ do: 'units', now: this.#clock.now(), units: group.map(({ unit }) => unit) });
    } catch {
      // Something in the group can't be sent to another thread: a defect of its asker, and of nobody else.
      this.#underWay = [];
      this.#sendWhatCanBe(group);
    }
  }

  #take(): Pending[] {
    const group: Pending[] = [];
    while (group.length < MAX_GROUP) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      group.push(next);
    }
    return group;
  }

  #sendWhatCanBe(group: readonly Pending[]): void {
    this.#underWay = group.filter((pending) => {
      try {
        structuredClone(pending.unit);
        return true;
      } catch (error) {
        this.#refuse(pending, error instanceof Error ? error : new Error(String(error)));
        return false;
      }
    });
    if (this.#underWay.length > 0)
      this.#link.post({ do: 'units', now: this.#clock.now(), units: this.#underWay.map(({ unit }) => unit) });
    else this.#next();
  }

  #onReply(reply: WriterReply): void {
    switch (reply.is) {
      case 'open':
        this.epoch = reply.epoch;
        this.head = reply.head;
        this.oldest = reply.oldest;
        this.#schedule();
        return;
      case 'committed':
        this.#onCommitted(reply.outcomes);
        return;
      case 'swept':
        this.oldest = reply.oldest;
        this.#isSweeping = false;
        if (reply.isMore || this.#isSweepWanted) this.sweep();
        return;
      case 'untidy':
        this.#isSweeping = false;
        this.#log.warn('the store could not be tidied up', { reason: errorOf(reply.failure).message });
        return;
      case 'closed':
      case 'refused':
    }
  }

  #onCommitted(outcomes: readonly Outcome[]): void {
    const group = this.#underWay;
    this.#underWay = [];
    this.figures.commits++;
    this.figures.units += group.length;
    const entries: WrittenEntry[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      const pending = group[i];
      if (pending !== undefined) this.#settle(pending, outcome, entries);
    }
    this.#ring(entries);
    this.#next();
  }

  #refuse({ characters, reject }: Pending, error: Error): void {
    this.#characters -= characters;
    reject(error);
  }

  #settle(pending: Pending, outcome: Outcome, entries: WrittenEntry[]): void {
    if (outcome.is === 'failed') {
      this.figures.failed++;
      return this.#refuse(pending, errorOf(outcome.failure));
    }
    const { unit, characters, resolve } = pending;
    this.#characters -= characters;
    if (outcome.is === 'applied') {
      entries.push(...outcome.entries);
      resolve(outcome.output);
    } else if (unit.kind === 'conversations.append') {
      const message = { ...unit.input.message, seq: outcome.seq };
      const event: DurableEvent = { kind: 'message', message };
      let { position } = outcome;
      if (position !== null)
        for (const user of unit.input.tell) entries.push({ position: position++, stream: userStream(user), event });
      resolve({ message, isRepeat: false });
    }
  }

  /** Listeners run before the askers: promises are told at the end of the turn. */
  #ring(entries: readonly WrittenEntry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    this.head = last.position;
    this.#onBatch({ first: first.position, last: last.position, entries });
  }

  #next(): void {
    this.#send();
    if (this.depth === 0) this.#idle?.();
  }

  #onDown(reason: string): void {
    const lost = [...this.#underWay, ...this.#waiting.drain()];
    this.#underWay = [];
    this.#isSweeping = false;
    for (const pending of lost) this.#refuse(pending, storeUnavailable(reason));
    this.#idle?.();
  }
}

/** The data of a message as far as it may go (design §6): counting it would cost as much as writing it. */
const DATA_CHARACTERS = 16 * 1024;

/** What a unit weighs while it waits. */
function charactersOf(unit: Unit): number {
  if (unit.kind !== 'conversations.append') return 0;
  const { body, attach, data } = unit.input.message;
  let characters = body.length + (data === null ? 0 : DATA_CHARACTERS);
  for (const url of attach) characters += url.length;
  return characters;
}
