import type { CallRecorded } from './calls/index.ts';
import type { MessageStored } from './conversations/index.ts';
import type { DirectoryChanged, StreamEnded } from './directory/index.ts';
import type { PresenceStated } from './presence/index.ts';

/** Everything that stands in the journal. A protocol's table must decide about each kind, even if to show nothing. */
export type DurableEvent = MessageStored | CallRecorded | DirectoryChanged | StreamEnded | PresenceStated;
