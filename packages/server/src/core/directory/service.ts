import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, type Ids, Lru } from '../../kit/index.ts';
import type { Position, Store, UserId } from '../journal/index.ts';
import { badCredentials, unknownUser } from './errors.ts';
import type { LoginGuard } from './login-guard.ts';
import type { App, ChatStream, Contact, Device, DeviceKind, StreamEnd, User } from './model.ts';
import type { Passwords } from './passwords.ts';
import type { DirectoryChanged, DirectoryQueries, DirectoryUnits, UserKey } from './ports.ts';
import type { Vault } from './vault.ts';

/**
 * Users and App objects held in memory: a message's hot path reads two users.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_CACHED = 50_000;
/**
 * Secrets of digest logins held in the clear, as those of App objects are.
 * @peer nothing: the secret is read again
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_SECRETS = 10_000;
/**
 * App objects held in memory with their passwords: they are few, and made by administrators.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_CACHED_APPS = 1_000;
/**
 * Verified passwords that are trusted for a while.
 * @peer its next request waits for a hash
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_CREDENTIALS = 10_000;
/** A verified password is trusted this long: Basic credentials come with every request. */
const CREDENTIAL_MS = 60_000;

export interface NewUser {
  readonly name: string;
  readonly displayName: string;
  readonly number: string | null;
  readonly password: string;
  readonly email?: string | null;
  readonly isAdmin?: boolean;
  readonly hasStorage?: boolean;
  readonly apps?: readonly string[];
  /** Secret of digest logins; without it one is made. */
  readonly digestSecret?: string;
}

export interface Directory {
  user(key: UserKey): Promise<User | null>;
  userById(id: UserId): Promise<User | null>;
  /** A user, or an App object as one: what can be a party of a chat. */
  party(key: UserKey): Promise<User | null>;
  /** The same without waiting, where the user is held already: never before those who wait for him. Undefined: ask `party`. */
  atHand(id: UserId): User | undefined;
  /** The secret of the user's digest logins, in the clear (AW §3.8). Null: the user has none. */
  digestSecret(id: UserId): Promise<string | null>;
  /** @throws unknown-user */
  requireUser(key: UserKey): Promise<User>;
  users(ask: DirectoryQueries['directory.users']['input']): Promise<readonly User[]>;
  /** @throws bad-credentials | too-many-attempts | busy */
  authenticate(login: { readonly name: string; readonly password: string; readonly address: string }): Promise<User>;
  devices(user: UserId): Promise<readonly Device[]>;
  /** The device and its secret in the clear. */
  device(id: string): Promise<{ readonly device: Device; readonly secret: string } | null>;
  /** Secret of logins issued for a device: derived, so that every node knows it. Null: no such device. */
  deviceLoginSecret(id: string): Promise<string | null>;
  /** The App object and its password in the clear. */
  app(name: string): Promise<{ readonly app: App; readonly secret: string } | null>;
  apps(): Promise<readonly App[]>;
  contacts(owner: UserId): Promise<readonly Contact[]>;
  listedBy(contact: UserId): Promise<readonly Contact[]>;
  setContacts(contacts: readonly Contact[]): Promise<void>;
  removeContact(owner: UserId, contact: UserId): Promise<void>;
  applicationSession(session: string): Promise<UserId | null>;
  openStream(user: User): Promise<{ readonly stream: ChatStream; readonly isNew: boolean; readonly cursor: Position }>;
  stream(key: DirectoryQueries['directory.stream']['input']): Promise<DirectoryQueries['directory.stream']['output']>;
  closeStream(id: string, cursor: Position, reason: StreamEnd): Promise<void>;
  useStreams(ids: readonly string[], at: number): Promise<void>;
  endIdleStreams(before: number, limit: number): Promise<number>;
  moveCursors(moves: DirectoryUnits['directory.move-cursor']['input']['moves']): Promise<void>;
  addUser(user: NewUser): Promise<User>;
  changeUser(id: UserId, change: Partial<Omit<User, 'id' | 'cn'>>, password?: string): Promise<User>;
  addDevice(device: Device, secret: string): Promise<void>;
  addApp(app: Omit<App, 'guid'>, secret: string): Promise<App>;
  setApplicationSession(session: string, user: UserId): Promise<void>;
  isEmpty(): Promise<boolean>;
  /** Drops what is cached of a changed thing. Fed with every entry of the directory stream. */
  changed(event: DirectoryChanged): void;
}

