import { unknownUser } from '../../../core/directory/index.ts';
import { directoryStream } from '../../../core/journal/index.ts';
import { appRow, contactRow, streamOf } from '../codec.ts';
import { unknownContact } from '../problems.ts';
import { reseal } from '../secrets.ts';
import type { UnitContext, UnitHandlers } from './context.ts';
import { endStream, insertDevice, requireUsers, takeName, userUnits } from './users.ts';

type Handlers = UnitHandlers<'directory'>;

function tell(context: UnitContext, what: 'device' | 'app' | 'group' | 'contact', id: string): void {
  context.tell(directoryStream, { kind: 'directory', what, id });
}

const addDevice: Handlers['directory.add-device'] = async (context, { device, secret }) => {
  await requireUsers(context.db, [device.user]);
  await insertDevice(context.db, device, secret);
  tell(context, 'device', device.id);
  return null;
};

const addApp: Handlers['directory.add-app'] = async (context, { app, secret }) => {
  await takeName(context.db, { name: app.name, kind: 'app' });
  await context.db.insertInto('apps').values(appRow(app, secret)).execute();
  tell(context, 'app', app.name);
  return null;
};

const addGroup: Handlers['directory.add-group'] = async (context, { group }) => {
  const { db } = context;
  await takeName(db, { name: group.name, kind: 'group' });
  await requireUsers(db, group.members);
  await db.insertInto('groups').values({ name: group.name, description: group.description }).execute();
  for (const member of new Set(group.members))
    await db.insertInto('group_members').values({ group_name: group.name, user_id: member }).execute();
  tell(context, 'group', group.name);
  return null;
};

const setContact: Handlers['directory.set-contact'] = async (context, { contacts }) => {
  const { db } = context;
  await requireUsers(
    db,
    contacts.flatMap((contact) => [contact.owner, contact.contact]),
  );
  for (const contact of contacts) {
    const row = contactRow(contact);
    const { nickname, groups, subscription } = row;
    await db
      .insertInto('contacts')
      .values(row)
      .onConflict((on) => on.columns(['owner', 'contact']).doUpdateSet({ nickname, groups, subscription }))
      .execute();
  }
  for (const owner of new Set(contacts.map((contact) => contact.owner))) tell(context, 'contact', owner);
  return null;
};

const removeContact: Handlers['directory.remove-contact'] = async (context, { owner, contact }) => {
  const removed = await context.db
    .deleteFrom('contacts')
    .where('owner', '=', owner)
    .where('contact', '=', contact)
    .executeTakeFirst();
  if (removed.numDeletedRows === 0n) throw unknownContact(contact);
  tell(context, 'contact', owner);
  return null;
};

const setApplicationSession: Handlers['directory.set-application-session'] = async ({ db }, { session, user }) => {
  await requireUsers(db, [user]);
  await db
    .insertInto('application_sessions')
    .values({ session, user_id: user })
    .onConflict((on) => on.column('session').doUpdateSet({ user_id: user }))
    .execute();
  return null;
};

const openStream: Handlers['directory.open-stream'] = async ({ db }, { stream }) => {
  const found = await db
    .selectFrom('cursors')
    .leftJoin('chat_streams', 'chat_streams.user_id', 'cursors.user_id')
    .select(['cursors.position', 'chat_streams.id', 'chat_streams.resource', 'chat_streams.opened_at'])
    .where('cursors.user_id', '=', stream.user)
    .executeTakeFirst();
  if (found === undefined) throw unknownUser(stream.user);
  const { id, resource, opened_at, position: cursor } = found;
  if (id !== null && resource !== null && opened_at !== null) {
    await db.updateTable('chat_streams').set({ used_at: stream.openedAt }).where('id', '=', id).execute();
    return { stream: streamOf({ id, user_id: stream.user, resource, opened_at }), isNew: false, cursor };
  }
  const { resource: name, openedAt } = stream;
  await db
    .insertInto('chat_streams')
    .values({ id: stream.id, user_id: stream.user, resource: name, opened_at: openedAt, used_at: openedAt })
    .execute();
  return { stream, isNew: true, cursor };
};

const closeStream: Handlers['directory.close-stream'] = async (context, { id, cursor, reason }) => {
  const user = await endStream(context, { id }, reason);
  return user === null ? null : moveCursor(context, { moves: [{ user, cursor }] });
};

const useStreams: Handlers['directory.use-streams'] = async ({ db }, { ids, at }) => {
  await db.updateTable('chat_streams').set({ used_at: at }).where('id', 'in', ids).where('used_at', '<', at).execute();
  return null;
};

const endIdleStreams: Handlers['directory.end-idle-streams'] = async (context, { before, limit }) => {
  const idle = await context.db
    .selectFrom('chat_streams')
    .select('id')
    .where('used_at', '<', before)
    .orderBy('used_at')
    .limit(limit)
    .execute();
  for (const { id } of idle) await endStream(context, { id }, 'idle');
  return idle.length;
};

const moveCursor: Handlers['directory.move-cursor'] = async ({ db }, { moves }) => {
  for (const { user, cursor } of moves)
    await db
      .updateTable('cursors')
      .set({ position: cursor })
      .where('user_id', '=', user)
      .where('position', '<', cursor)
      .execute();
  return null;
};

export const directoryUnits: Handlers = {
  ...userUnits,
  'directory.add-device': addDevice,
  'directory.add-app': addApp,
  'directory.add-group': addGroup,
  'directory.set-contact': setContact,
  'directory.remove-contact': removeContact,
  'directory.set-application-session': setApplicationSession,
  'directory.open-stream': openStream,
  'directory.close-stream': closeStream,
  'directory.use-streams': useStreams,
  'directory.end-idle-streams': endIdleStreams,
  'directory.move-cursor': moveCursor,
  'directory.reseal': reseal,
};
