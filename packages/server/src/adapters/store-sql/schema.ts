import type { Generated } from 'kysely';
import type { CallDirection, CallEnd, CallState } from '../../core/calls/index.ts';
import type { NodeId } from '../../core/cluster/index.ts';
import type { BodyType } from '../../core/conversations/index.ts';
import type { Contact, DeviceKind } from '../../core/directory/index.ts';
import type { CallId, ConversationId, MessageId, StreamId, UserId } from '../../core/journal/index.ts';
import type { PresenceContact } from '../../core/presence/index.ts';

/** A claim as both databases can index and compare it. */
export type Flag = 0 | 1;

/** What this database is. `key`: `epoch`. */
export interface MetaTable {
  key: string;
  value: string;
}

/** Nodes and how long they count as alive, in the store's time. */
export interface NodesTable {
  id: NodeId;
  bus: string | null;
  until: number;
}

/** Which node has which role; worth nothing once its lease has run out. */
export interface RolesTable {
  role: string;
  node: NodeId;
}

/** The one namespace of users, App objects, groups and workgroups. */
export interface NamesTable {
  name: string;
  kind: 'user' | 'app' | 'group' | 'workgroup';
}

export interface UsersTable {
  id: UserId;
  name: string;
  display_name: string;
  cn: string;
  number: string | null;
  email: string | null;
  is_admin: Flag;
  has_storage: Flag;
  is_locked: Flag;
  /** JSON list. */
  apps: string;
  password_hash: string;
  sealed_myapps: string | null;
  /** Everything a directory search looks at, in lower case. */
  search_text: string;
}

export interface DevicesTable {
  id: string;
  user_id: UserId;
  kind: DeviceKind;
  label: string;
  secret: string;
}

export interface AppsTable {
  name: string;
  guid: string;
  display_name: string;
  /** JSON list. */
  grants: string;
  url: string | null;
  has_websocket: Flag;
  is_hidden: Flag;
  /** JSON list. */
  apps: string;
  users: 'all' | 'listed';
  secret: string;
}

export interface GroupsTable {
  name: string;
  description: string;
}

export interface GroupMembersTable {
  group_name: string;
  user_id: UserId;
}

export interface ContactsTable {
  owner: UserId;
  contact: UserId;
  nickname: string;
  /** JSON list. */
  groups: string;
  subscription: Contact['subscription'];
}

export interface ApplicationSessionsTable {
  session: string;
  user_id: UserId;
}

export interface ChatStreamsTable {
  id: string;
  user_id: UserId;
  resource: string;
  opened_at: number;
  /** Written down now and then. */
  used_at: number;
}

/** How far a user's streams have been told. */
export interface CursorsTable {
  user_id: UserId;
  position: number;
}

export interface StatedPresenceTable {
  user_id: UserId;
  contact: PresenceContact;
  activity: string;
  note: string;
  at: number;
}

/** Streams have small numbers inside the database: most rows name one. Users are named by their own stream's number. */
export interface StreamsTable {
  num: number;
  id: StreamId;
}

export interface ConversationsTable {
  num: number;
  id: ConversationId;
  /** As of the last settling; what came later is found in `messages`. */
  last_seq: number;
}

export interface MessagesTable {
  /** In the order of storing. */
  num: number;
  id: MessageId;
  conversation: number;
  seq: number;
  sender: UserId;
  resource: string;
  recipient: UserId;
  at: number;
  type: BodyType;
  body: string;
  /** The text without tags in lower case; null where that is the body itself. */
  search_text: string | null;
  /** JSON list; null: nothing attached. */
  attach: string | null;
  /** JSON object. */
  data: string | null;
}

/** History of one user: one row per message that was kept for this user. */
export interface MailboxTable {
  user_num: number;
  conversation: number;
  seq: number;
  at: number;
  message: number;
  /** The user's own message: never unread. */
  is_own: Flag;
}

/** Rows on their way into `mailbox`, in the order of storing (settle.ts). */
export interface MailLogTable extends MailboxTable {
  num: number;
}

/** The conversations that a user has anything of, settled rows only. */
export interface MembersTable {
  user_num: number;
  conversation: number;
  last_at: number;
}

export interface ReadMarksTable {
  user_num: number;
  conversation: number;
  seq: number;
}

export interface IdempotencyTable {
  /** `<user> <command> <key>`: neither of the first two holds a space. */
  id: string;
  hash: string;
  message: number;
  at: number;
}

export interface CallsTable {
  id: CallId;
  number: string;
  user_id: UserId | null;
  direction: CallDirection;
  state: CallState;
  previous: CallState | null;
  peer: string;
  peer_name: string | null;
  started_at: number;
  connected_at: number | null;
  ended_at: number | null;
  end_cause: CallEnd | null;
}

/** A call that lives, at the node that has it. */
export interface LiveCallsTable extends CallsTable {
  owner: NodeId;
}

/** Idempotency keys of commands on calls: who has claimed each, and what came of it. */
export interface CallKeysTable {
  id: string;
  hash: string;
  node: NodeId;
  outcome: string | null;
  at: number;
}

/** The journal: an entry names its stream and what it is about, never the text. */
export interface EntriesTable {
  position: number;
  stream: number;
  kind: 'message' | 'call-record' | 'directory' | 'stream-ended' | 'presence-stated';
  message: number | null;
  /** Id of the call, of what changed in the directory, of the chat stream, of the user. */
  ref: string | null;
  /** For `directory`: what changed; for `stream-ended`: why. */
  data: string | null;
  at: number;
}

/** Committed entries that wait for their position, where several nodes write. */
export interface FreshEntriesTable extends Omit<EntriesTable, 'position'> {
  num: Generated<number>;
}

/** Where the entries of one stream are, settled ones only. */
export interface StreamIndexTable {
  stream: number;
  position: number;
}

/** One row: up to which position streams are settled, and up to which message mailboxes and conversations are. */
export interface SettledTable {
  id: 1;
  position: number;
  message: number;
}

export interface Tables {
  meta: MetaTable;
  nodes: NodesTable;
  roles: RolesTable;
  names: NamesTable;
  users: UsersTable;
  devices: DevicesTable;
  apps: AppsTable;
  groups: GroupsTable;
  group_members: GroupMembersTable;
  contacts: ContactsTable;
  application_sessions: ApplicationSessionsTable;
  chat_streams: ChatStreamsTable;
  cursors: CursorsTable;
  stated_presence: StatedPresenceTable;
  streams: StreamsTable;
  conversations: ConversationsTable;
  messages: MessagesTable;
  mailbox: MailboxTable;
  mail_log: MailLogTable;
  members: MembersTable;
  read_marks: ReadMarksTable;
  idempotency: IdempotencyTable;
  calls: CallsTable;
  live_calls: LiveCallsTable;
  call_keys: CallKeysTable;
  entries: EntriesTable;
  fresh_entries: FreshEntriesTable;
  stream_index: StreamIndexTable;
  settled: SettledTable;
}