export interface DirectoryParts {
  readonly store: Store<DirectoryUnits, DirectoryQueries>;
  readonly vault: Vault;
  readonly passwords: Passwords;
  readonly guard: LoginGuard;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createDirectory(parts: DirectoryParts): Directory {
  const { store, vault, passwords, guard, clock, ids } = parts;
  const users = new Map<UserKey['by'], Lru<string, Promise<User | null>>>();
  const atHand = new Lru<UserId, User>(MAX_CACHED);
  const keysOf = new Map<UserId, UserKey[]>();
  const apps = new Lru<string, Promise<{ app: App; secret: string } | null>>(MAX_CACHED_APPS);
  const digestSecrets = new Lru<UserId, Promise<string | null>>(MAX_SECRETS);
  const credentials = new Lru<string, { readonly user: UserId; readonly until: number }>(MAX_CREDENTIALS);
  /** Checks under way: a page that asks for ten things at once has made one attempt. */
  const checks = new Map<string, Promise<User>>();
  const macKey = randomBytes(32);
  let partiesCache: Promise<readonly User[]> | null = null;
  /** Counts changes of users: what was read or checked while one came may be of before, and is not kept. */
  let changes = 0;

  function cached(by: UserKey['by']): Lru<string, Promise<User | null>> {
    const known = users.get(by);
    if (known !== undefined) return known;
    const fresh = new Lru<string, Promise<User | null>>(MAX_CACHED);
    users.set(by, fresh);
    return fresh;
  }

  /** The promise itself is cached: lookups of one user resolve in the order they were made. */
  function user(key: UserKey): Promise<User | null> {
    const own = cached(key.by);
    const known = own.get(key.value);
    if (known !== undefined) return known;
    const before = changes;
    const drop = (): void => {
      if (own.get(key.value) === pending) own.delete(key.value);
    };
    const pending: Promise<User | null> = store.read('directory.user', key).then(
      (found) => {
        if (found === null || before !== changes) drop();
        else remember(key, found.id);
        return found;
      },
      (error: unknown) => {
        drop();
        throw error;
      },
    );
    own.set(key.value, pending);
    // A turn later: whoever has waited has gone on by then, and is not overtaken.
    if (key.by === 'id') pending.then((found) => setImmediate(() => hold(pending, found)), drop);
    return pending;
  }

  function hold(pending: Promise<User | null>, found: User | null): void {
    if (found !== null && cached('id').get(found.id) === pending) atHand.set(found.id, found);
  }

  function remember(key: UserKey, id: UserId): void {
    const keys = keysOf.get(id) ?? [];
    if (!keys.some(({ by, value }) => by === key.by && value === key.value)) keys.push(key);
    keysOf.set(id, keys);
    if (keysOf.size > MAX_CACHED) {
      keysOf.clear();
      users.clear();
      atHand.clear();
    }
  }

  function forget(id: UserId): void {
    changes++;
    for (const { by, value } of keysOf.get(id) ?? []) cached(by).delete(value);
    keysOf.delete(id);
    atHand.delete(id);
    digestSecrets.delete(id);
    credentials.clear();
  }

  /** As of App objects: a crowd that comes back at once reads and unseals each secret once. */
  function digestSecret(id: UserId): Promise<string | null> {
    const known = digestSecrets.get(id);
    if (known !== undefined) return known;
    const before = changes;
    const pending = store.read('directory.secrets', { id }).then((secrets) => {
      if (secrets === null || before !== changes) digestSecrets.delete(id);
      return secrets === null || secrets.sealedMyApps === null ? null : vault.open(secrets.sealedMyApps);
    });
    digestSecrets.set(id, pending);
    pending.catch(() => digestSecrets.delete(id));
    return pending;
  }

  function macOf(name: string, password: string): string {
    return createHmac('sha256', macKey).update(`${name.length}:${name}${password}`).digest('base64');
  }

  async function authenticate(login: { name: string; password: string; address: string }): Promise<User> {
    const name = login.name.toLowerCase();
    const mac = macOf(name, login.password);
    const verified = credentials.get(mac);
    if (verified !== undefined && verified.until > clock.now()) {
      const known = await user({ by: 'id', value: verified.user });
      if (known !== null && !known.isLocked) return known;
    }
    const key = `${login.address} ${mac}`;
    const underWay = checks.get(key);
    if (underWay !== undefined) return underWay;
    const check = checkPassword({ ...login, name }, mac).finally(() => checks.delete(key));
    checks.set(key, check);
    return check;
  }

  async function checkPassword(login: { name: string; password: string; address: string }, mac: string): Promise<User> {
    const attempt = guard.attempt(login.address, login.name);
    let hasFailed = false;
    try {
      const before = changes;
      const account = await user({ by: 'name', value: login.name });
      const secrets = account === null ? null : await store.read('directory.secrets', { id: account.id });
      const isRight = await passwords.verify(login.password, secrets?.passwordHash ?? null);
      hasFailed = account === null || !isRight || account.isLocked;
      if (account === null || hasFailed) throw badCredentials();
      if (before === changes) credentials.set(mac, { user: account.id, until: clock.now() + CREDENTIAL_MS });
      return account;
    } finally {
      attempt.end(hasFailed);
    }
  }

  async function party(key: UserKey): Promise<User | null> {
    const found = await user(key);
    if (found !== null || (key.by !== 'id' && key.by !== 'name')) return found;
    const all = await appParties();
    return all.find((app) => (key.by === 'id' ? app.id : app.name) === key.value) ?? null;
  }

  /** App objects are few, and made by administrators. */
  function appParties(): Promise<readonly User[]> {
    partiesCache ??= store.read('directory.apps', null).then(
      (found) => found.map(appAsParty),
      (error: unknown) => {
        partiesCache = null;
        throw error;
      },
    );
    return partiesCache;
  }

  async function loadApp(name: string): Promise<{ app: App; secret: string } | null> {
    const found = await store.read('directory.app', { name });
    return found === null ? null : { app: found.app, secret: vault.open(found.secret) };
  }

  async function addUser(input: NewUser): Promise<User> {
    const name = input.name.toLowerCase();
    const id = ids.guid() as UserId;
    const added = await store.write('directory.add-user', {
      user: {
        id,
        name,
        displayName: input.displayName,
        number: input.number,
        email: input.email ?? null,
        isAdmin: input.isAdmin ?? false,
        hasStorage: input.hasStorage ?? true,
        isLocked: false,
        apps: input.apps ?? [],
      },
      secrets: { passwordHash: await passwords.hash(input.password) },
      sealedMyApps: vault.seal(input.digestSecret ?? ids.secret(138)),
      device: {
        id: `chat-${name}`,
        user: id,
        kind: 'chat' satisfies DeviceKind,
        label: 'Chat',
        secret: vault.seal(ids.secret(128)),
      },
    });
    forget(id);
    return added;
  }

  return {
    user,
    userById: (id) => user({ by: 'id', value: id }),
    party,
    atHand: (id) => atHand.get(id),
    digestSecret,
    async requireUser(key) {
      const found = await user(key);
      if (found === null) throw unknownUser(key.value);
      return found;
    },
    users: (ask) => store.read('directory.users', ask),
    authenticate,
    devices: (owner) => store.read('directory.devices', { user: owner }),
    async device(id) {
      const found = await store.read('directory.device', { id });
      return found === null ? null : { device: found.device, secret: vault.open(found.secret) };
    },
    async deviceLoginSecret(id) {
      const found = await store.read('directory.device', { id });
      return found === null ? null : vault.derive(`device-login:${id}`);
    },
    app(name) {
      const cached = apps.get(name);
      if (cached !== undefined) return cached;
      const pending = loadApp(name);
      apps.set(name, pending);
      pending.then(
        (found) => found === null && apps.delete(name),
        () => apps.delete(name),
      );
      return pending;
    },
    apps: () => store.read('directory.apps', null),
    contacts: (owner) => store.read('directory.contacts', { owner }),
    listedBy: (contact) => store.read('directory.listed-by', { contact }),
    async setContacts(contacts) {
      await store.write('directory.set-contact', { contacts });
    },
    async removeContact(owner, contact) {
      await store.write('directory.remove-contact', { owner, contact });
    },
    applicationSession: (session) => store.read('directory.application-session', { session }),
    openStream: (owner) =>
      store.write('directory.open-stream', {
        stream: {
          id: `ofchat-${ids.secret(144)}`,
          user: owner.id,
          resource: `${owner.name}-${ids.label(8)}`,
          openedAt: clock.now(),
        },
      }),
    stream: (key) => store.read('directory.stream', key),
    async closeStream(id, cursor, reason) {
      await store.write('directory.close-stream', { id, cursor, reason });
    },
    async useStreams(used, at) {
      await store.write('directory.use-streams', { ids: used, at });
    },
    endIdleStreams: (before, limit) => store.write('directory.end-idle-streams', { before, limit }),
    async moveCursors(moves) {
      await store.write('directory.move-cursor', { moves });
    },
    addUser,
    async changeUser(id, change, password) {
      const secrets = password === undefined ? {} : { secrets: { passwordHash: await passwords.hash(password) } };
      const changed = await store.write('directory.change-user', { id, change, ...secrets });
      forget(id);
      return changed;
    },
    async addDevice(device, secret) {
      await store.write('directory.add-device', { device, secret: vault.seal(secret) });
    },
    async addApp(input, secret) {
      const app: App = { ...input, guid: ids.guid() };
      await store.write('directory.add-app', { app, secret: vault.seal(secret) });
      apps.delete(app.name);
      partiesCache = null;
      return app;
    },
    async setApplicationSession(session, owner) {
      await store.write('directory.set-application-session', { session, user: owner });
    },
    isEmpty: () => store.read('directory.is-empty', null),
    changed(event) {
      if (event.what === 'user') forget(event.id as UserId);
      if (event.what !== 'app') return;
      apps.delete(event.id);
      partiesCache = null;
    },
  };
}

function appAsParty(app: App): User {
  const { name, displayName } = app;
  return {
    id: app.guid as UserId,
    name,
    displayName,
    cn: displayName,
    number: null,
    email: null,
    isAdmin: false,
    hasStorage: false,
    isLocked: false,
    apps: [],
  };
}
