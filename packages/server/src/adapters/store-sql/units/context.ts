import type { Kysely } from 'kysely';
import type { DurableEvent, Units } from '../../../core/index.ts';
import type { Position, StreamId } from '../../../core/journal/index.ts';
import type { ConversationStandings } from '../conversations.ts';
import type { Tables } from '../schema.ts';
import type { Streams } from '../streams.ts';

/** What a unit of work is applied with: inside a transaction, alone. */
export interface UnitContext {
  readonly db: Kysely<Tables>;
  readonly conversations: ConversationStandings;
  readonly streams: Streams;
  /** When the group was applied, in milliseconds: the store's clock, the same for all nodes. */
  readonly now: number;
  /** The last position of the journal, this unit's own entries included. */
  readonly head: Position;
  /** Appends an entry. It stands when the unit does. */
  tell(stream: StreamId, event: DurableEvent): void;
}

export type UnitHandler<K extends keyof Units> = (
  context: UnitContext,
  input: Units[K]['input'],
) => Promise<Units[K]['output']>;

/** Handlers of every unit of one context whose kinds begin with `P`. */
export type UnitHandlers<P extends string> = {
  readonly [K in keyof Units as K extends `${P}.${string}` ? K : never]: UnitHandler<K>;
};
