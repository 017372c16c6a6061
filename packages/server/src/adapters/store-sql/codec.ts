import type { Selectable } from 'kysely';
import type { Call } from '../../core/calls/index.ts';
import type { Message } from '../../core/conversations/index.ts';
import type {
  App,
  ChatStream,
  Contact,
  Device,
  DirectoryChanged,
  StreamEnd,
  User,
} from '../../core/directory/index.ts';
import type { ConversationId } from '../../core/journal/index.ts';
import type { Grant } from '../../core/permissions/index.ts';
import { isJsonObject, type JsonObject } from '../../kit/index.ts';
import type {
  AppsTable,
  CallsTable,
  ChatStreamsTable,
  ContactsTable,
  DevicesTable,
  Flag,
  MessagesTable,
  UsersTable,
} from './schema.ts';

export function flagOf(claim: boolean): Flag {
  return claim ? 1 : 0;
}

/** A list that this adapter wrote. */
function listOf<T extends string>(text: string): readonly T[] {
  return JSON.parse(text) as readonly T[];
}

function objectOf(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error('a stored JSON object is none');
  return value;
}

/** `after` LIKE: a substring pattern, with the pattern characters of `text` taken as they are. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/** What a search compares: lower case by Unicode's rules, which the databases' own `lower` does not know everywhere. */
export function searchable(text: string): string {
  return text.toLowerCase();
}

export function userOf(row: Selectable<UsersTable>): User {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    cn: row.cn,
    number: row.number,
    email: row.email,
    isAdmin: row.is_admin === 1,
    hasStorage: row.has_storage === 1,
    isLocked: row.is_locked === 1,
    apps: listOf(row.apps),
  };
}

export function userRow(user: User): Omit<UsersTable, 'password_hash' | 'sealed_myapps'> {
  return {
    id: user.id,
    name: user.name,
    display_name: user.displayName,
    cn: user.cn,
    number: user.number,
    email: user.email,
    is_admin: flagOf(user.isAdmin),
    has_storage: flagOf(user.hasStorage),
    is_locked: flagOf(user.isLocked),
    apps: JSON.stringify(user.apps),
    search_text: searchable([user.name, user.displayName, user.number ?? '', user.email ?? ''].join('\n')),
  };
}

export function deviceOf(row: Selectable<DevicesTable>): Device {
  return { id: row.id, user: row.user_id, kind: row.kind, label: row.label };
}

export function deviceRow(device: Device, secret: string): DevicesTable {
  return { id: device.id, user_id: device.user, kind: device.kind, label: device.label, secret };
}

export function appOf(row: Selectable<AppsTable>): App {
  return {
    name: row.name,
    guid: row.guid,
    displayName: row.display_name,
    grants: listOf<Grant>(row.grants),
    url: row.url,
    hasWebsocket: row.has_websocket === 1,
    isHidden: row.is_hidden === 1,
    apps: listOf(row.apps),
    users: row.users,
  };
}

export function appRow(app: App, secret: string): AppsTable {
  return {
    name: app.name,
    guid: app.guid,
    display_name: app.displayName,
    grants: JSON.stringify(app.grants),
    url: app.url,
    has_websocket: flagOf(app.hasWebsocket),
    is_hidden: flagOf(app.isHidden),
    apps: JSON.stringify(app.apps),
    users: app.users,
    secret,
  };
}

export function contactOf(row: Selectable<ContactsTable>): Contact {
  return {
    owner: row.owner,
    contact: row.contact,
    nickname: row.nickname,
    groups: listOf(row.groups),
    subscription: row.subscription,
  };
}

export function contactRow(contact: Contact): ContactsTable {
  return { ...contact, groups: JSON.stringify(contact.groups) };
}

export function streamOf(row: Omit<Selectable<ChatStreamsTable>, 'used_at'>): ChatStream {
  return { id: row.id, user: row.user_id, resource: row.resource, openedAt: row.opened_at };
}

/** The columns that make a `Message`, of `messages` joined with `conversations`. */
export const MESSAGE_COLUMNS = [
  'messages.num',
  'messages.id',
  'conversations.id as conversation',
  'messages.seq',
  'messages.sender',
  'messages.resource',
  'messages.recipient',
  'messages.at',
  'messages.type',
  'messages.body',
  'messages.attach',
  'messages.data',
] as const;

export type MessageRow = Omit<Selectable<MessagesTable>, 'conversation' | 'search_text'> & {
  readonly conversation: ConversationId;
};

export function messageOf(row: MessageRow): Message {
  return {
    id: row.id,
    conversation: row.conversation,
    seq: row.seq,
    sender: row.sender,
    resource: row.resource,
    recipient: row.recipient,
    at: row.at,
    type: row.type,
    body: row.body,
    attach: row.attach === null ? [] : listOf(row.attach),
    data: row.data === null ? null : objectOf(row.data),
  };
}

export function callOf(row: Selectable<CallsTable>): Call {
  return {
    id: row.id,
    number: row.number,
    user: row.user_id,
    direction: row.direction,
    state: row.state,
    previous: row.previous,
    peer: row.peer,
    peerName: row.peer_name,
    startedAt: row.started_at,
    connectedAt: row.connected_at,
    endedAt: row.ended_at,
    end: row.end_cause,
  };
}

export function callRow(call: Call): CallsTable {
  return {
    id: call.id,
    number: call.number,
    user_id: call.user,
    direction: call.direction,
    state: call.state,
    previous: call.previous,
    peer: call.peer,
    peer_name: call.peerName,
    started_at: call.startedAt,
    connected_at: call.connectedAt,
    ended_at: call.endedAt,
    end_cause: call.end,
  };
}

const CHANGES: readonly DirectoryChanged['what'][] = ['user', 'device', 'app', 'group', 'contact'];

/** What a `directory` entry says was changed. */
export function changeOf(data: string | null): DirectoryChanged['what'] {
  const what = CHANGES.find((known) => known === data);
  if (what === undefined) throw new Error('a directory entry of an unknown kind');
  return what;
}

const ENDS: readonly StreamEnd[] = ['logoff', 'locked', 'idle'];

/** Why a `stream-ended` entry says that the stream ended. */
export function endOf(data: string | null): StreamEnd {
  const reason = ENDS.find((known) => known === data);
  if (reason === undefined) throw new Error('a chat stream that ended for an unknown reason');
  return reason;
}
