import type { Device, DeviceKind } from '../core/directory/index.ts';
import { GRANTS, type Grant } from '../core/permissions/index.ts';
import { Problem } from '../kit/index.ts';
import type { Administration } from './administration.ts';
import type { Console } from './console.ts';
import { obtainPassword, sayPassword, type PasswordSource } from './passwords.ts';
import { tableOf } from './table.ts';

export interface ListOptions {
  readonly json?: boolean;
}

export interface UserOptions extends PasswordSource {
  readonly displayName?: string;
  readonly number?: string;
  readonly email?: string;
  readonly admin?: boolean;
  readonly storage?: boolean;
  readonly apps?: readonly string[];
}

/** Names stand in addresses and paths everywhere; this is what all of them can carry. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const NUMBER = /^\+?[0-9*#]{1,32}$/;

export async function initialize(
  administration: Administration,
  options: PasswordSource & { readonly admin: string },
  console: Console,
): Promise<void> {
  if (!(await administration.isEmpty()))
    throw new Problem('not-empty', 'There are users already; `tieline user add` makes further ones.');
  const name = validName(options.admin);
  const password = await obtainPassword(options, console, name);
  const user = { name, displayName: 'Administrator', number: null, password: password.text, isAdmin: true };
  await administration.addUser(user);
  console.say(`The store is ready. Administrator: ${name}`);
  sayPassword(console, name, password);
}

export async function addUser(
  administration: Administration,
  name: string,
  options: UserOptions,
  console: Console,
): Promise<void> {
  const wanted = validName(name);
  const number = options.number ?? null;
  if (number !== null && !NUMBER.test(number))
    throw new Problem('bad-number', 'A number has up to 32 of 0-9 * # after an optional +.', { subject: number });
  const password = await obtainPassword(options, console, wanted);
  const user = await administration.addUser({
    name: wanted,
    displayName: options.displayName ?? wanted,
    number,
    password: password.text,
    email: options.email ?? null,
    isAdmin: options.admin ?? false,
    hasStorage: options.storage ?? true,
    apps: options.apps ?? [],
  });
  console.say(`Added user ${user.name} (${user.cn}${number === null ? '' : `, ${number}`}).`);
  sayPassword(console, user.name, password);
}

export async function listUsers(administration: Administration, options: ListOptions, console: Console): Promise<void> {
  const users = await administration.users();
  const rows = users.map((user) => ({
    name: user.name,
    number: user.number,
    displayName: user.displayName,
    email: user.email,
    admin: user.isAdmin,
    storage: user.hasStorage,
    locked: user.isLocked,
    apps: user.apps,
  }));
  show(rows, options, console);
}

export async function setPassword(
  administration: Administration,
  name: string,
  options: PasswordSource,
  console: Console,
): Promise<void> {
  const password = await obtainPassword(options, console, name);
  await administration.setPassword(name.toLowerCase(), password.text);
  console.say(`Changed the password of ${name.toLowerCase()}.`);
  sayPassword(console, name, password);
}

export interface AppOptions extends PasswordSource {
  readonly displayName?: string;
  readonly grant?: readonly string[];
  readonly url?: string;
  readonly websocket?: boolean;
  readonly sees?: readonly string[];
  readonly allUsers?: boolean;
}

export async function addApp(
  administration: Administration,
  name: string,
  options: AppOptions,
  console: Console,
): Promise<void> {
  const wanted = validName(name);
  const grants = (options.grant ?? []).map(validGrant);
  if (options.url !== undefined && !/^(https?|wss?):\/\//.test(options.url))
    throw new Problem('bad-url', 'The address of an App begins with http:// or https://.', { subject: options.url });
  const password = await obtainPassword(options, console, wanted);
  const app = await administration.addApp({
    name: wanted,
    displayName: options.displayName ?? wanted,
    secret: password.text,
    grants,
    url: options.url ?? null,
    hasWebsocket: options.websocket ?? false,
    apps: options.sees ?? [],
    users: options.allUsers === true ? 'all' : 'listed',
  });
  console.say(`Added App ${app.name} (${grants.length === 0 ? 'no grants' : grants.join(', ')}).`);
  sayPassword(console, app.name, password);
}

export async function listApps(administration: Administration, options: ListOptions, console: Console): Promise<void> {
  const apps = await administration.apps();
  const rows = apps.map((app) => ({
    name: app.name,
    displayName: app.displayName,
    grants: app.grants,
    users: app.users,
    url: app.url,
    websocket: app.hasWebsocket,
    sees: app.apps,
  }));
  show(rows, options, console);
}

export interface DeviceOptions extends PasswordSource {
  readonly user: string;
  readonly kind: string;
  readonly label?: string;
}

const KINDS: readonly DeviceKind[] = ['sip', 'chat', 'phone'];

export async function addDevice(
  administration: Administration,
  id: string,
  options: DeviceOptions,
  console: Console,
): Promise<void> {
  const kind = KINDS.find((known) => known === options.kind);
  if (kind === undefined)
    throw new Problem('bad-kind', `A device is one of ${KINDS.join(', ')}.`, { subject: options.kind });
  const wanted = validName(id);
  const password = await obtainPassword(options, console, wanted);
  const device: Device = await administration.addDevice({
    id: wanted,
    user: options.user.toLowerCase(),
    kind,
    label: options.label ?? (kind === 'chat' ? 'Chat' : 'Telephone'),
    secret: password.text,
  });
  console.say(`Added device ${device.id} of ${options.user.toLowerCase()}.`);
  sayPassword(console, device.id, password);
}

export async function listDevices(
  administration: Administration,
  options: ListOptions & { readonly user?: string },
  console: Console,
): Promise<void> {
  const devices = await administration.devices(options.user?.toLowerCase() ?? null);
  const rows = devices.map(({ id, userName, kind, label }) => ({ id, user: userName, kind, label }));
  show(rows, options, console);
}

function show(rows: readonly Readonly<Record<string, unknown>>[], options: ListOptions, console: Console): void {
  console.say(options.json === true ? JSON.stringify(rows, null, 2) : tableOf(rows));
}

function validName(name: string): string {
  const lower = name.toLowerCase();
  if (NAME.test(lower)) return lower;
  const rule = 'A name has up to 64 of a-z 0-9 . _ - and begins with a letter or digit.';
  throw new Problem('bad-name', rule, { subject: name });
}

function validGrant(name: string): Grant {
  const grant = GRANTS.find((known) => known.toLowerCase() === name.toLowerCase());
  if (grant !== undefined) return grant;
  throw new Problem('bad-grant', `An App can be granted ${GRANTS.join(', ')}.`, { subject: name });
}
