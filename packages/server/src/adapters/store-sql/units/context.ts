import type { Kysely } from 'kysely';
import type { DurableEvent, Units } from '../../../core/index.ts';
import type { StreamId } from '../../../core/journal/index.ts';
import type { Ledger } from '../ledger.ts';
import type { Tables } from '../schema.ts';

/** What a unit of work is applied with: inside a transaction, alone. */
export interface UnitContext extends Pick<Ledger, 'streams' | 'standingOf' | 'head' | 'time'> {
  readonly db: Kysely<Tables>;
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
