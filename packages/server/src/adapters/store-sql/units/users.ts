import type { Insertable, Kysely } from 'kysely';
import { type StreamEnd, type User, unknownUser } from '../../../core/directory/index.ts';
import { directoryStream, type UserId } from '../../../core/journal/index.ts';
import { deviceRow, userOf, userRow } from '../codec.ts';
import { nameTaken, numberTaken } from '../problems.ts';
import type { NamesTable, Tables, UsersTable } from '../schema.ts';
import type { UnitContext, UnitHandlers } from './context.ts';

type Handlers = UnitHandlers<'directory'>;

/** Takes a name in the one namespace. @throws name-taken */
export async function takeName(db: Kysely<Tables>, name: Insertable<NamesTable>): Promise<void> {
  const taken = await db.selectFrom('names').select('name').where('name', '=', name.name).executeTakeFirst();
  if (taken !== undefined) throw nameTaken(name.name);
  await db.insertInto('names').values(name).execute();
}

/** @throws unknown-user */
export async function requireUsers(db: Kysely<Tables>, ids: readonly UserId[]): Promise<void> {
  for (const id of new Set(ids)) {
    const found = await db.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst();
    if (found === undefined) throw unknownUser(id);
  }
}

async function requireFreeNumber(db: Kysely<Tables>, number: string | null, own: UserId): Promise<void> {
  if (number === null) return;
  const holder = await db.selectFrom('users').select('id').where('number', '=', number).executeTakeFirst();
  if (holder !== undefined && holder.id !== own) throw numberTaken(number);
}

/** The display name, on collision `displayName (name)`; should somebody be called that too, a number makes it unique. */
async function freeCn(db: Kysely<Tables>, user: Omit<User, 'cn'>): Promise<string> {
  const long = `${user.displayName} (${user.name})`;
  for (let i = 0; ; i++) {
    const cn = i === 0 ? user.displayName : i === 1 ? long : `${long} ${i}`;
    const holder = await db.selectFrom('users').select('id').where('cn', '=', cn).executeTakeFirst();
    if (holder === undefined || holder.id === user.id) return cn;
  }
}

async function requireUserRow(db: Kysely<Tables>, id: UserId): Promise<UsersTable> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw unknownUser(id);
  return row;
}

function tellUser(context: UnitContext, id: UserId): void {
  context.tell(directoryStream, { kind: 'directory', what: 'user', id });
}

const addUser: Handlers['directory.add-user'] = async (context, input) => {
  const { db } = context;
  await takeName(db, { name: input.user.name, kind: 'user' });
  await requireFreeNumber(db, input.user.number, input.user.id);
  const user: User = { ...input.user, cn: await freeCn(db, input.user) };
  await db
    .insertInto('users')
    .values({ ...userRow(user), password_hash: input.secrets.passwordHash, sealed_myapps: input.sealedMyApps })
    .execute();
  await insertDevice(db, input.device, input.device.secret);
  tellUser(context, user.id);
  // What is told to this user from now on is delivered at the first login.
  await db
    .insertInto('cursors')
    .values({ user_id: user.id, position: await context.head() })
    .execute();
  return user;
};

export async function insertDevice(
  db: Kysely<Tables>,
  device: Parameters<typeof deviceRow>[0],
  secret: string,
): Promise<void> {
  const taken = await db.selectFrom('devices').select('id').where('id', '=', device.id).executeTakeFirst();
  if (taken !== undefined) throw nameTaken(device.id);
  await db.insertInto('devices').values(deviceRow(device, secret)).execute();
}

const changeUser: Handlers['directory.change-user'] = async (context, { id, change, secrets }) => {
  const { db } = context;
  const before = userOf(await requireUserRow(db, id));
  const merged = { ...before, ...definedOf(change), id };
  if (merged.name !== before.name) {
    await takeName(db, { name: merged.name, kind: 'user' });
    await db.deleteFrom('names').where('name', '=', before.name).execute();
  }
  await requireFreeNumber(db, merged.number, id);
  const isRenamed = merged.name !== before.name || merged.displayName !== before.displayName;
  const user: User = { ...merged, cn: isRenamed ? await freeCn(db, merged) : before.cn };
  await db
    .updateTable('users')
    .set({ ...userRow(user), ...(secrets === undefined ? {} : { password_hash: secrets.passwordHash }) })
    .where('id', '=', id)
    .execute();
  tellUser(context, id);
  if (user.isLocked) await endStream(context, { user: id }, 'locked');
  return user;
};

/** Ends a chat stream, where there is one; says whose it was. */
export async function endStream(
  context: UnitContext,
  of: { readonly id: string } | { readonly user: UserId },
  reason: StreamEnd,
): Promise<UserId | null> {
  const [column, value] = 'id' in of ? (['id', of.id] as const) : (['user_id', of.user] as const);
  const [ended] = await context.db
    .deleteFrom('chat_streams')
    .where(column, '=', value)
    .returning(['id', 'user_id'])
    .execute();
  if (ended === undefined) return null;
  context.tell(directoryStream, { kind: 'stream-ended', stream: ended.id, reason });
  return ended.user_id;
}

/** Absent members stay, and so do those that are given as undefined. */
function definedOf<T extends object>(change: T): T {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}

const removeUser: Handlers['directory.remove-user'] = async (context, { id }) => {
  const { db } = context;
  const row = await requireUserRow(db, id);
  await endStream(context, { user: id }, 'locked');
  // Devices, contacts, memberships and presence go with the row.
  await db.deleteFrom('users').where('id', '=', id).execute();
  await db.deleteFrom('names').where('name', '=', row.name).execute();
  tellUser(context, id);
  return null;
};

export const userUnits = {
  'directory.add-user': addUser,
  'directory.change-user': changeUser,
  'directory.remove-user': removeUser,
} satisfies Partial<Handlers>;
