/**
 * How groups cross between the threads. Node clones what is sent member by member, names included: for a message that costs as much
 * as a third of its writing. So messages go as one flat list of values, and so does what became of them.
 */
import type { AppendUnit, Outcome, ReaderAsk, ReaderReply, Unit, WriterAsk, WriterReply } from './wire.ts';
import type { Crossing } from './worker-link.ts';

type Append = AppendUnit['input'];

/** Appends as their values in a row; other units as they are. An append begins with a text, which no unit is. */
type FlatUnits = readonly unknown[];
/** Units of one list: a list of thousands of values is no young object any more, and makes old what is in it. */
const LISTED_UNITS = 64;
/** For each append its `seq` and its position; other outcomes as they are. */
type FlatOutcomes = readonly (number | null | Outcome)[];

export type PackedAsk =
  | Exclude<WriterAsk, { do: 'units' }>
  | { readonly do: 'units'; readonly now: number; readonly lists: readonly FlatUnits[] };
export type PackedReply =
  Exclude<WriterReply, { is: 'committed' }> | { readonly is: 'committed'; readonly flat: FlatOutcomes };

export function packAsk(ask: WriterAsk): PackedAsk {
  if (ask.do !== 'units') return ask;
  const lists: FlatUnits[] = [];
  for (let from = 0; from < ask.units.length; from += LISTED_UNITS)
    lists.push(flattened(ask.units.slice(from, from + LISTED_UNITS)));
  return { do: 'units', now: ask.now, lists };
}

function flattened(units: readonly Unit[]): FlatUnits {
  const flat: unknown[] = [];
  for (const unit of units)
    if (unit.kind === 'conversations.append') putAppend(flat, unit.input);
    else flat.push(unit);
  return flat;
}

export function unpackAsk(ask: PackedAsk): WriterAsk {
  if (ask.do !== 'units') return ask;
  const units: Unit[] = [];
  for (const list of ask.lists)
    for (const values = new FlatReader(list); values.isMore;)
      units.push(typeof values.peek === 'string' ? takeAppend(values) : values.take<Unit>());
  return { do: 'units', now: ask.now, units };
}

export function packReply(reply: WriterReply): PackedReply {
  if (reply.is !== 'committed') return reply;
  const flat: (number | null | Outcome)[] = [];
  for (const outcome of reply.outcomes)
    if (outcome.is === 'appended') flat.push(outcome.seq, outcome.position);
    else flat.push(outcome);
  return { is: 'committed', flat };
}

export function unpackReply(reply: PackedReply): WriterReply {
  if (reply.is !== 'committed') return reply;
  const values = new FlatReader(reply.flat);
  const outcomes: Outcome[] = [];
  while (values.isMore)
    if (typeof values.peek === 'number') outcomes.push({ is: 'appended', seq: values.take(), position: values.take() });
    else outcomes.push(values.take());
  return { is: 'committed', outcomes };
}

export const writerCrossing: Crossing<WriterAsk, WriterReply> = {
  pack: packAsk,
  unpack: (message) => unpackReply(message as PackedReply),
};

/** A reader is asked little and answers with rows: these are cloned. */
export const readerCrossing: Crossing<ReaderAsk, ReaderReply> = {
  pack: (ask) => ask,
  unpack: (message) => message as ReaderReply,
};

function putAppend(flat: unknown[], { message, tell, keepFor, idem }: Append): void {
  const { id, conversation, sender, resource, recipient, at, type, body, attach, data } = message;
  flat.push(id, conversation, sender, resource, recipient, at, type, body);
  flat.push(attach.length === 0 ? null : attach, data);
  flat.push(tell.length, ...tell, keepFor.length, ...keepFor);
  flat.push(idem === null ? null : idem.key, idem === null ? null : idem.hash);
}

/** In the order of {@link putAppend}. */
function takeAppend(values: FlatReader): AppendUnit {
  const message = {
    id: values.take<Append['message']['id']>(),
    conversation: values.take<Append['message']['conversation']>(),
    sender: values.take<Append['message']['sender']>(),
    resource: values.take<string>(),
    recipient: values.take<Append['message']['recipient']>(),
    at: values.take<number>(),
    type: values.take<Append['message']['type']>(),
    body: values.take<string>(),
    attach: values.take<readonly string[] | null>() ?? [],
    data: values.take<Append['message']['data']>(),
  };
  const tell = values.takeList<Append['tell'][number]>();
  const keepFor = values.takeList<Append['keepFor'][number]>();
  const key = values.take<string | null>();
  const hash = values.take<string>();
  return { kind: 'conversations.append', input: { message, tell, keepFor, idem: key === null ? null : { key, hash } } };
}

/** What stands where is this file's own affair: the other side of the thread has put it there. */
class FlatReader {
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  get isMore(): boolean {
    return this.#at < this.#values.length;
  }

  get peek(): unknown {
    return this.#values[this.#at];
  }

  take<T>(): T {
    return this.#values[this.#at++] as T;
  }

  /** Its length stands before it. */
  takeList<T>(): T[] {
    const length = this.take<number>();
    const list: T[] = [];
    for (let i = 0; i < length; i++) list.push(this.take());
    return list;
  }
}
