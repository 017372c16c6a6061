import { type AppIdentity, identityOf, type PasswordAnswer, type PasswordRequest } from '@tieline/appwebsocket';
import type { App, Directory, LoginGuard, User } from '../../core/directory/index.ts';
import type { UserId } from '../../core/journal/index.ts';
import { type Actor, type Grant, USER_LOGIN_APIS } from '../../core/permissions/index.ts';
import { Problem } from '../../kit/index.ts';

/** Whom a login has made this connection. */
export interface LoggedIn {
  readonly actor: Actor;
  /** The user or App object whose things it reaches. */
  readonly party: User;
  readonly kind: 'app' | 'user';
  readonly apis: readonly Grant[];
  /** The device that the login was issued for, where it was issued for one. */
  readonly device: string | null;
}

/** A look-up's answer to the handshake, and who it will be if the digest is right. */
export interface Lookup {
  readonly answer: PasswordAnswer;
  readonly account: string;
  /** Null: whatever the digest is, the login fails. */
  readonly who: LoggedIn | null;
}

interface LoginParts {
  readonly directory: Directory;
  readonly guard: LoginGuard;
}

const DEVICE_PREFIX = 'dev:';

/** Name of the object whose password signs (AW §3.8); '' = the user named in `sip`. */
function objectName(request: Pick<PasswordRequest, 'app' | 'pbxObj'>): string {
  return request.pbxObj !== undefined && request.pbxObj !== '' ? request.pbxObj : request.app;
}

/** Finds the secret that a login's digest must have been made with. Unknown accounts get no password, so they just fail. */
export async function lookUp(parts: LoginParts, request: PasswordRequest, address: string): Promise<Lookup> {
  const name = objectName(request);
  const account = name === '' ? `sip:${request.sip}` : name;
  const refusal = refusalAt(parts.guard, address, account);
  if (refusal !== null) return { answer: refusal, account, who: null };
  // Nobody is told here how a test of a password ends (AW §3.7), so each counts as a failed one.
  if (request.purpose === 'check') parts.guard.failed(address, account);
  const secret = name === '' ? await userSecret(parts, request.sip) : await objectSecret(parts, name);
  const who = secret === null ? null : await whoIs(parts.directory, identityOf(request.login));
  return { answer: { passwords: secret === null || who === null ? [] : [secret] }, account, who };
}

/** What an account that has failed too often is told; null: it may try. */
export function refusalAt(guard: LoginGuard, address: string, account: string): { readonly refuse: string } | null {
  try {
    guard.admit(address, account);
    return null;
  } catch (error) {
    if (error instanceof Problem) return { refuse: 'too many failed logins' };
    throw error;
  }
}

async function userSecret({ directory }: LoginParts, sip: string): Promise<string | null> {
  const user = sip === '' ? null : await directory.user({ by: 'name', value: localPart(sip) });
  return user === null || user.isLocked ? null : directory.digestSecret(user.id);
}

async function objectSecret({ directory }: LoginParts, name: string): Promise<string | null> {
  if (name.startsWith(DEVICE_PREFIX)) return directory.deviceLoginSecret(name.slice(DEVICE_PREFIX.length));
  return (await directory.app(name))?.secret ?? null;
}

/** Who logs in. Null: nobody may log in this way. */
async function whoIs(directory: Directory, identity: AppIdentity): Promise<LoggedIn | null> {
  const name = objectName(identity);
  if (name === '')
    return userLogin(await directory.user({ by: 'name', value: localPart(identity.sip) }), USER_LOGIN_APIS, null);
  if (name.startsWith(DEVICE_PREFIX)) {
    const id = name.slice(DEVICE_PREFIX.length);
    const owner = (await directory.device(id))?.device.user;
    const user = await directory.user({ by: 'name', value: localPart(identity.sip) });
    return user?.id === owner ? userLogin(user, USER_LOGIN_APIS, id) : null;
  }
  const app = (await directory.app(name))?.app;
  if (app === undefined) return null;
  if (!isForUser(identity, app)) return appLogin(app, await directory.party({ by: 'id', value: app.guid as UserId }));
  const user = await directory.user({ by: 'name', value: localPart(identity.sip) });
  if (user === null || (app.users === 'listed' && !user.apps.includes(app.name))) return null;
  if (identity.guid !== '' && identity.guid !== user.id) return null;
  return userLogin(
    user,
    USER_LOGIN_APIS.filter((api) => app.grants.includes(api)),
    null,
  );
}

/**
 * A PBX has issued this login for somebody who is not the App object (AW §3.8). `pbxObj` is not signed, so who leaves it out is
 * no App object for that: what counts is `info`, which only a PBX writes.
 */
function isForUser(identity: AppIdentity, app: App): boolean {
  const issuedFor = identity.info?.['appobj'];
  return identity.isPbxUser || (issuedFor !== undefined && localPart(identity.sip) !== app.name.toLowerCase());
}

function userLogin(user: User | null, apis: readonly Grant[], device: string | null): LoggedIn | null {
  if (user === null || user.isLocked) return null;
  // A login over this interface reaches the user's own things only, whoever the user is (AW §3.8).
  return { actor: { kind: 'user', user: user.id, admin: false }, party: user, kind: 'user', apis, device };
}

function appLogin(app: App, party: User | null): LoggedIn | null {
  if (party === null) return null;
  const actor: Actor = { kind: 'app', id: party.id, app: app.name, grants: app.grants };
  return { actor, party, kind: 'app', apis: app.grants, device: null };
}

/** `alice`, `alice@example.test` → `alice` */
export function localPart(sip: string): string {
  const at = sip.indexOf('@');
  return (at < 0 ? sip : sip.slice(0, at)).toLowerCase();
}
