import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from '../dialect/connection.ts';
import type { CallsTable, EntriesTable, MailboxTable, SettledTable } from '../schema.ts';

/** Nodes, directory, presence, conversations, calls and the journal. */
export function initial(types: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await createCluster(db, types);
      await createDirectory(db, types);
      await createStreams(db, types);
      await createConversations(db, types);
      await createMailboxes(db, types);
      await createCalls(db, types);
      await createJournal(db, types);
    },
  };
}

function ownedBy<T extends string, C extends string>(
  { text }: ColumnTypes,
  table: CreateTableBuilder<T, C>,
): CreateTableBuilder<T, C | 'user_id'> {
  return table.addColumn('user_id', text, (c) => c.notNull().references('users.id').onDelete('cascade'));
}

async function createCluster({ schema }: Kysely<unknown>, { big, text }: ColumnTypes): Promise<void> {
  await schema
    .createTable('nodes')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('bus', text)
    .addColumn('until', big, (c) => c.notNull())
    .execute();
  await schema
    .createTable('roles')
    .addColumn('role', text, (c) => c.primaryKey().notNull())
    .addColumn('node', text, (c) => c.notNull())
    .execute();
}

async function createDirectory(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { flag, text } = types;
  const { schema } = db;
  await schema
    .createTable('meta')
    .addColumn('key', text, (c) => c.primaryKey().notNull())
    .addColumn('value', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('names')
    .addColumn('name', text, (c) => c.primaryKey().notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .execute();
  await schema
    .createTable('users')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('name', text, (c) => c.notNull().unique())
    .addColumn('display_name', text, (c) => c.notNull())
    .addColumn('cn', text, (c) => c.notNull().unique())
    .addColumn('number', text, (c) => c.unique())
    .addColumn('email', text)
    .addColumn('is_admin', flag, (c) => c.notNull())
    .addColumn('has_storage', flag, (c) => c.notNull())
    .addColumn('is_locked', flag, (c) => c.notNull())
    .addColumn('apps', text, (c) => c.notNull())
    .addColumn('password_hash', text, (c) => c.notNull())
    .addColumn('sealed_myapps', text)
    .addColumn('search_text', text, (c) => c.notNull())
    .execute();
  await ownedBy(
    types,
    schema.createTable('devices').addColumn('id', text, (c) => c.primaryKey().notNull()),
  )
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('label', text, (c) => c.notNull())
    .addColumn('secret', text, (c) => c.notNull())
    .execute();
  await schema.createIndex('devices_by_user').on('devices').columns(['user_id', 'id']).execute();
  await schema
    .createTable('apps')
    .addColumn('name', text, (c) => c.primaryKey().notNull())
    .addColumn('guid', text, (c) => c.notNull())
    .addColumn('display_name', text, (c) => c.notNull())
    .addColumn('grants', text, (c) => c.notNull())
    .addColumn('url', text)
    .addColumn('has_websocket', flag, (c) => c.notNull())
    .addColumn('is_hidden', flag, (c) => c.notNull())
    .addColumn('apps', text, (c) => c.notNull())
    .addColumn('users', text, (c) => c.notNull())
    .addColumn('secret', text, (c) => c.notNull())
    .execute();
  await createGroupsAndContacts(db, types);
}

async function createGroupsAndContacts({ schema }: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { text } = types;
  await schema
    .createTable('groups')
    .addColumn('name', text, (c) => c.primaryKey().notNull())
    .addColumn('description', text, (c) => c.notNull())
    .execute();
  await ownedBy(
    types,
    schema
      .createTable('group_members')
      .addColumn('group_name', text, (c) => c.notNull().references('groups.name').onDelete('cascade')),
  )
    .addPrimaryKeyConstraint('group_members_key', ['group_name', 'user_id'])
    .execute();
  await schema.createIndex('group_members_by_user').on('group_members').column('user_id').execute();
  await schema
    .createTable('contacts')
    .addColumn('owner', text, (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('contact', text, (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('nickname', text, (c) => c.notNull())
    .addColumn('groups', text, (c) => c.notNull())
    .addColumn('subscription', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('contacts_key', ['owner', 'contact'])
    .execute();
  await schema.createIndex('contacts_by_contact').on('contacts').columns(['contact', 'owner']).execute();
}

async function createStreams({ schema }: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { big, text } = types;
  await ownedBy(
    types,
    schema.createTable('application_sessions').addColumn('session', text, (c) => c.primaryKey().notNull()),
  ).execute();
  await schema.createIndex('application_sessions_by_user').on('application_sessions').column('user_id').execute();
  await ownedBy(
    types,
    schema.createTable('chat_streams').addColumn('id', text, (c) => c.primaryKey().notNull()),
  )
    .addColumn('resource', text, (c) => c.notNull())
    .addColumn('opened_at', big, (c) => c.notNull())
    .addColumn('used_at', big, (c) => c.notNull())
    .addUniqueConstraint('chat_streams_by_user', ['user_id'])
    .execute();
  await schema.createIndex('chat_streams_by_use').on('chat_streams').column('used_at').execute();
  await ownedBy(types, schema.createTable('cursors'))
    .addColumn('position', big, (c) => c.notNull())
    .addPrimaryKeyConstraint('cursors_key', ['user_id'])
    .execute();
  await ownedBy(types, schema.createTable('stated_presence'))
    .addColumn('contact', text, (c) => c.notNull())
    .addColumn('activity', text, (c) => c.notNull())
    .addColumn('note', text, (c) => c.notNull())
    .addColumn('at', big, (c) => c.notNull())
    .addPrimaryKeyConstraint('stated_presence_key', ['user_id', 'contact'])
    .execute();
}

/** Messages outlive their users: no references to `users` here. */
async function createConversations({ schema }: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { big, numbered, text } = types;
  await schema
    .createTable('streams')
    .addColumn('num', big, (c) => numbered(c.primaryKey().notNull()))
    .addColumn('id', text, (c) => c.notNull().unique())
    .execute();
  await schema
    .createTable('conversations')
    .addColumn('num', big, (c) => numbered(c.primaryKey().notNull()))
    .addColumn('id', text, (c) => c.notNull().unique())
    .addColumn('last_seq', big, (c) => c.notNull())
    .execute();
  await schema
    .createTable('messages')
    .addColumn('num', big, (c) => numbered(c.primaryKey().notNull()))
    .addColumn('id', text, (c) => c.notNull().unique())
    .addColumn('conversation', big, (c) => c.notNull())
    .addColumn('seq', big, (c) => c.notNull())
    .addColumn('sender', text, (c) => c.notNull())
    .addColumn('resource', text, (c) => c.notNull())
    .addColumn('recipient', text, (c) => c.notNull())
    .addColumn('at', big, (c) => c.notNull())
    .addColumn('type', text, (c) => c.notNull())
    .addColumn('body', text, (c) => c.notNull())
    .addColumn('search_text', text)
    .addColumn('attach', text)
    .addColumn('data', text)
    .execute();
  await schema
    .createTable('idempotency')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('message', big, (c) => c.notNull())
    .addColumn('at', big, (c) => c.notNull())
    .execute();
  await schema.createIndex('idempotency_by_time').on('idempotency').column('at').execute();
}

function withMailColumns<T extends string, C extends string>(
  table: CreateTableBuilder<T, C>,
  { big, flag }: ColumnTypes,
): CreateTableBuilder<T, C | keyof MailboxTable> {
  return table
    .addColumn('user_num', big, (c) => c.notNull())
    .addColumn('conversation', big, (c) => c.notNull())
    .addColumn('seq', big, (c) => c.notNull())
    .addColumn('at', big, (c) => c.notNull())
    .addColumn('message', big, (c) => c.notNull())
    .addColumn('is_own', flag, (c) => c.notNull());
}

async function createMailboxes({ schema }: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { big, clustered } = types;
  await withMailColumns(schema.createTable('mailbox'), types)
    .addPrimaryKeyConstraint('mailbox_key', ['user_num', 'conversation', 'seq'])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex('mailbox_by_time').on('mailbox').columns(['user_num', 'at', 'message']).execute();
  await schema
    .createTable('members')
    .addColumn('user_num', big, (c) => c.notNull())
    .addColumn('conversation', big, (c) => c.notNull())
    .addColumn('last_at', big, (c) => c.notNull())
    .addPrimaryKeyConstraint('members_key', ['user_num', 'conversation'])
    .modifyEnd(clustered)
    .execute();
  await schema
    .createTable('read_marks')
    .addColumn('user_num', big, (c) => c.notNull())
    .addColumn('conversation', big, (c) => c.notNull())
    .addColumn('seq', big, (c) => c.notNull())
    .addPrimaryKeyConstraint('read_marks_key', ['user_num', 'conversation'])
    .modifyEnd(clustered)
    .execute();
}

function withCallColumns<T extends string, C extends string>(
  table: CreateTableBuilder<T, C>,
  { big, text }: ColumnTypes,
): CreateTableBuilder<T, C | keyof CallsTable> {
  return table
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('number', text, (c) => c.notNull())
    .addColumn('user_id', text)
    .addColumn('direction', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('previous', text)
    .addColumn('peer', text, (c) => c.notNull())
    .addColumn('peer_name', text)
    .addColumn('started_at', big, (c) => c.notNull())
    .addColumn('connected_at', big)
    .addColumn('ended_at', big)
    .addColumn('end_cause', text);
}

async function createCalls({ schema }: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { big, text } = types;
  await withCallColumns(schema.createTable('calls'), types).execute();
  await schema.createIndex('calls_by_user').on('calls').columns(['user_id', 'started_at', 'id']).execute();
  await withCallColumns(schema.createTable('live_calls'), types)
    .addColumn('owner', text, (c) => c.notNull())
    .execute();
  await schema.createIndex('live_calls_by_owner').on('live_calls').column('owner').execute();
  await schema
    .createTable('call_keys')
    .addColumn('id', text, (c) => c.primaryKey().notNull())
    .addColumn('hash', text, (c) => c.notNull())
    .addColumn('node', text, (c) => c.notNull())
    .addColumn('outcome', text)
    .addColumn('at', big, (c) => c.notNull())
    .execute();
  await schema.createIndex('call_keys_by_time').on('call_keys').column('at').execute();
}

function withEntryColumns<T extends string, C extends string>(
  table: CreateTableBuilder<T, C>,
  { big, text }: ColumnTypes,
): CreateTableBuilder<T, C | Exclude<keyof EntriesTable, 'position'>> {
  return table
    .addColumn('stream', big, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('message', big)
    .addColumn('ref', text)
    .addColumn('data', text)
    .addColumn('at', big, (c) => c.notNull());
}

async function createJournal(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await withEntryColumns(
    db.schema.createTable('entries').addColumn('position', types.big, (c) => c.primaryKey().notNull()),
    types,
  ).execute();
  if (types.hasOneWriter) await createLogs(db, types);
  else await createSequencing(db, types);
}

/** Where the only writer gathers rows before they are sorted in (settle.ts). */
async function createLogs(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { schema } = db;
  const { big, clustered } = types;
  await withMailColumns(
    schema.createTable('mail_log').addColumn('num', big, (c) => c.primaryKey().notNull()),
    types,
  ).execute();
  await schema
    .createTable('stream_index')
    .addColumn('stream', big, (c) => c.notNull())
    .addColumn('position', big, (c) => c.notNull())
    .addPrimaryKeyConstraint('stream_index_key', ['stream', 'position'])
    .modifyEnd(clustered)
    .execute();
  await schema
    .createTable('settled')
    .addColumn('id', 'integer', (c) => c.primaryKey().notNull())
    .addColumn('position', big, (c) => c.notNull())
    .addColumn('message', big, (c) => c.notNull())
    .execute();
  await db
    .$extendTables<{ settled: SettledTable }>()
    .insertInto('settled')
    .values({ id: 1, position: 0, message: 0 })
    .execute();
}

/** Where several writers put entries for the sequencer. A queue: it is emptied all the time, so it is vacuumed often. */
async function createSequencing(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { schema } = db;
  await schema.createIndex('entries_by_stream').on('entries').columns(['stream', 'position']).execute();
  await withEntryColumns(
    schema.createTable('fresh_entries').addColumn('num', types.big, (c) => types.numbered(c.primaryKey().notNull())),
    types,
  )
    .modifyEnd(sql`with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`)
    .execute();
}
