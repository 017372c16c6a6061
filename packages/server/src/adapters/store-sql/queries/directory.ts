import type { Kysely } from 'kysely';
import type { Group } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import { appOf, contactOf, deviceOf, searchable, streamOf, userOf } from '../codec.ts';
import type { Tables } from '../schema.ts';
import { contains } from '../search.ts';
import { sealed } from '../secrets.ts';
import type { QueryHandlers } from './context.ts';

type Handlers = QueryHandlers<'directory'>;

const user: Handlers['directory.user'] = async (db, key) => {
  const row = await db.selectFrom('users').selectAll().where(key.by, '=', key.value).executeTakeFirst();
  return row === undefined ? null : userOf(row);
};

const users: Handlers['directory.users'] = async (db, { search, after, limit }) => {
  let query = db.selectFrom('users').selectAll().orderBy('cn').limit(limit);
  if (after !== null) query = query.where('cn', '>', after);
  if (search !== null && search !== '')
    query = query.where((eb) => contains(eb.ref('search_text'), searchable(search)));
  return (await query.execute()).map(userOf);
};

const secrets: Handlers['directory.secrets'] = async (db, { id }) => {
  const row = await db
    .selectFrom('users')
    .select(['password_hash', 'sealed_myapps'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : { passwordHash: row.password_hash, sealedMyApps: row.sealed_myapps };
};

const devices: Handlers['directory.devices'] = async (db, { user: owner }) => {
  const rows = await db.selectFrom('devices').selectAll().where('user_id', '=', owner).orderBy('id').execute();
  return rows.map(deviceOf);
};

const device: Handlers['directory.device'] = async (db, { id }) => {
  const row = await db.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : { device: deviceOf(row), secret: row.secret };
};

const app: Handlers['directory.app'] = async (db, { name }) => {
  const row = await db.selectFrom('apps').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? null : { app: appOf(row), secret: row.secret };
};

const apps: Handlers['directory.apps'] = async (db) =>
  (await db.selectFrom('apps').selectAll().orderBy('name').execute()).map(appOf);

const groups: Handlers['directory.groups'] = async (db) => {
  const members = await membersByGroup(db);
  const rows = await db.selectFrom('groups').selectAll().orderBy('name').execute();
  return rows.map((row): Group => ({ ...row, members: members.get(row.name) ?? [] }));
};

async function membersByGroup(db: Kysely<Tables>): Promise<Map<string, UserId[]>> {
  const found = new Map<string, UserId[]>();
  const rows = await db.selectFrom('group_members').selectAll().orderBy('group_name').orderBy('user_id').execute();
  for (const row of rows) {
    const members = found.get(row.group_name);
    if (members === undefined) found.set(row.group_name, [row.user_id]);
    else members.push(row.user_id);
  }
  return found;
}

const contacts: Handlers['directory.contacts'] = async (db, { owner }) => {
  const rows = await db.selectFrom('contacts').selectAll().where('owner', '=', owner).orderBy('contact').execute();
  return rows.map(contactOf);
};

const listedBy: Handlers['directory.listed-by'] = async (db, { contact }) => {
  const rows = await db.selectFrom('contacts').selectAll().where('contact', '=', contact).orderBy('owner').execute();
  return rows.map(contactOf);
};

const applicationSession: Handlers['directory.application-session'] = async (db, { session }) => {
  const row = await db
    .selectFrom('application_sessions')
    .select('user_id')
    .where('session', '=', session)
    .executeTakeFirst();
  return row?.user_id ?? null;
};

const stream: Handlers['directory.stream'] = async (db, key) => {
  const row = await db
    .selectFrom('chat_streams')
    .innerJoin('cursors', 'cursors.user_id', 'chat_streams.user_id')
    .selectAll('chat_streams')
    .select('cursors.position')
    .where(key.by === 'id' ? 'chat_streams.id' : 'chat_streams.user_id', '=', key.by === 'id' ? key.id : key.user)
    .executeTakeFirst();
  return row === undefined ? null : { stream: streamOf(row), cursor: row.position };
};

const isEmpty: Handlers['directory.is-empty'] = async (db) =>
  (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) === undefined;

export const directoryQueries: Handlers = {
  'directory.user': user,
  'directory.users': users,
  'directory.secrets': secrets,
  'directory.devices': devices,
  'directory.device': device,
  'directory.app': app,
  'directory.apps': apps,
  'directory.groups': groups,
  'directory.contacts': contacts,
  'directory.listed-by': listedBy,
  'directory.application-session': applicationSession,
  'directory.stream': stream,
  'directory.sealed': sealed,
  'directory.is-empty': isEmpty,
};
