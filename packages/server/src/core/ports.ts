import type { CallQueries, CallUnits } from './calls/index.ts';
import type { ClusterUnits } from './cluster/index.ts';
import type { ConversationQueries, ConversationUnits } from './conversations/index.ts';
import type { DirectoryQueries, DirectoryUnits } from './directory/index.ts';
import type { DurableEvent } from './events.ts';
import type { Bell, Journal, JournalBatch, JournalEntry, Store } from './journal/index.ts';
import type { PresenceQueries, PresenceUnits } from './presence/index.ts';

/** Every unit of work and every query of the core. A store adapter implements all of them. */
export interface Units extends ClusterUnits, DirectoryUnits, PresenceUnits, ConversationUnits, CallUnits {}
export interface Queries extends DirectoryQueries, PresenceQueries, ConversationQueries, CallQueries {}

export type TielineStore = Store<Units, Queries>;
export type TielineJournal = Journal<DurableEvent>;
export type TielineBell = Bell<DurableEvent>;
export type Entry = JournalEntry<DurableEvent>;
export type Batch = JournalBatch<DurableEvent>;
